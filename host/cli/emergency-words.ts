import type { KnownNotice, PendingEmergency } from "../client/index.ts";
import { type Colours, groups } from "./output.ts";

/** A moment for people: the day and the minute, in UTC as everywhere in this program. */
export function minuteOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** What a notice says to the one it is for. */
export function noticeText({ kind, who, reason, until }: KnownNotice, colours: Colours): string {
  const name = colours.bold(who ?? "somebody");
  const because = reason === null ? "" : `: "${reason}"`;
  const end = until === null ? "" : `, until ${minuteOf(until)} at the latest`;
  switch (kind) {
    case "emergency.requested":
      return colours.yellow(`${name} asks your trustees to open your medical data${because}${end}.`);
    case "emergency.approved":
      return colours.yellow(`${name}, your trustee, has agreed to it.`);
    case "emergency.approval-withdrawn":
      return `${name}, your trustee, has taken the agreement back.`;
    case "emergency.opened":
      return colours.red(`Your medical data are OPEN to ${name}${because}${end}.`);
    case "emergency.ended":
      return colours.green("The emergency is over; nothing more is given out. What was read stays read.");
    case "emergency.approval-needed":
      return colours.yellow(`${name} needs you as a trustee${because}${end}.`);
    default:
      return `${kind}${who === null ? "" : ` by ${name}`}${because}${end}`;
  }
}

/** What a trustee has to know before agreeing: all of it as the requester signed it. */
export function requestText(
  { emergency, request, requesterFingerprint, own, approved }: PendingEmergency,
  now: number,
  colours: Colours,
): string {
  const { bold, dim, yellow, red, green } = colours;
  const live = emergency.approvers.filter(({ expiresAt }) => expiresAt > now || emergency.openedAt !== null);
  const minutes = Math.max(0, Math.ceil((request.until - now) / 60_000));
  const count = emergency.epochIds.length;
  const state =
    emergency.phase === "open"
      ? red("open")
      : emergency.phase === "ended"
        ? green("over")
        : yellow(`${live.length} of ${emergency.needed} approvals`);
  return [
    `${bold(emergency.requester.handle)} for patient ${bold(request.patient)}  ${state}${own ? dim("  (your own request)") : ""}`,
    `  reason       "${request.reason}"`,
    `  opens        all medical readings under the ${count === 1 ? "newest key" : `${count} newest keys`}: earlier ones and those to come`,
    `  until        ${minuteOf(request.until)}, ${minutes} minutes from now`,
    `  fingerprint  ${groups(requesterFingerprint)}`,
    `  approved by  ${live.length === 0 ? "nobody yet" : live.map(({ handle }) => handle).join(", ")}${approved ? dim("  (you are among them)") : ""}`,
    dim(`  id           ${emergency.emergencyId}`),
  ].join("\n");
}
