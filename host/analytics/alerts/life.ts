import { MedcloudletError } from "../../base/index.ts";
import { type Alert, type AlertEvent, type AlertLevel, evolve, isGraver, replayAlert } from "./events.ts";

/** Times that the life of an alert keeps to, all in ms. */
export interface AlertPolicy {
  /** How long an alert may go unanswered before it is escalated, and escalated again. */
  readonly answerWithin: Readonly<Record<AlertLevel, number>>;
  /** The longest snooze. */
  readonly longestSnooze: Readonly<Record<AlertLevel, number>>;
  /** After so long of good readings an alert that somebody has seen, or a mild one, resolves itself. */
  readonly wellFor: number;
  /** No escalation beyond this tier. */
  readonly highestTier: number;
}

const MINUTE = 60_000;

/** Ours; a ward sets its own. */
export const ALERT_POLICY: AlertPolicy = {
  answerWithin: { attention: 60 * MINUTE, urgent: 15 * MINUTE, emergency: 5 * MINUTE },
  longestSnooze: { attention: 8 * 60 * MINUTE, urgent: 60 * MINUTE, emergency: 15 * MINUTE },
  wellFor: 30 * MINUTE,
  highestTier: 3,
};

/** What somebody, the readings or the clock wants of an alert. `at` is ms since 1970 UTC. */
export type AlertCommand =
  /** What the readings show now; null when they no longer show it. */
  | {
      readonly type: "observe";
      readonly at: number;
      readonly level: AlertLevel | null;
      readonly reason: string;
    }
  /** Only lets time pass. */
  | { readonly type: "tick"; readonly at: number }
  | { readonly type: "acknowledge"; readonly at: number; readonly by: string }
  | { readonly type: "snooze"; readonly at: number; readonly by: string; readonly until: number }
  | { readonly type: "resolve"; readonly at: number; readonly by: string; readonly reason: string };

/**
 * What a command makes happen, as events; none where it changes nothing. Pure: the same history and command give the
 * same events, and the history replayed gives the same state.
 *
 * The rules:
 * - Time comes first. Whatever fell due before a command (a snooze ending, an escalation, a resolution) happens
 *   before it, at the moment it was due, however late the command comes and however seldom the clock was looked at. So an
 *   escalation cannot be lost by nobody asking.
 * - A snooze keeps silent through new readings of the same level or a milder one, and through readings that become well
 *   and bad again. A graver level than the alert has ever had breaks it: the alert is escalated at once. A snooze has a
 *   longest time for each level; the gravest level cannot be broken, so its time is short.
 * - An alert that nobody answers is escalated, tier by tier, also when its readings have become well meanwhile: somebody
 *   has to look. Only a person ends an escalation, by acknowledging or resolving; it cannot be snoozed away before.
 * - An acknowledged alert that becomes graver is escalated.
 * - Readings that stay well for `wellFor` resolve an alert that is acknowledged or snoozed, and a mild one that is only
 *   raised.
 * - Nothing leaves `resolved`. What is found afterwards is a new alert.
 *
 * A clock that goes backwards counts as standing still.
 *
 * @param alert null before the first finding; then only `observe` with a level begins a life
 * @throws MedcloudletError `ALERT_RESOLVED` (409), `ALERT_NOT_RAISED` (404), `ALERT_ESCALATED` (409: acknowledge first),
 *   `ALERT_SNOOZE_INVALID` (422: until is past, or further than the policy allows)
 */
export function decide(
  alert: Alert | null,
  command: AlertCommand,
  policy: AlertPolicy = ALERT_POLICY,
): AlertEvent[] {
  if (alert === null) {
    return begin(command);
  }
  const at = Math.max(command.at, alert.changedAt);
  const due = happened(alert, at, policy);
  const now = due.reduce<Alert>(evolve, alert);
  return [...due, ...answer(now, { ...command, at }, policy)];
}

/** The alert after a command, with the events that led there. @throws as `decide` */
export function advance(
  events: readonly AlertEvent[],
  command: AlertCommand,
  policy: AlertPolicy = ALERT_POLICY,
): {
  readonly alert: Alert | null;
  readonly events: readonly AlertEvent[];
  readonly added: readonly AlertEvent[];
} {
  const before = replayAlert(events);
  const added = decide(before, command, policy);
  return { alert: added.reduce(evolve, before), events: [...events, ...added], added };
}

function begin(command: AlertCommand): AlertEvent[] {
  if (command.type === "observe") {
    const { at, level, reason } = command;
    return level === null ? [] : [{ type: "raised", at, level, reason }];
  }
  if (command.type === "tick") {
    return [];
  }
  throw new MedcloudletError("ALERT_NOT_RAISED", "There is no such alert: list them with `doctor alerts`.", {
    status: 404,
  });
}

/** What time alone brought about until `at`, each at its moment. */
function happened(alert: Alert, at: number, policy: AlertPolicy): AlertEvent[] {
  const events: AlertEvent[] = [];
  let now = alert;
  for (let next = nextDue(now, policy); next !== null && next.at <= at; next = nextDue(now, policy)) {
    events.push(next);
    now = evolve(now, next);
  }
  return events;
}

/** What falls due next, if no person and no reading comes in between. */
function nextDue(alert: Alert, policy: AlertPolicy): AlertEvent | null {
  if (alert.status === "resolved") {
    return null;
  }
  const candidates: AlertEvent[] = [];
  const { status, level, easedAt, snoozedUntil, tier, since } = alert;
  const unanswered = status === "raised" || status === "escalated";
  if (unanswered && tier < policy.highestTier) {
    const at = since + policy.answerWithin[level];
    candidates.push({ type: "escalated", at, tier: tier + 1, cause: "unanswered" });
  }
  const resolvable =
    status === "acknowledged" || status === "snoozed" || (status === "raised" && level === "attention");
  if (easedAt !== null && resolvable) {
    const at = Math.max(easedAt + policy.wellFor, since);
    candidates.push({ type: "resolved", at, by: null, reason: "the readings have been well" });
  }
  if (snoozedUntil !== null) {
    candidates.push({ type: "woken", at: snoozedUntil });
  }
  // An alert that became graver has less time from then on: what is overdue by that is due now, not in the past.
  const soonest = candidates.sort((a, b) => a.at - b.at)[0];
  return soonest === undefined ? null : { ...soonest, at: Math.max(soonest.at, alert.changedAt) };
}

function answer(alert: Alert, command: AlertCommand, policy: AlertPolicy): AlertEvent[] {
  if (command.type === "tick") {
    return [];
  }
  if (command.type === "observe") {
    return observed(alert, command, policy);
  }
  if (alert.status === "resolved") {
    throw new MedcloudletError(
      "ALERT_RESOLVED",
      "The alert is resolved and stays so; a new finding is a new alert.",
      { status: 409 },
    );
  }
  const { at, by } = command;
  switch (command.type) {
    case "acknowledge":
      return alert.status === "acknowledged" && alert.owner === by ? [] : [{ type: "acknowledged", at, by }];
    case "resolve":
      return [{ type: "resolved", at, by, reason: command.reason }];
    case "snooze":
      requireSnooze(alert, command, policy);
      return [{ type: "snoozed", at, by, until: command.until }];
  }
}

function observed(
  alert: Alert,
  { at, level, reason }: Extract<AlertCommand, { type: "observe" }>,
  policy: AlertPolicy,
): AlertEvent[] {
  if (alert.status === "resolved") {
    return [];
  }
  if (level === null) {
    return alert.easedAt === null ? [{ type: "eased", at }] : [];
  }
  if (!isGraver(level, alert.level)) {
    return alert.easedAt === null ? [] : [{ type: "returned", at }];
  }
  const worsened: AlertEvent = { type: "worsened", at, level, reason };
  // Raised means that it calls already; what was quiet because somebody had seen it has to call again.
  return alert.status === "raised"
    ? [worsened]
    : [
        worsened,
        { type: "escalated", at, tier: Math.min(alert.tier + 1, policy.highestTier), cause: "worse" },
      ];
}

function requireSnooze(
  alert: Alert,
  { at, until }: Extract<AlertCommand, { type: "snooze" }>,
  policy: AlertPolicy,
): void {
  if (alert.status === "escalated") {
    throw new MedcloudletError(
      "ALERT_ESCALATED",
      "The alert was escalated: acknowledge it before you snooze it.",
      { status: 409 },
    );
  }
  const longest = policy.longestSnooze[alert.level];
  if (!(until > at && until <= at + longest)) {
    throw new MedcloudletError(
      "ALERT_SNOOZE_INVALID",
      `An alert of level ${alert.level} is snoozed for more than nothing and at most ${longest / MINUTE} minutes.`,
      { status: 422 },
    );
  }
}
