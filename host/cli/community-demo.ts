import type { Command } from "commander";
import { type CommunityMember, nameOf, type Partner } from "../client/index.ts";
import { TRUST_EPOCH_MS } from "../trust/index.ts";
import { newCommand, outputOf } from "./command.ts";
import type { DemoCommunity } from "./community-demo-world.ts";
import { reportText, trustBar } from "./community-words.ts";
import type { Output } from "./output.ts";

const OPENING_QUESTIONS = [
  "How long have you lived with it?",
  "What helped you most in the first year?",
  "What do you do on a bad day?",
];
const KIND_ANSWERS = [
  "Eleven years. It got easier.",
  "Writing down what I ate, for a month.",
  "A walk, however short. And I call my sister.",
];
/** SNOMED CT: type 2 diabetes, hypertension, asthma. */
const DIABETES = "44054006";
const HYPERTENSION = "38341003";
const ASTHMA = "195967001";

const QUESTION = "Does metformin upset your stomach in the mornings as well?";
const ANSWER = "It did. Taking it with food helped within a week.";
const BAD_ADVICE = "Just stop taking it. Doctors know nothing.";
/** Trust is well above the threshold by the eighth week; more would mean that something is wrong. */
const MOST_WEEKS = 12;
/** They go on until a quiet week would not shut the gate: what was seen fades. */
const MARGIN = 0.05;

interface Cast {
  readonly ada: CommunityMember;
  readonly ben: CommunityMember;
  readonly cleo: CommunityMember;
  readonly heron: CommunityMember;
}

/** One opening question and its answer, rated. */
async function opening(
  asker: CommunityMember,
  answerer: CommunityMember,
  week: number,
  good = true,
): Promise<void> {
  const question = week % OPENING_QUESTIONS.length;
  const exchange = await asker.open(answerer.pseudonym, question);
  await answerer.visit();
  await answerer.answer(exchange, good ? (KIND_ANSWERS[question] as string) : "None of your business.");
  await asker.visit();
  await asker.rate(exchange, good);
}

async function compared(one: CommunityMember, other: CommunityMember): Promise<void> {
  await one.compare(other.pseudonym);
  await other.visit();
  await one.visit();
  await other.visit();
}

async function seenBy(member: CommunityMember, partner: CommunityMember): Promise<Partner> {
  const found = (await member.partners()).find(({ pseudonym }) => pseudonym === partner.pseudonym);
  return found as Partner;
}

/** Tells the story; every line of it was done through the running services. */
async function tell(world: DemoCommunity, output: Output): Promise<void> {
  const { bold, dim, green, red, yellow, cyan } = output.colours;
  const { clock } = world;
  const chapter = (text: string) => output.heading(`\n  ${bold(text)}`);
  const line = (event: string, data: object, text: string) => output.result({ event, ...data }, `  ${text}`);

  chapter("A doctor admits four people; each gets a name that is theirs here and nowhere else");
  const cast: Cast = {
    ada: await world.join("record 1", [DIABETES, HYPERTENSION]),
    ben: await world.join("record 2", [DIABETES, HYPERTENSION]),
    cleo: await world.join("record 3", [DIABETES, ASTHMA]),
    heron: await world.join("Dr. Heron", [DIABETES], "clinician"),
  };
  const { ada, ben, cleo, heron } = cast;
  const names: Readonly<Record<string, string>> = {
    Ada: nameOf(ada.pseudonym),
    Ben: nameOf(ben.pseudonym),
    Cleo: nameOf(cleo.pseudonym),
    "Dr. Heron": nameOf(heron.pseudonym),
  };
  line(
    "admitted",
    { names },
    Object.entries(names)
      .map(([who, name]) => `${who} ${dim("is")} ${cyan(name)}`)
      .join(dim(", ")),
  );

  chapter("They find each other: how many conditions two have in common, and not which");
  await compared(ada, ben);
  await compared(ada, cleo);
  for (const [who, partner] of [
    ["Ben", ben],
    ["Cleo", cleo],
  ] as const) {
    const { overlap } = await seenBy(ada, partner);
    line(
      "compared",
      { with: who, overlap },
      `Ada and ${who}: ${overlap?.common} of ${overlap?.mine} and ${overlap?.theirs}`,
    );
  }
  const refused = (await ada.agree(ben.pseudonym, 90).catch((error) => error)) as Error;
  line(
    "refused",
    { text: refused.message },
    `Alike is not trusted.  ${yellow(refused.message.replace(/^[^:]*: /, ""))}`,
  );

  chapter("Weeks go by with questions of the community's own, which tell nothing of who asks");
  const pairs = [
    [ada, ben],
    [ben, ada],
    [ada, cleo],
    [cleo, ada],
  ] as const;
  for (let week = 0; week < MOST_WEEKS; week++) {
    for (const patient of [ada, ben, cleo]) {
      await opening(heron, patient, week);
    }
    for (const [one, other] of pairs) {
      await opening(one, other, week);
    }
    const { decision } = await seenBy(ada, ben);
    line(
      "week",
      { week: week + 1, bound: decision.bound, threshold: decision.threshold },
      `week ${String(week + 1).padStart(2)}  Ada trusts Ben ${trustBar(decision.bound, decision.threshold, output.colours)}`,
    );
    if (await allOpen(pairs)) {
      break;
    }
    clock.advance(TRUST_EPOCH_MS);
  }

  chapter("The gate is open; and both agree");
  for (const [one, other] of pairs) {
    await one.agree(other.pseudonym, 90);
    await other.visit();
  }
  const { decision: shared } = await seenBy(ada, ben);
  line("agreed", { decision: shared }, shared.share ? green(shared.text) : yellow(shared.text));
  await converse(world, cast, output);

  chapter("Ben starts lying: to Ada, and about Cleo");
  clock.advance(TRUST_EPOCH_MS);
  await ada.visit();
  const asked = (await ada.ask("And in the evenings?", { partners: [ben.pseudonym] })).sent[0]
    ?.exchange as string;
  await ben.visit();
  await opening(ben, cleo, 1, false);
  await ben.answer(asked, BAD_ADVICE);
  await ada.visit();
  line("lie", { text: BAD_ADVICE }, `Ben answers: ${red(`"${BAD_ADVICE}"`)}`);
  let { closed } = await ada.rate(asked, false);
  for (let week = 0; closed.length === 0 && week < MOST_WEEKS; week++) {
    clock.advance(TRUST_EPOCH_MS);
    await ada.visit();
    const again = await ada.open(ben.pseudonym, 0);
    await ben.visit();
    await ben.answer(again, "None of your business.");
    await ada.visit();
    ({ closed } = await ada.rate(again, false));
  }
  const { decision } = await seenBy(ada, ben);
  line(
    "closed",
    { decision: closed[0]?.decision },
    `Ada rates it bad      ${trustBar(decision.bound, decision.threshold, output.colours)}`,
  );
  line("decision", { text: closed[0]?.decision.text }, red(closed[0]?.decision.text ?? ""));
  await ben.visit();
  const held = (await ben.ask("Ada?", { partners: [ada.pseudonym] }).catch((error) => error)) as Error;
  line(
    "held",
    { text: held.message },
    `Ben writes to Ada     ${yellow(held.message.replace(/^[^:]*: /, ""))}`,
  );
  // Ada's own exchange with Cleo shows what Ben's word about her was worth.
  clock.advance(TRUST_EPOCH_MS);
  await opening(ada, cleo, 2);
  const { decision: still } = await seenBy(ada, cleo);
  line(
    "witness",
    { decision: still },
    `Ada and Cleo          ${trustBar(still.bound, still.threshold, output.colours)}  ${dim(`of ${still.witnesses} witnesses ${still.discounted} discounted`)}`,
  );
  await moderated(world, cast, asked, output);

  chapter("Ada's own book, newest first (medcloudlet community decisions)");
  for (const kept of ada.decisions(ben.pseudonym).slice(0, 4)) {
    line(
      "kept",
      kept,
      `${dim(`${String(kept.number).padStart(3)} ${kept.occasion.padEnd(26)}`)} ${kept.share ? green(kept.text) : yellow(kept.text)}`,
    );
  }
}

/** Whether nothing but an agreement is missing between these. */
async function allOpen(pairs: readonly (readonly [CommunityMember, CommunityMember])[]): Promise<boolean> {
  for (const [one, other] of pairs) {
    await one.visit();
    const { reason, bound, threshold } = (await seenBy(one, other)).decision;
    if (reason !== "CONSENT_MISSING" || bound < threshold + MARGIN) {
      return false;
    }
  }
  return true;
}

async function converse(world: DemoCommunity, { ada, ben }: Cast, output: Output): Promise<void> {
  const { dim, green } = output.colours;
  const { sent } = await ada.ask(QUESTION);
  output.result(
    { event: "asked", to: sent.map(({ partner }) => nameOf(partner)) },
    `  Ada asks ${dim(`(sealed to ${sent.map(({ partner }) => nameOf(partner)).join(" and ")}, and to nobody else)`)}: "${QUESTION}"`,
  );
  await ben.visit();
  const exchange = sent.find(({ partner }) => partner === ben.pseudonym)?.exchange as string;
  const shown = ben.exchanges().find((kept) => kept.exchange === exchange);
  await ben.answer(exchange, ANSWER);
  await ada.visit();
  const answered = ada.exchanges().find((kept) => kept.exchange === exchange);
  output.result(
    { event: "answered", text: answered?.answer?.text, shownTo: world.community.community },
    `  Ben reads it ${dim(`(who asks? ${nameOf(shown?.partner ?? "")}, no more)`)} and answers: ${green(`"${answered?.answer?.text}"`)}`,
  );
  await ada.rate(exchange, true);
}

async function moderated(
  world: DemoCommunity,
  { ada, ben }: Cast,
  exchange: string,
  output: Output,
): Promise<void> {
  output.heading(
    `\n  ${output.colours.bold("Ada reports it; the moderator sees that message and no other")}`,
  );
  const report = await ada.report(exchange);
  const moderator = await world.moderate();
  const day = 24 * 60 * 60 * 1000;
  await moderator.decide(report, {
    action: "suspend",
    reason: "harmful-advice",
    until: world.clock.now() + 30 * day,
    note: "Telling somebody to stop a medicine is dangerous.",
  });
  const shown = await moderator.show(report);
  output.result({ event: "reported", ...shown }, reportText(shown, output.colours));
  await ben.visit();
  const [action] = ben.moderation();
  output.result(
    { event: "told", action },
    `  Ben is told: ${action?.action} (${action?.reason}) "${action?.note}"`,
  );
}

/** `medcloudlet community demo`: two patients find each other, one of them starts lying, and the gate closes. */
export function communityDemo(): Command {
  return newCommand(
    "demo",
    "watch two patients find each other, one of them start lying, and the gate close",
  ).action(async (options: { json?: true }) => {
    const output = outputOf(options);
    // A KDC, a cloud and a cloudlet: nothing that other commands of communities should wait for.
    const { startDemoCommunity } = await import("./community-demo-world.ts");
    const world = await startDemoCommunity({
      title: "Living with type 2 diabetes",
      openingQuestions: OPENING_QUESTIONS,
      onStep: (text) => output.note(`  ${text} …`),
    });
    try {
      await tell(world, output);
      output.heading(
        output.colours.dim(
          "\n  All of it went over HTTP through a KDC, a cloud and a cloudlet in this process, weeks by a moved clock.\n" +
            "  The cloudlet passed it on and could read none of it. Try it yourself: docs/COMMUNITY.md",
        ),
      );
    } finally {
      await world.close();
    }
  });
}
