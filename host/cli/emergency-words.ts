import type { KnownNotice, PendingEmergency } from "../client/index.ts";
import { type Colours, groups, minuteOf } from "./output.ts";

/** What account events are called; they come as notices, too. */
const ACCOUNT_WORDS: Readonly<Record<string, string>> = {
  "password-changed": "The password of your account was changed.",
  "second-factor-enrolled": "A second factor was enrolled for your account.",
  "second-factor-reset-requested": "An operator asks to take your second factor away.",
  "second-factor-reset": "Your second factor was taken away.",
  "recovery-code-set": "A recovery code was made for your account.",
  "guardians-set": "Guardians were chosen for your account.",
  "guardians-withdrawn": "Your account has no guardians any more.",
  "recovery-requested": "Somebody asks your guardians to recover your account.",
  "recovery-share-given": "A guardian gave a share for the recovery of your account.",
  recovered: "Your account was recovered.",
  "recovery-failed": "Somebody tried to recover your account and failed.",
  suspended: "Your account was closed by a security officer.",
  "suspension-lifted": "Your account was opened again by a security officer.",
};

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
    case "emergency.stopped":
      return colours.green(`${name}, a security officer, has ended the emergency${because}.`);
    case "emergency.called":
      return colours.yellow(`Your wearable has called for help${because}${end}.`);
    case "emergency.call-yours":
      return colours.red(`The wearable of ${name} called; the request is in your name${because}${end}.`);
    case "emergency.call-on-duty":
      return colours.yellow(
        `The wearable of ${name} called; a colleague on duty has the request${because}${end}.`,
      );
    case "emergency.approval-needed":
      return colours.yellow(`${name} needs you as a trustee${because}${end}.`);
    default:
      if (kind.startsWith("account.")) {
        const words = ACCOUNT_WORDS[kind.slice("account.".length)];
        if (words !== undefined) {
          return `${words} Was it not you? See medcloudlet account events.`;
        }
      }
      return `${kind}${who === null ? "" : ` by ${name}`}${because}${end}`;
  }
}

/** What a trustee has to know before agreeing: all of it as the requester signed it. */
export function requestText(
  { emergency, request, requesterFingerprint, device, own, approved }: PendingEmergency,
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
    ...(device === null
      ? []
      : [`  called by    the patient's own wearable ${device.slice(0, 8)}, which signed the call`]),
    `  opens        all medical readings under the ${count === 1 ? "newest key" : `${count} newest keys`}: earlier ones and those to come`,
    `  until        ${minuteOf(request.until)}${emergency.phase === "ended" ? "" : `, ${minutes} minutes from now`}`,
    `  fingerprint  ${groups(requesterFingerprint)}`,
    `  approved by  ${live.length === 0 ? "nobody yet" : live.map(({ handle }) => handle).join(", ")}${approved ? dim("  (you are among them)") : ""}`,
    dim(`  id           ${emergency.emergencyId}`),
  ].join("\n");
}
