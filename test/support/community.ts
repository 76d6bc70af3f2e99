import { randomBytes } from "../../host/base/index.ts";
import {
  admitMember,
  applyTo,
  type CommunityMember,
  createCommunityMember,
  createMemberKeys,
  createModerator,
  createRelay,
  foundCommunity,
  issuerSecrets,
  joinCommunity,
  type MemberState,
  type Moderator,
  newMemberState,
  openMemberKeys,
  type Relay,
} from "../../host/client/community/index.ts";
import { createHttpClient, type Fetch } from "../../host/client/index.ts";
import type { Community } from "../../host/community/index.ts";
import type { Credential } from "../../host/trust/index.ts";
import type { Person, System } from "./system.ts";

export const OPENING_QUESTIONS = [
  "How long have you lived with it, in years?",
  "What helped you most in the first year?",
];
export const DIABETES = ["44054006", "38341003"];

/** A community on a system's cloudlet, with a hospital and a moderator. */
export interface TestCommunity {
  readonly community: Community;
  readonly statement: string;
  readonly relay: Relay;
  readonly doctor: Person;
  readonly moderator: Person;
  /** A member who has joined; `state()` is what lies in their folder. */
  join(
    patient: string,
    options?: { codes?: readonly string[]; standing?: Credential["standing"]; fetch?: Fetch },
  ): Promise<TestMember>;
  /** A moderator's desk with a ticket of now. */
  moderate(): Promise<Moderator>;
}

export interface TestMember {
  readonly member: CommunityMember;
  state(): MemberState;
  /** The same member in another process: nothing but the kept state. */
  reopen(fetch?: Fetch): Promise<TestMember>;
}

const cardOf = ({ session }: Person) => {
  const { accountId, handle, identity } = session.account;
  return { accountId, handle, identity };
};

export async function startCommunity(system: System, title = "Living with type 2"): Promise<TestCommunity> {
  const { suite, clock } = system;
  const relayOver = (fetch?: Fetch) =>
    createRelay({
      http: createHttpClient({ clock, ...(fetch === undefined ? {} : { fetch }) }),
      cloudletUrl: system.cloudlet.url,
    });
  const relay = relayOver();
  const unique = Math.random().toString(36).slice(2, 8);
  const doctor = await system.person("doctor", `dr-issuer-${unique}`);
  const moderator = await system.person("moderator", `moderator-${unique}`);
  const staff = await system.operator.session.staffTicket(system.operator.keys.signing);
  const { community } = await foundCommunity({
    plan: {
      title,
      issuers: [cardOf(doctor)],
      moderators: [cardOf(moderator)],
      openingQuestions: OPENING_QUESTIONS,
    },
    clock,
    relay,
    staff,
    keepSeed: async () => {},
  });
  const id = community.community;
  const statement = await relay.community(id);
  const secrets = issuerSecrets(randomBytes(32), id);

  const open = async (kept: MemberState, fetch?: Fetch): Promise<TestMember> => {
    let state = kept;
    const memory = {
      keep: async (next: MemberState) => {
        state = structuredClone(next);
      },
    };
    const member = await createCommunityMember({ suite, clock, relay: relayOver(fetch), state, memory });
    return { member, state: () => state, reopen: (over) => open(state, over) };
  };

  return {
    community,
    statement,
    relay,
    doctor,
    moderator,
    async join(patient, { codes = DIABETES, standing = "patient", fetch } = {}) {
      const { secrets: keys } = await createMemberKeys(suite, clock);
      const { file } = await admitMember({
        suite,
        clock,
        issuer: { id: doctor.session.account.accountId, key: doctor.keys.signing, secrets },
        community: id,
        application: await applyTo(id, await openMemberKeys(suite, keys), clock),
        patient,
        codes,
        standing,
        days: 3650,
      });
      const state = await joinCommunity({
        suite,
        clock,
        relay,
        state: newMemberState(statement, keys),
        memory: { keep: async () => {} },
        admission: file,
      });
      return open(state, fetch);
    },
    async moderate() {
      return createModerator({
        suite,
        clock,
        keys: moderator.keys,
        moderator: moderator.session.account.accountId,
        community,
        relay,
        staff: await moderator.session.staffTicket(moderator.keys.signing),
      });
    },
  };
}

/** Compares two members, each with as many visits as it takes. */
export async function compareBoth(one: TestMember, other: TestMember): Promise<void> {
  await one.member.compare(other.member.pseudonym);
  await other.member.visit();
  await one.member.visit();
  await other.member.visit();
}

/** One opening question with its answer, rated by the asker (and where told, by the answerer). */
export async function opening(
  asker: TestMember,
  answerer: TestMember,
  good: boolean,
  byAnswerer?: boolean,
): Promise<string> {
  const exchange = await asker.member.open(answerer.member.pseudonym, 0);
  await answerer.member.visit();
  await answerer.member.answer(exchange, good ? "Eleven years, and it got easier." : "Who cares.");
  await asker.member.visit();
  await asker.member.rate(exchange, good);
  if (byAnswerer !== undefined) {
    await answerer.member.rate(exchange, byAnswerer);
  }
  return exchange;
}
