import { type Command, Option } from "commander";
import { MedcloudletError, systemClock } from "../base/index.ts";
import { knowCards, knownOfCard, nameOf, shareWithPartner } from "../client/index.ts";
import { REGIONS, type Region } from "../sealing/index.ts";
import { newCommand, newGroup, outputOf, type PersonOptions, wholeNumber, withPerson } from "./command.ts";
import { communityDemo } from "./community-demo.ts";
import {
  asMember,
  choosePartner,
  type MemberOptions,
  readWords,
  withMember,
  withMemberFolder,
} from "./community-home.ts";
import {
  agree,
  apply,
  chooseExchange,
  compare,
  decisions,
  inbox,
  joinCommand,
  opening,
  partners,
  rate,
  threshold,
} from "./community-member.ts";
import { admit, codeKey, found, list, moderate } from "./community-staff.ts";
import { exchangeText, short, trustBar } from "./community-words.ts";
import { catchUp } from "./consents.ts";
import { emergencyOf } from "./emergency-home.ts";
import { ownerOf } from "./home.ts";
import { asOwner } from "./home-lock.ts";
import { groups } from "./output.ts";
import { confirm } from "./secret-input.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const AS_MYSELF = "tell them who you are (handle and name); cannot be taken back";

interface AskOptions extends MemberOptions {
  readonly to?: string[];
  readonly file?: string;
  readonly asMyself?: true;
}

function ask(): Command {
  return withMember(
    newCommand("ask", "ask the partners who pass your gate at this moment, sealed to them alone"),
  )
    .option("--to <partner...>", "whom (default: everybody you both agreed with)")
    .option("--file <file>", "the question (default: typed, or piped in)")
    .option("--as-myself", AS_MYSELF)
    .action(async (options: AskOptions) => {
      const output = outputOf(options);
      const text = await readWords(options.file, "Your question");
      await asMember(options, output, async ({ member, card }) => {
        const all = await member.partners();
        const chosen = options.to?.map((name) => choosePartner(all, name).pseudonym);
        const { sent, refused } = await member.ask(text, {
          ...(chosen === undefined ? {} : { partners: chosen }),
          ...(options.asMyself === true ? { card } : {}),
        });
        const { green, yellow, dim } = output.colours;
        output.result(
          { sent, refused },
          [
            ...sent.map(({ partner, exchange }) =>
              green(`  sealed to ${nameOf(partner)}  ${dim(short(exchange))}`),
            ),
            ...refused.map(({ partner, decision }) =>
              yellow(`  not to ${nameOf(partner)}: ${decision.text}`),
            ),
          ].join("\n"),
        );
      });
    });
}

interface AnswerOptions extends MemberOptions {
  readonly file?: string;
  readonly decline?: true;
  readonly asMyself?: true;
}

function answer(): Command {
  return withMember(
    newCommand("answer", "answer a question, sealed to its asker; say what you want to, or nothing"),
  )
    .argument("<exchange>", "the beginning of its id, as the inbox shows it")
    .option("--file <file>", "the answer (default: typed, or piped in)")
    .option("--decline", "decline instead; nobody learns why")
    .option("--as-myself", AS_MYSELF)
    .action(async (id: string, options: AnswerOptions) => {
      const output = outputOf(options);
      const text = options.decline === true ? null : await readWords(options.file, "Your answer");
      await asMember(options, output, async ({ member, card }) => {
        const { exchange, partner } = chooseExchange(member.exchanges(), id);
        if (text === null) {
          await member.decline(exchange);
          output.result(
            { exchange, declined: true },
            `Declined. ${nameOf(partner)} is told so, and not why.`,
          );
          return;
        }
        await member.answer(exchange, text, options.asMyself === true ? card : undefined);
        output.result({ exchange, answered: true }, `Sealed to ${nameOf(partner)}.`);
      });
    });
}

function report(): Command {
  return withMember(
    newCommand("report", "show one message to the moderators; they see that message and no other"),
  )
    .argument("<exchange>", "the beginning of its id")
    .action((id: string, options: MemberOptions) => {
      const output = outputOf(options);
      return asMember(options, output, async ({ member }) => {
        const kept = chooseExchange(member.exchanges(), id);
        const subject = await member.report(kept.exchange);
        const after = chooseExchange(member.exchanges(), kept.exchange);
        output.result(
          { report: subject, exchange: kept.exchange },
          `The moderators can read what ${nameOf(kept.partner)} wrote here, and nothing else of you two:\n` +
            exchangeText(after, output.colours),
        );
      });
    });
}

function appeal(): Command {
  return withMember(newCommand("appeal", "ask the moderators to look again at what they decided about you"))
    .argument("<report>", "the beginning of its id, as the inbox shows it")
    .option("--file <file>", "your words (default: typed, or piped in)")
    .action(async (id: string, options: MemberOptions & { file?: string }) => {
      const output = outputOf(options);
      const text = await readWords(options.file, "Your words to the moderators");
      await asMember(options, output, async ({ member }) => {
        const found = [
          ...new Set(
            member
              .moderation()
              .filter(({ role, report: subject }) => role === "sender" && subject.startsWith(id))
              .map(({ report: subject }) => subject),
          ),
        ];
        const [subject] = found;
        if (subject === undefined || found.length > 1) {
          throw new MedcloudletError(
            "CLI_REPORT",
            `"${id}" is no decision about you: see medcloudlet community inbox.`,
          );
        }
        await member.appeal(subject, text);
        output.result({ report: subject }, "The moderators have it, sealed to them.");
      });
    });
}

interface ShareOptions extends PersonOptions {
  readonly community?: string;
  readonly region: Region[];
  readonly days: number;
  readonly history: boolean;
  readonly fingerprint?: string;
}

function share(): Command {
  return withPerson(
    newCommand(
      "share",
      "let a partner read regions of your record: past your gate, and to who they showed to be",
    ),
  )
    .argument("<partner>", "whom: they must have written to you --as-myself")
    .option("--community <id>", "its id or the beginning of its title")
    .addOption(new Option("--region <region...>", "which parts").choices(REGIONS).default(["medical"]))
    .option("--days <days>", "for how long", wholeNumber(1, 3650), 30)
    .option("--no-history", "nothing from before now")
    .option("--fingerprint <hex>", "their fingerprint as they told you; another is refused")
    .action((name: string, options: ShareOptions) =>
      asOwner(options, async (person, toolkit) => {
        const output = outputOf(options);
        const owner = ownerOf(toolkit, person);
        const { contents } = person;
        await withMemberFolder(options, { toolkit, contents }, async ({ member }) => {
          await member.visit();
          const partner = choosePartner(await member.partners(), name);
          const regions = [...new Set(options.region)];
          const from = systemClock.now();
          const { card } = partner;
          const expected =
            options.fingerprint?.replace(/\s+/g, "").toLowerCase() ??
            (card === null ? "" : (knownOfCard(contents.known, card.handle) ?? (await comparedWith(card))));
          await catchUp(toolkit, person, owner, output);
          const consent = await shareWithPartner({
            member,
            owner,
            partner: partner.pseudonym,
            regions,
            from,
            until: from + options.days * DAY_MS,
            ...(options.history ? {} : { history: "from-now" as const }),
            expectedFingerprint: expected,
          });
          const handle = card?.handle ?? "";
          const compared = { handle, fingerprint: consent.readerFingerprint };
          await person.save({
            known: await knowCards(person.contents.known, [compared], person.session.lookUp),
          });
          output.result(
            {
              consentId: consent.consentId,
              reader: handle,
              partner: partner.pseudonym,
              until: consent.until,
            },
            `${trustBar(partner.decision.bound, partner.decision.threshold, output.colours)}\n` +
              `${handle} (${nameOf(partner.pseudonym)}) can read ${regions.join(", ")} for ${options.days} days.\n` +
              output.colours.dim(`To end it sooner: medcloudlet keys revoke --consent ${consent.consentId}`),
          );
          await emergencyOf(toolkit, person, owner).catchUp();
        });
      }),
    );
}

async function comparedWith(card: {
  readonly handle: string;
  readonly fingerprint: string;
}): Promise<string> {
  const same = await confirm(
    `You share with ${card.handle} for the first time. Ask them for their fingerprint (medcloudlet keys show). Is it\n\n  ${groups(card.fingerprint)}\n\nthe same?`,
  );
  if (!same) {
    throw new MedcloudletError(
      "CLI_FINGERPRINT_UNKNOWN",
      `Nothing was shared. Give the fingerprint that ${card.handle} told you: --fingerprint HEX.`,
    );
  }
  return card.fingerprint;
}

/** `medcloudlet community …`: patients with the same condition, by pseudonym. */
export function communityCommand(): Command {
  const command = newGroup("community", "find patients with the same condition, ask and answer, sealed");
  for (const subcommand of [
    communityDemo(),
    list(),
    apply(),
    joinCommand(),
    partners(),
    compare(),
    opening(),
    inbox(),
    answer(),
    rate(),
    agree(),
    ask(),
    report(),
    appeal(),
    decisions(),
    threshold(),
    share(),
    found(),
    admit(),
    codeKey(),
    moderate(),
  ]) {
    command.addCommand(subcommand);
  }
  return command;
}
