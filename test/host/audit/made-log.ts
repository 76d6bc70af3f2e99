import {
  type AuditEntry,
  type AuditEvent,
  type ChainEnd,
  chainEntry,
  chainStart,
} from "../../../host/audit/chain.ts";
import { AUDIT_HEAD, type SigningKey, signStatement } from "../../../host/sealing/index.ts";

const START = Date.UTC(2026, 0, 1);

/** An id that a number stands for. */
export const idOf = (n: number) => n.toString(16).padStart(32, "0");

const EVENTS: readonly Pick<AuditEvent, "action" | "actorRole" | "outcome" | "code" | "details">[] = [
  { action: "login", actorRole: "doctor", outcome: "success", code: null, details: {} },
  {
    action: "login",
    actorRole: null,
    outcome: "refused",
    code: "LOGIN_FAILED",
    details: { handle: "quiet-otter" },
  },
  {
    action: "consent.give",
    actorRole: "patient",
    outcome: "success",
    code: null,
    details: { regions: 2, purpose: "treatment" },
  },
  {
    action: "ticket.read",
    actorRole: "doctor",
    outcome: "refused",
    code: "CONSENT_MISSING",
    details: { audience: "cloud" },
  },
  {
    action: "emergency.release",
    actorRole: "doctor",
    outcome: "success",
    code: null,
    details: { reason: "Ohnmacht, Übergabe ½" },
  },
];

/** The event with number `n`. */
export function eventOf(n: number): AuditEvent {
  const event = EVENTS[n % EVENTS.length] as (typeof EVENTS)[number];
  return {
    ...event,
    actor: event.actorRole === null ? null : idOf(n % 7),
    owner: n % 3 === 0 ? null : idOf(1000 + (n % 5)),
    object: n % 2 === 0 ? null : idOf(n),
    requestId: `request-${n}`,
  };
}

/** A chain of `length` entries as a log would write them. */
export function chainOf(
  log: string,
  length: number,
  eventAt: (n: number) => AuditEvent = eventOf,
): AuditEntry[] {
  let end: ChainEnd = chainStart(log);
  return Array.from({ length }, (_, i) => {
    const entry = chainEntry(end, eventAt(i + 1), START + 1000 * i);
    end = entry;
    return entry;
  });
}

/** Chains the same events and times anew, from the first that does not fit. */
export function rechain(log: string, entries: readonly AuditEntry[]): AuditEntry[] {
  let end: ChainEnd = chainStart(log);
  return entries.map(({ sequence: _s, at, previous: _p, hash: _h, ...event }) => {
    const entry = chainEntry(end, event, at);
    end = entry;
    return entry;
  });
}

/** A signed head of an entry. */
export function headOf(log: string, key: SigningKey, { sequence, hash, at }: AuditEntry): Promise<string> {
  return signStatement(AUDIT_HEAD, { log, sequence, hash, at }, key);
}
