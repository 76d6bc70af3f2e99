import { z } from "zod";

/** How grave what was found is, from mildest to gravest. */
export const ALERT_LEVELS = ["attention", "urgent", "emergency"] as const;
export type AlertLevel = (typeof ALERT_LEVELS)[number];

/** Where an alert stands. */
export type AlertStatus = "raised" | "acknowledged" | "snoozed" | "escalated" | "resolved";

const level = z.enum(ALERT_LEVELS);
const at = z.int().min(0);
const by = z.string().min(1).max(200);
const reason = z.string().max(500);

/** Something that happened to an alert. `at` is ms since 1970 UTC by the clock of whoever keeps the alert. */
export const ALERT_EVENT = z.discriminatedUnion("type", [
  /** What was found, and how grave it is. */
  z.strictObject({ type: z.literal("raised"), at, level, reason }),
  /** It became graver than it had ever been in this alert. */
  z.strictObject({ type: z.literal("worsened"), at, level, reason }),
  /** The readings no longer show it. */
  z.strictObject({ type: z.literal("eased"), at }),
  /** The readings show it again, no graver than before. */
  z.strictObject({ type: z.literal("returned"), at }),
  z.strictObject({ type: z.literal("acknowledged"), at, by }),
  z.strictObject({ type: z.literal("snoozed"), at, by, until: at }),
  /** A snooze is over. */
  z.strictObject({ type: z.literal("woken"), at }),
  /** Nobody took it in time, or it became graver after somebody had. `tier` counts from 1. */
  z.strictObject({
    type: z.literal("escalated"),
    at,
    tier: z.int().min(1),
    cause: z.enum(["unanswered", "worse"]),
  }),
  /** `by` is null where the readings had been well for long enough. */
  z.strictObject({ type: z.literal("resolved"), at, by: by.nullable(), reason }),
]);
export type AlertEvent = z.infer<typeof ALERT_EVENT>;

/** The state that events add up to. */
export interface Alert {
  readonly status: AlertStatus;
  /** The gravest level it has had. */
  readonly level: AlertLevel;
  /** What was found, at its gravest. */
  readonly reason: string;
  readonly raisedAt: number;
  /** Moment of the last event. */
  readonly changedAt: number;
  /** Since when it stands as it does. */
  readonly since: number;
  readonly snoozedUntil: number | null;
  /** Who has it in hand, where somebody has. */
  readonly owner: string | null;
  /** How often it was escalated. It never goes back. */
  readonly tier: number;
  /** Since when the readings have been well; null while they are not. */
  readonly easedAt: number | null;
}

const RANK: Readonly<Record<AlertLevel, number>> = { attention: 0, urgent: 1, emergency: 2 };

/** True when `level` is graver than `than`. */
export function isGraver(level: AlertLevel, than: AlertLevel): boolean {
  return RANK[level] > RANK[than];
}

/** The state after one more event. The first event is `raised`, and `raised` comes never again. */
export function evolve(alert: Alert | null, event: AlertEvent): Alert {
  if (event.type === "raised") {
    const { at: raisedAt, level: first, reason: why } = event;
    return {
      status: "raised",
      level: first,
      reason: why,
      raisedAt,
      changedAt: raisedAt,
      since: raisedAt,
      snoozedUntil: null,
      owner: null,
      tier: 0,
      easedAt: null,
    };
  }
  const before = { ...(alert as Alert), changedAt: event.at };
  const stands = (status: AlertStatus): Alert => ({ ...before, status, since: event.at, snoozedUntil: null });
  switch (event.type) {
    case "worsened":
      return { ...before, level: event.level, reason: event.reason, easedAt: null };
    case "eased":
      return { ...before, easedAt: event.at };
    case "returned":
      return { ...before, easedAt: null };
    case "acknowledged":
      return { ...stands("acknowledged"), owner: event.by };
    case "snoozed":
      return { ...stands("snoozed"), owner: event.by, snoozedUntil: event.until };
    case "woken":
      return { ...stands("raised"), owner: null };
    case "escalated":
      return { ...stands("escalated"), owner: null, tier: event.tier };
    case "resolved":
      return stands("resolved");
  }
}

/** The state that a history adds up to; null for none. */
export function replayAlert(events: readonly AlertEvent[]): Alert | null {
  return events.reduce<Alert | null>(evolve, null);
}
