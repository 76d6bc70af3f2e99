import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { fromBase64Url, MedcloudletError, systemClock, toBase64Url } from "../base/index.ts";
import {
  admitMember,
  type ContactCard,
  cardFingerprint,
  createModerator,
  foundCommunity,
  handCodeKey,
  isIssuer,
  issuerSecrets,
  type Moderator,
  nameOf,
  openIdentity,
  takeCodeKey,
} from "../client/index.ts";
import { type Community, MODERATION_REASONS, type Moderation, verifyCommunity } from "../community/index.ts";
import {
  chooseCommunity,
  communityFolder,
  type MemberOptions,
  openKeys,
  readLocked,
  relayOf,
  withMember,
  writeLocked,
} from "./community-home.ts";
import { reportText, short } from "./community-words.ts";
import { readCard } from "./guardians.ts";
import { createToolkit } from "./home.ts";
import {
  addressesOf,
  asPerson,
  newCommand,
  outputOf,
  type PersonOptions,
  wholeNumber,
  withPerson,
} from "./options.ts";
import { groups } from "./output.ts";
import { writePrivateFile } from "./private-file.ts";
import { confirm } from "./secret-input.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const FOUNDER_FILE = "founder";
const CODE_KEY_FILE = "code-key";

/** Asked where a founder brings no list of their own. */
const OPENING_QUESTIONS = [
  "How long have you lived with it?",
  "What helped you most in the first year?",
  "What do you wish you had been told when it was diagnosed?",
  "What do you do on a bad day?",
  "What did you try that was not worth the trouble?",
  "How do you explain it to people around you?",
];

async function compareCards(cards: readonly ContactCard[], compared: boolean): Promise<void> {
  for (const card of compared ? [] : cards) {
    const question = `Ask ${card.handle} for their fingerprint (medcloudlet keys show). Is it\n\n  ${groups(await cardFingerprint(card))}\n\nthe same?`;
    if (!(await confirm(question))) {
      throw new MedcloudletError(
        "CLI_FINGERPRINT_UNKNOWN",
        "Nothing was founded. Compare every fingerprint first, then say --compared.",
      );
    }
  }
}

interface FoundOptions extends PersonOptions {
  readonly title: string;
  readonly doctor: string[];
  readonly moderator: string[];
  readonly questions?: string;
  readonly compared?: true;
}

export function found(): Command {
  return withPerson(newCommand("found", "as an operator, found a community on the cloudlet"))
    .requiredOption("--title <title>", "what it is about, for everybody to read")
    .requiredOption("--doctor <card...>", "contact cards of the doctors who admit members (account card)")
    .requiredOption("--moderator <card...>", "contact cards of the moderators (account card)")
    .option("--questions <file>", "opening questions, one a line (default: six general ones)")
    .option("--compared", "you compared every fingerprint already")
    .action((options: FoundOptions) =>
      asPerson(options, async ({ session, keys, contents, addresses }, toolkit) => {
        const issuers = await Promise.all(options.doctor.map(readCard));
        const moderators = await Promise.all(options.moderator.map(readCard));
        await compareCards([...issuers, ...moderators], options.compared === true);
        const openingQuestions =
          options.questions === undefined
            ? OPENING_QUESTIONS
            : (await readFile(options.questions, "utf8")).split(/\r?\n/).filter((line) => line.trim() !== "");
        const { community } = await foundCommunity({
          plan: { title: options.title, issuers, moderators, openingQuestions },
          clock: toolkit.clock,
          relay: relayOf(toolkit, addresses.cloudlet),
          staff: await session.staffTicket(keys.signing),
          keepSeed: (id, seed) =>
            writeLocked(contents, communityFolder(options.home, id), FOUNDER_FILE, toBase64Url(seed)),
        });
        const id = community.community;
        outputOf(options).result(
          { community: id, title: community.title },
          `"${community.title}" is founded: ${id}\n` +
            `Only the key in ${communityFolder(options.home, id)} can ever revise it: keep a copy.\n` +
            `Tell patients its id. They begin with: medcloudlet community apply --community ${short(id)}`,
        );
      }),
    );
}

export function list(): Command {
  return withMember(newCommand("list", "the communities on the cloudlet")).action(
    async (options: MemberOptions) => {
      const output = outputOf(options);
      const { cloudlet } = await addressesOf(options as Parameters<typeof addressesOf>[0]);
      const relay = relayOf(await createToolkit(systemClock), cloudlet);
      const all = await Promise.all((await relay.communities()).map(verifyCommunity));
      output.result(
        all.map(({ community, title, openingQuestions }) => ({ community, title, openingQuestions })),
        all.length === 0
          ? "There is none on this cloudlet yet."
          : all
              .map(
                ({ community, title }) =>
                  `  ${output.colours.bold(title)}\n    ${output.colours.dim(community)}`,
              )
              .join("\n"),
      );
    },
  );
}

/** The doctor's place in a community. @throws MedcloudletError `CLI_NOT_ISSUER`, `CLI_CODE_KEY` */
async function issuerAt(options: MemberOptions) {
  const { toolkit, contents } = await openKeys(options);
  const { cloudlet } = await addressesOf(options as Parameters<typeof addressesOf>[0]);
  const relay = relayOf(toolkit, cloudlet);
  const community = await chooseCommunity(relay, options.community);
  const keys = await openIdentity(toolkit.suite, {
    signingSeed: fromBase64Url(contents.signingSeed),
    receivingKey: fromBase64Url(contents.receivingKey),
  });
  if (!isIssuer(community, contents.accountId, keys.signing.publicKey)) {
    throw new MedcloudletError(
      "CLI_NOT_ISSUER",
      `"${community.title}" does not name you among the doctors who admit members: ask who founded it.`,
    );
  }
  return { toolkit, contents, community, keys };
}

/** The key that makes confirmed codes: one's own as the first doctor named, else the one that was handed over. */
async function codeKeyOf(at: Awaited<ReturnType<typeof issuerAt>>, home: string) {
  const { community, contents } = at;
  const id = community.community;
  const taken = await readLocked(contents, communityFolder(home, id), CODE_KEY_FILE);
  const first = community.issuers[0]?.id === contents.accountId;
  if (taken === null && !first) {
    throw new MedcloudletError(
      "CLI_CODE_KEY",
      "The first doctor of this community has to hand you the code key, or your patients would never match theirs:\n" +
        "  they: medcloudlet community code-key --for YOUR-CARD --out FILE\n" +
        "  you:  medcloudlet community code-key --take FILE",
    );
  }
  const codeKey = taken === null ? undefined : fromBase64Url(taken);
  return issuerSecrets(fromBase64Url(contents.signingSeed), id, codeKey);
}

interface AdmitOptions extends MemberOptions {
  readonly patient: string;
  readonly diagnosis: string[];
  readonly clinician?: true;
  readonly days: number;
  readonly out: string;
}

export function admit(): Command {
  return withMember(newCommand("admit", "as a doctor of the community, admit somebody who applied"))
    .argument("<application>", "the applicant's file")
    .requiredOption(
      "--patient <record>",
      "how your hospital names them: the same again gives the same pseudonym; stays here",
    )
    .requiredOption(
      "--diagnosis <code...>",
      "codes you confirm (SNOMED CT or ICD-10, the same way for everybody)",
    )
    .option("--clinician", "they are no patient but a clinician: others' trust begins at them")
    .option("--days <days>", "how long it is good", wholeNumber(1, 3650), 365)
    .option("--out <file>", "where the admission goes", "admission.json")
    .action(async (application: string, options: AdmitOptions) => {
      const at = await issuerAt(options);
      const { toolkit, contents, community, keys } = at;
      const { pseudonym, until, file } = await admitMember({
        suite: toolkit.suite,
        clock: toolkit.clock,
        issuer: {
          id: contents.accountId,
          key: keys.signing,
          secrets: await codeKeyOf(at, options.home),
        },
        community: community.community,
        application: (await readFile(application, "utf8")).trim(),
        patient: options.patient,
        codes: options.diagnosis,
        standing: options.clinician === true ? "clinician" : "patient",
        days: options.days,
      });
      const out = resolve(options.out);
      await writePrivateFile(out, `${file}\n`);
      outputOf(options).result(
        { community: community.community, pseudonym, until, file: out },
        `${nameOf(pseudonym)} is admitted to "${community.title}". Hand over ${out}; only they can open it.\n` +
          `They go on with: medcloudlet community join ${options.out}`,
      );
    });
}

interface CodeKeyOptions extends MemberOptions {
  readonly for?: string;
  readonly out: string;
  readonly take?: string;
}

export function codeKey(): Command {
  return withMember(
    newCommand(
      "code-key",
      "between doctors of one community: hand over the key that makes diagnoses comparable",
    ),
  )
    .option("--for <card>", "as the first doctor, for whom: their contact card")
    .option("--out <file>", "where it goes", "code-key.json")
    .option("--take <file>", "as another doctor, what you were handed")
    .action(async (options: CodeKeyOptions) => {
      const output = outputOf(options);
      const at = await issuerAt(options);
      const { toolkit, contents, community, keys } = at;
      const id = community.community;
      if (options.take !== undefined) {
        const text = await readFile(options.take, "utf8");
        const taken = await takeCodeKey({ keys, own: contents.accountId, community, text });
        await writeLocked(contents, communityFolder(options.home, id), CODE_KEY_FILE, toBase64Url(taken));
        output.result({ community: id, taken: true }, `You can admit members to "${community.title}" now.`);
        return;
      }
      if (options.for === undefined) {
        throw new MedcloudletError(
          "CLI_USAGE",
          "Say for whom (--for CARD) or what you were handed (--take FILE).",
        );
      }
      const card = await readCard(options.for);
      const { codeKey: key } = await codeKeyOf(at, options.home);
      const text = await handCodeKey({ suite: toolkit.suite, keys, community, card, codeKey: key });
      await writePrivateFile(resolve(options.out), `${text}\n`);
      output.result(
        { community: id, for: card.handle, file: resolve(options.out) },
        `Hand ${resolve(options.out)} to ${card.handle}; only they can open it.`,
      );
    });
}

interface ModerateOptions extends PersonOptions {
  readonly community?: string;
  readonly dismiss?: true;
  readonly warn?: true;
  readonly remove?: true;
  readonly suspend?: number;
  readonly lift?: true;
  readonly reason: Moderation["reason"];
  readonly noteFile?: string;
}

function actionOf(options: ModerateOptions): Moderation["action"] | null {
  const given = (["dismiss", "warn", "remove", "suspend", "lift"] as const).filter(
    (action) => options[action] !== undefined,
  );
  if (given.length > 1) {
    throw new MedcloudletError("CLI_USAGE", `Choose one of ${given.map((one) => `--${one}`).join(", ")}.`);
  }
  return given[0] ?? null;
}

async function chooseReport(moderator: Moderator, id: string): Promise<string> {
  const found = (await moderator.reports()).filter(({ report }) => report.startsWith(id));
  const [only, ...others] = found;
  if (only === undefined || others.length > 0) {
    throw new MedcloudletError(
      "CLI_REPORT",
      only === undefined ? `No report begins with "${id}".` : `${found.length} reports begin with "${id}".`,
    );
  }
  return only.report;
}

async function showAll(moderator: Moderator, community: Community, options: ModerateOptions): Promise<void> {
  const output = outputOf(options);
  const shown = [];
  for (const { report } of await moderator.reports()) {
    shown.push(await moderator.show(report));
  }
  output.result(
    shown,
    shown.length === 0
      ? `Nothing was reported in "${community.title}".`
      : [
          ...shown.map((one) => reportText(one, output.colours)),
          output.colours.dim(
            "  next: medcloudlet community moderate ID --dismiss | --warn | --remove | --suspend DAYS",
          ),
        ].join("\n"),
  );
}

export function moderate(): Command {
  return withPerson(
    newCommand("moderate", "as a moderator, read what was reported, and act; you see nothing else"),
  )
    .argument("[report]", "a report, or the beginning of its id (default: show all)")
    .option("--community <id>", "its id or the beginning of its title")
    .option("--dismiss", "nothing against the rules")
    .option("--warn", "tell its writer")
    .option("--remove", "the message is passed on no more")
    .option("--suspend <days>", "its writer may read and appeal, not send", wholeNumber(1, 366))
    .option("--lift", "end the suspension of this report")
    .addOption(new Option("--reason <reason>", "why").choices([...MODERATION_REASONS]).default("other"))
    .option("--note-file <file>", "words for its writer, sealed to them")
    .action((id: string | undefined, options: ModerateOptions) =>
      asPerson(options, async ({ session, keys, contents, addresses }, toolkit) => {
        const output = outputOf(options);
        const relay = relayOf(toolkit, addresses.cloudlet);
        const community = await chooseCommunity(relay, options.community);
        const moderator = createModerator({
          ...toolkit,
          keys,
          moderator: contents.accountId,
          community,
          relay,
          staff: await session.staffTicket(keys.signing),
        });
        if (id === undefined) {
          return showAll(moderator, community, options);
        }
        const report = await chooseReport(moderator, id);
        const action = actionOf(options);
        if (action !== null) {
          const note =
            options.noteFile === undefined ? undefined : (await readFile(options.noteFile, "utf8")).trim();
          await moderator.decide(report, {
            action,
            reason: options.reason,
            ...(options.suspend === undefined
              ? {}
              : { until: toolkit.clock.now() + options.suspend * DAY_MS }),
            ...(note === undefined ? {} : { note }),
          });
        }
        const shown = await moderator.show(report);
        output.result(shown, reportText(shown, output.colours));
      }),
    );
}
