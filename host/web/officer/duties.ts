import type { TicketKeyAges } from "../../client/index.ts";

/** The KDC turns its keys by a timer: a little late is not overdue. */
const GRACE_MS = 2 * 3_600_000;

/** How long the next ticket key is overdue, ms; null where nobody has to do anything. @param now ms */
export function overdueBy({ nextAt }: Pick<TicketKeyAges, "nextAt">, now: number): number | null {
  return now - nextAt > GRACE_MS ? now - nextAt : null;
}
