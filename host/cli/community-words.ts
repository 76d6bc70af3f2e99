import {
  type KeptDecision,
  type KeptExchange,
  type ModeratorAction,
  nameOf,
  type Partner,
  type ReportedMessage,
} from "../client/index.ts";
import { type Colours, minuteOf } from "./output.ts";
import { printable } from "./record-text.ts";

const BAR_WIDTH = 20;

/** Trust as a bar with the threshold in it: `█████████▏····│······ 0.44 of 0.70`. */
export function trustBar(bound: number, threshold: number, colours: Colours): string {
  const filled = Math.round(bound * BAR_WIDTH);
  const mark = Math.min(BAR_WIDTH - 1, Math.round(threshold * BAR_WIDTH));
  const passes = bound >= threshold;
  const colour = passes ? colours.green : colours.yellow;
  const cells = Array.from({ length: BAR_WIDTH }, (_, i) =>
    i === mark ? colours.bold("│") : i < filled ? colour("█") : colours.dim("·"),
  ).join("");
  // Rounded down: nobody shall read 0.70 where it is a hair less.
  const shown = (Math.floor(bound * 100 + 1e-9) / 100).toFixed(2);
  return `${cells} ${passes ? colours.green(shown) : shown} of ${threshold.toFixed(2)}`;
}

/** The short form of an id, for people to type. */
export const short = (id: string) => id.slice(0, 8);

function agreementOf({ agreed }: Partner, colours: Colours): string {
  if (agreed.mine && agreed.theirs) {
    return colours.green("you both agreed to exchange");
  }
  if (agreed.mine) {
    return "you agreed; they have not yet";
  }
  return agreed.theirs ? colours.yellow("they agreed and wait for you") : "no agreement";
}

/** What to do next with a partner: one line, where there is something. */
function nextStep(partner: Partner): string | null {
  const name = nameOf(partner.pseudonym);
  if (!partner.valid) {
    return null;
  }
  if (partner.overlap === null) {
    return `medcloudlet community compare ${name}`;
  }
  switch (partner.decision.reason) {
    case "TOO_UNCERTAIN":
    case "BELOW_THRESHOLD":
      return `medcloudlet community opening ${name}`;
    case "CONSENT_MISSING":
      return partner.agreed.mine ? null : `medcloudlet community agree ${name}`;
    case "SHARE":
      return `medcloudlet community ask --to ${name}`;
    default:
      return null;
  }
}

/** A partner in a few lines. */
export function partnerText(partner: Partner, colours: Colours): string {
  const { bold, dim, cyan, red } = colours;
  const { pseudonym, standing, overlap, decision, card } = partner;
  const who = [
    bold(nameOf(pseudonym)),
    standing === "clinician" ? cyan("clinician") : "",
    card === null
      ? ""
      : `says to be ${cyan(printable(card.name === "" ? card.handle : `${card.name} (${card.handle})`))}`,
    partner.valid ? "" : red("credential is over"),
    partner.suspendedUntil === null ? "" : red(`suspended until ${minuteOf(partner.suspendedUntil)}`),
  ].filter((part) => part !== "");
  const common =
    overlap === null
      ? "not compared yet"
      : `${overlap.common} of your ${overlap.mine} and their ${overlap.theirs} conditions in common`;
  const next = nextStep(partner);
  return [
    `  ${who.join("  ")}`,
    `    trust    ${trustBar(decision.bound, decision.threshold, colours)}`,
    `    overlap  ${common}`,
    `    between  ${agreementOf(partner, colours)}`,
    `    gate     ${overlap === null && partner.valid ? "Not shared: you have not compared yet." : decision.share ? colours.green(decision.text) : decision.text}`,
    ...(next === null ? [] : [dim(`    next     ${next}`)]),
  ].join("\n");
}

const TROUBLE: Readonly<Record<string, string>> = {
  MESSAGE_HELD: "the relay holds it until you have both agreed",
  MESSAGE_REMOVED: "a moderator removed it",
  MESSAGE_GONE: "the relay no longer has it",
  MESSAGE_COMMITMENT: "not shown: it is not what its sender signed",
  SEALED_OPEN_FAILED: "it was not sealed to you and cannot be opened",
  EXCHANGE_MISMATCH: "not shown: it does not fit the exchange it came in",
  STATEMENT_INVALID: "not shown: its signature is not its sender's",
};

/** What waits to be done with an exchange; null where nothing does. */
export function dueOf(exchange: KeptExchange): string | null {
  const id = short(exchange.exchange);
  if (!exchange.mine && exchange.state === "waiting" && exchange.question !== null) {
    return `medcloudlet community answer ${id}`;
  }
  if (exchange.mine && exchange.state === "answered" && exchange.good === null) {
    return `medcloudlet community rate ${id} good|bad`;
  }
  return null;
}

/** An exchange as a conversation. */
export function exchangeText(exchange: KeptExchange, colours: Colours): string {
  const { bold, dim, green, red, yellow, cyan } = colours;
  const { mine, kind, question, answer, state, good } = exchange;
  const partner = nameOf(exchange.partner);
  const them = (card: { handle: string; name: string } | null | undefined) =>
    card == null
      ? bold(partner)
      : `${bold(partner)} ${cyan(`(${printable(card.name === "" ? card.handle : card.name)})`)}`;
  const asked = mine ? `you asked ${bold(partner)}` : `${them(question?.card)} asks`;
  const answered = mine ? `${them(answer?.card)} answers` : "you answered";
  const due = dueOf(exchange);
  const trouble =
    exchange.trouble === null ? null : (TROUBLE[exchange.trouble] ?? `not shown [${exchange.trouble}]`);
  return [
    `  ${dim(short(exchange.exchange))}  ${dim(minuteOf(exchange.at))}  ${kind === "opening" ? dim("opening question") : ""}`.trimEnd(),
    `    ${asked}: ${question === null ? dim(trouble ?? "…") : printable(question.text)}`,
    ...(answer === null ? [] : [`    ${answered}: ${printable(answer.text)}`]),
    ...(answer === null && mine && state === "answered" && trouble !== null
      ? [dim(`    answered, but ${trouble}`)]
      : []),
    ...(state === "declined" ? [dim(`    ${mine ? partner : "you"} declined`)] : []),
    ...(state === "waiting" && mine ? [dim("    no answer yet")] : []),
    ...(good === null ? [] : [`    ${good ? green("you called it good") : red("you called it bad")}`]),
    ...(exchange.reported === null ? [] : [yellow("    reported to the moderators")]),
    ...(due === null ? [] : [dim(`    next: ${due}`)]),
  ].join("\n");
}

/** A decision of one's own gate. */
export function decisionText(decision: KeptDecision, colours: Colours): string {
  const { bold, dim, green, yellow } = colours;
  const { number, at, partner, occasion, share, bound, threshold, text, similarity, uncertainty } = decision;
  return [
    `  ${dim(`${String(number).padStart(4)}  ${minuteOf(at)}`)}  ${bold(nameOf(partner))}  ${dim(occasion)}`,
    `        ${trustBar(bound, threshold, colours)}  ${dim(`similarity ${similarity.toFixed(2)}, uncertainty ${uncertainty.toFixed(2)}`)}`,
    `        ${share ? green(text) : yellow(text)}`,
  ].join("\n");
}

const ACTIONS: Readonly<Record<ModeratorAction["action"], string>> = {
  dismiss: "found nothing against the rules",
  warn: "warned",
  remove: "removed the message",
  suspend: "suspended",
  lift: "lifted the suspension",
};

/** What moderators decided, to the one it concerns. */
export function moderationText(action: ModeratorAction, colours: Colours): string {
  const { bold, dim, red } = colours;
  const whom =
    action.role === "sender"
      ? red(`Your ${action.message} was reported. The moderators: ${ACTIONS[action.action]}`)
      : `You reported a message. The moderators: ${bold(ACTIONS[action.action])}`;
  const until = action.until === null ? "" : ` until ${minuteOf(action.until)}`;
  return [
    `  ${dim(`${short(action.report)}  ${minuteOf(action.at)}`)}  ${whom}${until} (${action.reason})`,
    ...(action.note === null ? [] : [`    "${printable(action.note)}"`]),
    ...(action.role === "sender" && action.action !== "lift" && action.action !== "dismiss"
      ? [dim(`    next: medcloudlet community appeal ${short(action.report)}`)]
      : []),
  ].join("\n");
}

/** A report as a moderator reads it. */
export function reportText(shown: ReportedMessage, colours: Colours): string {
  const { bold, dim, red, yellow } = colours;
  const words =
    shown.text !== null
      ? `"${printable(shown.text)}"`
      : red(
          shown.trouble === "NOT_FOR_YOU"
            ? "This report was not sealed to you: you became a moderator later."
            : "The report proves nothing: what it shows was not sent by this member.",
        );
  return [
    `  ${bold(short(shown.report))}  ${dim(minuteOf(shown.reportedAt))}  ${nameOf(shown.reporter)} reports ${shown.message === "answer" ? "an answer" : "a question"} of ${bold(nameOf(shown.sender))}`,
    `    ${words}`,
    ...shown.decisions.map(({ action, reason, at, until }) =>
      dim(
        `    ${minuteOf(at)}: ${ACTIONS[action]}${until === null ? "" : ` until ${minuteOf(until)}`} (${reason})`,
      ),
    ),
    ...(shown.appeal === null ? [] : [yellow(`    appeal: "${printable(shown.appeal)}"`)]),
  ].join("\n");
}
