import type { Alert, AlertEvent } from "../../analytics/index.ts";
import { dateText } from "../format.ts";
import { TEXTS } from "../texts/index.ts";

const text = TEXTS.alerts;

/** Where an alert stands. */
export function statusText({ status, tier, owner, snoozedUntil, easedAt }: Alert): string {
  const words =
    status === "escalated"
      ? text.status.escalated(tier)
      : status === "acknowledged"
        ? text.status.acknowledged(owner ?? "")
        : status === "snoozed"
          ? text.status.snoozed(dateText(snoozedUntil ?? 0))
          : text.status[status];
  return easedAt === null || status === "resolved" ? words : `${words} · ${text.status.wellNow}`;
}

/** Why it was raised; a score has moved on since, and the badge above says the one of now. */
export function reasonText(
  kind: string,
  { reason, events }: { readonly reason: string; readonly events: readonly AlertEvent[] },
): string {
  if (kind !== "news2") {
    return reason;
  }
  return events.some(({ type }) => type === "worsened") ? text.whenWorsened(reason) : text.whenRaised(reason);
}

/** What happened to an alert. */
export function eventText(event: AlertEvent): string {
  const words = text.events;
  switch (event.type) {
    case "raised":
    case "worsened":
      return `${words[event.type]}: ${text.level[event.level]}, ${event.reason}`;
    case "acknowledged":
      return words.acknowledged(event.by);
    case "snoozed":
      return words.snoozed(event.by, dateText(event.until));
    case "escalated":
      return words.escalated(event.tier, words[event.cause]);
    case "resolved":
      return `${words.resolved(event.by)}: ${event.reason}`;
    default:
      return words[event.type];
  }
}
