import type { TicketKeyRing } from "./ticket-key-ring.ts";

/** As the audit log takes it. */
interface TurnLog {
  append(event: {
    readonly action: string;
    readonly actor: null;
    readonly actorRole: string;
    readonly owner: null;
    readonly object: null;
    readonly outcome: "success";
    readonly code: null;
    readonly requestId: null;
    readonly details: Readonly<Record<string, string>>;
  }): Promise<unknown>;
}

/** What the log calls a key that the KDC made by itself; an operator's is `ticket-keys.rotate`. */
export const TURNED = "ticket-keys.turn";

/**
 * Lets the ring do what is due, and writes down a key that it made: who oversees keys reads every turn in one place,
 * ordered by an operator or not.
 * @throws what the ring or the log throw; the key is there even where the log failed
 */
export async function turnTicketKeys(ring: TicketKeyRing, log: TurnLog): Promise<void> {
  const made = await ring.turn();
  if (made !== null) {
    await log.append({
      ...{ action: TURNED, actor: null, actorRole: "service", owner: null, object: null },
      ...{ outcome: "success", code: null, requestId: null },
      details: { earlierKeys: "kept", key: made.kid },
    });
  }
}
