import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Command, InvalidArgumentError } from "commander";
import {
  type Bytes,
  fromBase64Url,
  MedcloudletError,
  systemClock,
  toBase64Url,
  utf8,
} from "../base/index.ts";
import {
  type CardMaker,
  type CommunityMember,
  createCommunityMember,
  createRelay,
  findByName,
  type KeystoreContents,
  lockWith,
  MEMBER_STATE,
  type MemberMemory,
  type MemberState,
  makeIdentityCard,
  nameOf,
  openIdentity,
  type Partner,
  type Relay,
  unlockWith,
  type Visit,
} from "../client/index.ts";
import { type Community, verifyCommunity } from "../community/index.ts";
import { signIdentity } from "../sealing/index.ts";
import { createToolkit, DEFAULT_HOME, openHome, requireHome, type Toolkit } from "./home.ts";
import { withLock } from "./home-lock.ts";
import { addressesOf, readPassphrase } from "./options.ts";
import type { Output } from "./output.ts";
import { writePrivateFile } from "./private-file.ts";

/** Options of every command of a member. No password: a member never logs in, so that nobody joins account and pseudonym. */
export interface MemberOptions {
  readonly home: string;
  readonly cloudlet?: string;
  readonly passphraseFile?: string;
  readonly community?: string;
  readonly json?: true;
}

/** Adds what is needed to act as a member. */
export function withMember(command: Command): Command {
  return command
    .option("--home <folder>", "folder with the person's keys", DEFAULT_HOME)
    .option("--cloudlet <url>", "where the community's cloudlet is (default: as kept in the home)")
    .option(
      "--passphrase-file <file>",
      "passphrase of the keys (or MEDCLOUDLET_PASSPHRASE_FILE, or asked for)",
    )
    .option("--community <id>", "its id or the beginning of its title (default: the only one of yours)");
}

const LABEL = "medcloudlet community folder v1";
const MEMBER_FILE = "member";

/** Where one person keeps one community: HOME/community/ID, each file locked with the person's own key. */
export const communityFolder = (home: string, community: string) => join(home, "community", community);

const seedOf = (contents: KeystoreContents): Bytes => fromBase64Url(contents.signingSeed);

/** Writes a locked file of a community's folder. */
export async function writeLocked(
  contents: KeystoreContents,
  folder: string,
  name: string,
  text: string,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const locked = await lockWith(seedOf(contents), `${LABEL} ${name}`, utf8(text));
  await writePrivateFile(join(folder, name), `${toBase64Url(locked)}\n`);
}

/** Reads one; null where there is none. @throws MedcloudletError `CLI_COMMUNITY_DAMAGED` */
export async function readLocked(
  contents: KeystoreContents,
  folder: string,
  name: string,
): Promise<string | null> {
  const text = await readFile(join(folder, name), "utf8").catch(() => null);
  if (text === null) {
    return null;
  }
  try {
    const opened = await unlockWith(seedOf(contents), `${LABEL} ${name}`, fromBase64Url(text.trim()));
    return new TextDecoder("utf-8", { fatal: true }).decode(opened ?? undefined);
  } catch (cause) {
    throw new MedcloudletError(
      "CLI_COMMUNITY_DAMAGED",
      `${join(folder, name)} is damaged or another person's: put a copy of it back.`,
      { cause },
    );
  }
}

/** A member's state as it lies in the folder. */
export async function readMember(
  contents: KeystoreContents,
  home: string,
  community: string,
): Promise<MemberState | null> {
  const text = await readLocked(contents, communityFolder(home, community), MEMBER_FILE);
  if (text === null || text === "") {
    return null;
  }
  const parsed = MEMBER_STATE.safeParse(JSON.parse(text));
  if (!parsed.success) {
    throw new MedcloudletError(
      "CLI_COMMUNITY_DAMAGED",
      "What is kept of this community has another form than this version writes: put a copy of it back.",
      { cause: parsed.error },
    );
  }
  return parsed.data;
}

/** Where a member's state is kept. */
export function memoryOf(contents: KeystoreContents, home: string, community: string): MemberMemory {
  return {
    keep: (state) =>
      writeLocked(contents, communityFolder(home, community), MEMBER_FILE, JSON.stringify(state)),
  };
}

/** The communities of which something lies in a home. */
async function keptCommunities(home: string): Promise<string[]> {
  const names = await readdir(join(home, "community")).catch(() => []);
  return names.filter((name) => /^[0-9a-f]{32}$/.test(name));
}

/** Ids among those that begin so, or whose title does. */
function fitting(communities: readonly Community[], wanted: string | undefined): Community[] {
  const text = wanted?.trim().toLowerCase() ?? "";
  const exact = communities.filter(({ community }) => community === text);
  return exact.length > 0
    ? exact
    : communities.filter(
        ({ community, title }) => community.startsWith(text) || title.toLowerCase().startsWith(text),
      );
}

function onlyOne(found: readonly Community[], wanted: string | undefined, none: string): Community {
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) {
    return only;
  }
  const list = found.map(({ community, title }) => `\n  ${community.slice(0, 8)}  ${title}`).join("");
  throw new MedcloudletError(
    "CLI_COMMUNITY",
    only === undefined
      ? none
      : `${wanted === undefined ? "There are several communities" : `"${wanted}" fits several`}: say which with --community.${list}`,
  );
}

/** A community of the cloudlet, by what was said of it. @throws MedcloudletError `CLI_COMMUNITY` */
export async function chooseCommunity(relay: Relay, wanted: string | undefined): Promise<Community> {
  const all = await Promise.all((await relay.communities()).map(verifyCommunity));
  return onlyOne(
    fitting(all, wanted),
    wanted,
    wanted === undefined
      ? "There is no community on this cloudlet yet: an operator founds one (medcloudlet community found)."
      : `No community on this cloudlet is called "${wanted}": see medcloudlet community list.`,
  );
}

export function relayOf(toolkit: Toolkit, cloudletUrl: string): Relay {
  return createRelay({ http: toolkit.http, cloudletUrl });
}

/** What a member's command works with. */
export interface MemberAtWork {
  readonly toolkit: Toolkit;
  readonly contents: KeystoreContents;
  readonly community: Community;
  readonly member: CommunityMember;
  /** Says who the person is, where they choose to. */
  readonly card: CardMaker;
}

/** A person's keys without logging in anywhere. */
export async function openKeys(options: Pick<MemberOptions, "home" | "passphraseFile">): Promise<{
  toolkit: Toolkit;
  contents: KeystoreContents;
}> {
  await requireHome(options.home);
  const toolkit = await createToolkit(systemClock);
  const passphrase = await readPassphrase(options as Parameters<typeof readPassphrase>[0]);
  return { toolkit, contents: await openHome(options.home, passphrase) };
}

/** The one of the person's own communities that is meant. @throws MedcloudletError `CLI_COMMUNITY` */
export async function ownCommunity(contents: KeystoreContents, options: MemberOptions): Promise<Community> {
  const mine: Community[] = [];
  for (const id of await keptCommunities(options.home)) {
    const state = await readMember(contents, options.home, id);
    if (state !== null) {
      mine.push(await verifyCommunity(state.community));
    }
  }
  return onlyOne(
    fitting(mine, options.community),
    options.community,
    "You are in no such community: see medcloudlet community list, then medcloudlet community apply.",
  );
}

/** Makes cards of the account, from the keys alone: the KDC is not asked, and does not learn of it. */
function cardMakerOf(
  { suite, clock }: Toolkit,
  contents: KeystoreContents,
  addressed: { readonly community: string; readonly from: string },
): CardMaker {
  return async (to) => {
    const keys = await openIdentity(suite, {
      signingSeed: seedOf(contents),
      receivingKey: fromBase64Url(contents.receivingKey),
    });
    const identity = await signIdentity(
      {
        suite: 1,
        signingKey: toBase64Url(keys.signing.publicKey),
        receivingKey: toBase64Url(keys.receiving.publicKey),
        createdAt: clock.now(),
      },
      keys.signing,
    );
    const { accountId, handle, name } = contents;
    const account = { accountId, handle, identity };
    return makeIdentityCard({ account, name, keys, addressed: { ...addressed, to }, clock });
  };
}

/** Works with one's own place in a community, one command at a time. `work` decides whether anybody is asked. */
export async function withMemberFolder<T>(
  options: MemberOptions,
  opened: { readonly toolkit: Toolkit; readonly contents: KeystoreContents },
  work: (at: MemberAtWork) => Promise<T>,
): Promise<T> {
  const { toolkit, contents } = opened;
  const community = await ownCommunity(contents, options);
  const id = community.community;
  const folder = communityFolder(options.home, id);
  return withLock(join(folder, "member.lock"), `your place in ${community.title}`, async () => {
    // Read behind the lock: another command may just have written.
    const state = (await readMember(contents, options.home, id)) as MemberState;
    const addresses = await addressesOf(options as Parameters<typeof addressesOf>[0]);
    const member = await createCommunityMember({
      ...toolkit,
      relay: relayOf(toolkit, addresses.cloudlet),
      state,
      memory: memoryOf(contents, options.home, id),
    });
    const card = cardMakerOf(toolkit, contents, { community: id, from: member.pseudonym });
    return work({ toolkit, contents, community, member, card });
  });
}

/** Like `withMemberFolder`, after a visit to the relay: what came is in, and what it changed at the gate is said. */
export async function asMember<T>(
  options: MemberOptions,
  output: Output,
  work: (at: MemberAtWork & { readonly visit: Visit }) => Promise<T>,
): Promise<T> {
  return withMemberFolder(options, await openKeys(options), async (at) => {
    const visit = await at.member.visit();
    for (const { partner, decision } of visit.closed) {
      output.trouble(output.colours.red(`  The gate has closed to ${nameOf(partner)}. ${decision.text}`));
    }
    for (const code of visit.refused) {
      output.trouble(
        output.colours.yellow(`  Something that waited to be sent was refused by the relay [${code}].`),
      );
    }
    return work({ ...at, visit });
  });
}

/** One partner by name, the beginning of it, or pseudonym. @throws MedcloudletError `CLI_PARTNER` */
export function choosePartner(partners: readonly Partner[], text: string): Partner {
  const found = findByName(partners, text);
  const [only, ...others] = found;
  if (only === undefined || others.length > 0) {
    throw new MedcloudletError(
      "CLI_PARTNER",
      only === undefined
        ? `Nobody here is called "${text}": see medcloudlet community partners.`
        : `"${text}" fits ${found.map(({ pseudonym }) => nameOf(pseudonym)).join(" and ")}: write more of the name.`,
    );
  }
  return only;
}

/** A number between two others, as an option's value. */
export function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError("Expected a number from 0 to 1, such as 0.7.");
  }
  return value;
}

/**
 * Words of the person's: from a file, a pipe, or typed. Never from the command line, which the whole machine can read and
 * the shell writes down.
 * @throws MedcloudletError `CLI_TEXT_MISSING`
 */
export async function readWords(file: string | undefined, question: string): Promise<string> {
  const text =
    file !== undefined
      ? await readFile(file, "utf8")
      : process.stdin.isTTY === true
        ? await typed(question)
        : await piped();
  const words = text.trim();
  if (words === "") {
    throw new MedcloudletError(
      "CLI_TEXT_MISSING",
      "There are no words to send: type them, pipe them in, or name a file with --file.",
    );
  }
  return words;
}

async function typed(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    terminal.once("close", () => resolve(""));
    terminal.question(`${question}: `, resolve);
  });
  terminal.close();
  return answer;
}

async function piped(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) {
    text += chunk;
  }
  return text;
}
