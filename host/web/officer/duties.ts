import type { TicketKeyAges } from "../../client/index.ts";

const HOUR_MS = 3_600_000;
/** The KDC turns its keys by a timer: a little late is not overdue. */
export const GRACE_MS = 2 * HOUR_MS;
/** As long as tickets of a retired key may be met, its public half is published (the KDC's own time). */
const KEPT_MS = 7 * 24 * HOUR_MS + 2 * HOUR_MS;

/** Something about the ticket keys that somebody has to do: `turn` a new key is due, `tidy` an old one should be gone. */
export interface Duty {
  readonly what: "turn" | "tidy";
  /** How long it is overdue, ms. */
  readonly late: number;
}

/** What is overdue, the longest first. Times in ms. */
export function dutiesOf({ nextAt, keys }: TicketKeyAges, now: number): Duty[] {
  const duties: Duty[] = [{ what: "turn", late: now - nextAt }];
  for (const { retiredAt } of keys) {
    if (retiredAt !== null) {
      duties.push({ what: "tidy", late: now - retiredAt - KEPT_MS });
    }
  }
  const due = duties.filter(({ late }) => late > GRACE_MS).sort((a, b) => b.late - a.late);
  // Of several keys that should be gone one is enough to say.
  return due.filter(({ what }, i) => due.findIndex((other) => other.what === what) === i);
}
