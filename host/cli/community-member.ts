import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { fromBase64Url, MedcloudletError } from "../base/index.ts";
import {
  applyTo,
  type Closing,
  createMemberKeys,
  joinCommunity,
  nameOf,
  newMemberState,
  openMemberKeys,
  type Partner,
} from "../client/index.ts";
import {
  asMember,
  chooseCommunity,
  choosePartner,
  communityFolder,
  fraction,
  type MemberOptions,
  memoryOf,
  openKeys,
  readMember,
  relayOf,
  withMember,
  withMemberFolder,
} from "./community-home.ts";
import {
  decisionText,
  dueOf,
  exchangeText,
  moderationText,
  partnerText,
  trustBar,
} from "./community-words.ts";
import { addressesOf, newCommand, outputOf, wholeNumber } from "./options.ts";
import type { Output } from "./output.ts";
import { writePrivateFile } from "./private-file.ts";

export function apply(): Command {
  return withMember(
    newCommand("apply", "make keys for a community and an application to hand to your doctor"),
  )
    .option("--out <file>", "where the application goes", "application.txt")
    .action(async (options: MemberOptions & { out: string }) => {
      const { toolkit, contents } = await openKeys(options);
      const addresses = await addressesOf(options as Parameters<typeof addressesOf>[0]);
      const relay = relayOf(toolkit, addresses.cloudlet);
      const { community: id, title } = await chooseCommunity(relay, options.community);
      let state = await readMember(contents, options.home, id);
      if (state === null) {
        const { secrets } = await createMemberKeys(toolkit.suite, toolkit.clock);
        state = newMemberState(await relay.community(id), secrets);
        await memoryOf(contents, options.home, id).keep(state);
      }
      const keys = await openMemberKeys(toolkit.suite, {
        signingSeed: fromBase64Url(state.signingSeed),
        receivingKey: fromBase64Url(state.receivingKey),
      });
      const out = resolve(options.out);
      await writePrivateFile(out, `${await applyTo(id, keys, toolkit.clock)}\n`);
      outputOf(options).result(
        { community: id, title, file: out },
        `Hand ${out} to your doctor: it asks to be let into "${title}" and names nobody.\n` +
          "They know you and your diagnoses, and give you an admission back. Then:\n" +
          "  medcloudlet community join ADMISSION-FILE",
      );
    });
}

export function joinCommand(): Command {
  return withMember(newCommand("join", "enter a community with the admission from your doctor"))
    .argument("<admission>", "the file your doctor gave you")
    .action(async (file: string, options: MemberOptions) => {
      const { toolkit, contents } = await openKeys(options);
      const admission = (await readFile(file, "utf8")).trim();
      const id = /"community"\s*:\s*"([0-9a-f]{32})"/.exec(admission)?.[1] ?? "";
      const state = id === "" ? null : await readMember(contents, options.home, id);
      if (state === null) {
        throw new MedcloudletError(
          "CLI_ADMISSION",
          `${file} is no answer to an application made here (${join(options.home, "community")}): apply first, or ` +
            "name the --home that applied.",
        );
      }
      const addresses = await addressesOf(options as Parameters<typeof addressesOf>[0]);
      const joined = await joinCommunity({
        ...toolkit,
        relay: relayOf(toolkit, addresses.cloudlet),
        state,
        memory: memoryOf(contents, options.home, id),
        admission,
      });
      const pseudonym = joined.admission?.pseudonym ?? "";
      const codes = joined.admission?.codes.length ?? 0;
      outputOf(options).result(
        { community: id, pseudonym, name: nameOf(pseudonym), codes },
        `You are in, as ${nameOf(pseudonym)}. Others see this name and nothing else of you; your ${codes} ` +
          `confirmed ${codes === 1 ? "diagnosis stays" : "diagnoses stay"} here.\n` +
          `What the community's server cannot give back lies in ${communityFolder(options.home, id)}: keep a copy.\n` +
          "Now find out who is like you: medcloudlet community compare",
      );
    });
}

const byTrust = (one: Partner, other: Partner) => other.decision.bound - one.decision.bound;

export function partners(): Command {
  return withMember(newCommand("partners", "who is here, how much you share, and how far you can trust them"))
    .argument("[partner]", "one of them")
    .action((name: string | undefined, options: MemberOptions) => {
      const output = outputOf(options);
      return asMember(options, output, async ({ member }) => {
        const all = (await member.partners()).sort(byTrust);
        const shown = name === undefined ? all : [choosePartner(all, name)];
        output.result(
          shown.map((partner) => ({ name: nameOf(partner.pseudonym), ...partner })),
          shown.length === 0
            ? "Nobody else is here yet."
            : [
                output.colours.dim(`  You are ${nameOf(member.pseudonym)}.`),
                ...shown.map((partner) => partnerText(partner, output.colours)),
              ].join("\n\n"),
        );
      });
    });
}

export function compare(): Command {
  return withMember(
    newCommand(
      "compare",
      "find out how many conditions you share with members; neither learns which others have",
    ),
  )
    .argument("[partner...]", "whom (default: everybody not compared yet)")
    .action((names: string[], options: MemberOptions) => {
      const output = outputOf(options);
      return asMember(options, output, async ({ member }) => {
        const all = await member.partners();
        const chosen =
          names.length > 0
            ? names.map((name) => choosePartner(all, name))
            : all.filter(({ overlap, standing }) => overlap === null && standing === "patient");
        const begun = [];
        for (const { pseudonym } of chosen) {
          begun.push({ name: nameOf(pseudonym), pseudonym, state: await member.compare(pseudonym) });
        }
        output.result(
          begun,
          begun.length === 0
            ? "You have compared with everybody here: see medcloudlet community partners."
            : `${begun
                .map(
                  ({ name, state }) =>
                    `  ${output.colours.bold(name)}  ${state === "begun" ? "asked" : "still to answer"}`,
                )
                .join(
                  "\n",
                )}\nTheir programs answer at their next visit; then: medcloudlet community partners`,
        );
      });
    });
}

export function agree(): Command {
  return withMember(
    newCommand("agree", "agree to exchange questions and answers with a partner who passes your gate"),
  )
    .argument("<partner>", "whom")
    .option("--days <days>", "for how long", wholeNumber(1, 365), 90)
    .option("--end", "take it back: nothing is passed on between you from now on")
    .action((name: string, options: MemberOptions & { days: number; end?: true }) => {
      const output = outputOf(options);
      return asMember(options, output, async ({ member }) => {
        const { pseudonym, agreed } = choosePartner(await member.partners(), name);
        const who = nameOf(pseudonym);
        if (options.end === true) {
          await member.withdraw(pseudonym);
          output.result({ pseudonym, name: who, agreed: false }, `The agreement with ${who} is over.`);
          return;
        }
        const decision = await member.agree(pseudonym, options.days);
        output.result(
          { pseudonym, name: who, agreed: true, theirs: agreed.theirs, decision },
          `${trustBar(decision.bound, decision.threshold, output.colours)}\n` +
            (agreed.theirs
              ? `You both agreed. Ask: medcloudlet community ask --to ${who}`
              : `You agreed. ${who} has to agree as well.`),
        );
      });
    });
}

export function opening(): Command {
  return withMember(
    newCommand(
      "opening",
      "ask a question of the community's own: it tells nothing of you and needs no trust",
    ),
  )
    .argument("[partner]", "whom (default: list the questions)")
    .option("--question <number>", "which, as listed", wholeNumber(1), 1)
    .action((name: string | undefined, options: MemberOptions & { question: number }) => {
      const output = outputOf(options);
      return asMember(options, output, async ({ member }) => {
        const { openingQuestions } = member.community;
        if (name === undefined) {
          output.result(
            openingQuestions,
            openingQuestions.map((question, i) => `  ${String(i + 1).padStart(2)}  ${question}`).join("\n"),
          );
          return;
        }
        const { pseudonym } = choosePartner(await member.partners(), name);
        const exchange = await member.open(pseudonym, options.question - 1);
        output.result(
          { exchange, pseudonym, name: nameOf(pseudonym) },
          `${nameOf(pseudonym)} is asked: ${openingQuestions[options.question - 1]}\n` +
            "The answer comes into your inbox. One such question a week is passed on to each member.",
        );
      });
    });
}

function say(closed: readonly Closing[], output: Output): string[] {
  return closed.map(({ partner, decision }) =>
    output.colours.red(`The gate has closed to ${nameOf(partner)}. ${decision.text}`),
  );
}

export function inbox(): Command {
  return withMember(
    newCommand("inbox", "fetch what came: questions, answers, agreements, words of the moderators"),
  )
    .option("--all", "everything that is kept, not only what waits")
    .action((options: MemberOptions & { all?: true }) => {
      const output = outputOf(options);
      return asMember(options, output, async ({ member, visit }) => {
        const { colours } = output;
        const all = member.exchanges();
        const waiting = all.filter((exchange) => dueOf(exchange) !== null);
        const shown = options.all === true ? all : waiting;
        const offers = (await member.partners()).filter(({ agreed }) => agreed.theirs && !agreed.mine);
        const acted = member.moderation();
        const lines = [
          ...shown.map((exchange) => exchangeText(exchange, colours)),
          ...offers.map(({ pseudonym }) => {
            const name = nameOf(pseudonym);
            return `  ${colours.bold(name)} agreed to exchange with you. Do you? medcloudlet community agree ${name}`;
          }),
          ...acted.map((action) => moderationText(action, colours)),
        ];
        output.result(
          {
            closed: visit.closed,
            exchanges: shown,
            offers: offers.map(({ pseudonym }) => pseudonym),
            moderation: acted,
          },
          lines.length === 0 ? "Nothing waits for you." : lines.join("\n\n"),
        );
      });
    });
}

export function rate(): Command {
  return withMember(
    newCommand("rate", "say whether an exchange was good: yours is one voice a week about each member"),
  )
    .argument("<exchange>", "the beginning of its id")
    .argument("<verdict>", "good or bad")
    .action((id: string, verdict: string, options: MemberOptions) => {
      if (verdict !== "good" && verdict !== "bad") {
        throw new MedcloudletError("CLI_VERDICT", `Say good or bad, not "${verdict}".`);
      }
      const output = outputOf(options);
      return asMember(options, output, async ({ member }) => {
        const { exchange, partner } = chooseExchange(member.exchanges(), id);
        const { told, closed } = await member.rate(exchange, verdict === "good");
        const now = (await member.partners()).find(({ pseudonym }) => pseudonym === partner);
        const shares = closed.flatMap((one) => [...member.sharesWith(one.partner)]);
        output.result(
          { exchange, good: verdict === "good", told, closed, decision: now?.decision ?? null, shares },
          [
            `${nameOf(partner)} now: ${now === undefined ? "" : trustBar(now.decision.bound, now.decision.threshold, output.colours)}`,
            told
              ? "The community can read your verdict, with the receipt of this exchange."
              : "Kept for yourself: your one voice about them in that week was given. For you the worst of a week counts.",
            ...say(closed, output),
            ...shares.map((consentId) =>
              output.colours.red(
                `They can still read what you share: medcloudlet keys revoke --consent ${consentId}`,
              ),
            ),
          ].join("\n"),
        );
      });
    });
}

/** One exchange by the beginning of its id. @throws MedcloudletError `CLI_EXCHANGE` */
export function chooseExchange<T extends { readonly exchange: string }>(all: readonly T[], id: string): T {
  const found = all.filter(({ exchange }) => exchange.startsWith(id.toLowerCase()));
  const [only, ...others] = found;
  if (only === undefined || others.length > 0) {
    throw new MedcloudletError(
      "CLI_EXCHANGE",
      only === undefined
        ? `No question here begins with "${id}": see medcloudlet community inbox --all.`
        : `${found.length} begin with "${id}": write more of it.`,
    );
  }
  return only;
}

export function decisions(): Command {
  return withMember(
    newCommand("decisions", "every decision of your gate, newest first, with its numbers; asks nobody"),
  )
    .argument("[partner]", "about one of them")
    .option("--limit <number>", "how many", wholeNumber(1), 20)
    .action(async (name: string | undefined, options: MemberOptions & { limit: number }) => {
      const output = outputOf(options);
      await withMemberFolder(options, await openKeys(options), async ({ member }) => {
        const all = member
          .decisions()
          .filter(
            ({ partner }) =>
              name === undefined ||
              partner.startsWith(name) ||
              nameOf(partner).startsWith(name.toLowerCase()),
          )
          .slice(0, options.limit);
        output.result(
          all,
          all.length === 0
            ? "Your gate has decided nothing yet."
            : all.map((decision) => decisionText(decision, output.colours)).join("\n\n"),
        );
      });
    });
}

export function threshold(): Command {
  return withMember(newCommand("threshold", "show or set how much trust opens your gate"))
    .argument("[trust]", "0 to 1: the lower bound of trust that a partner needs", fraction)
    .option("--similarity <share>", "0 to 1: the least share of conditions in common", fraction)
    .action((value: number | undefined, options: MemberOptions & { similarity?: number }) => {
      const output = outputOf(options);
      return asMember(options, output, async ({ member }) => {
        const closed = [
          ...(value === undefined ? [] : await member.setThreshold(value)),
          ...(options.similarity === undefined ? [] : await member.setLeastSimilarity(options.similarity)),
        ];
        output.result(
          { threshold: member.threshold, leastSimilarity: member.leastSimilarity, closed },
          [
            `Your gate opens from trust ${member.threshold.toFixed(2)} and similarity ${member.leastSimilarity.toFixed(2)}.`,
            ...say(closed, output),
          ].join("\n"),
        );
      });
    });
}
