import {
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  toBase64Url,
} from "../../base/index.ts";
import { type Community, MEMBER_KEY, verifyCommunity } from "../../community/index.ts";
import { type SealingSuite, signStatement } from "../../sealing/index.ts";
import type { Assessment, Decision, Overlap } from "../../trust/index.ts";
import { openAdmission } from "./admission.ts";
import { openMemberKeys } from "./application.ts";
import { compare, takeRun } from "./comparing.ts";
import { type Desk, flush, refreshMembers } from "./desk.ts";
import { issuersOf, type KnownMember } from "./directory.ts";
import { type Asked, answer, ask, type CardMaker, decline, open, type Rated, rate } from "./exchanging.ts";
import { newestCommunity } from "./founding.ts";
import {
  agree,
  agreedWith,
  type Closing,
  circumstancesOf,
  pass,
  recheck,
  takeAgreement,
  withdraw,
} from "./gate.ts";
import type { KeptExchange, MemberMemory, MemberState, ModeratorAction } from "./member-state.ts";
import { takeExchange } from "./receiving.ts";
import type { InboxItem, Relay } from "./relay.ts";
import { appeal, report, takeModeration } from "./reporting.ts";
import { createTrustBook, type KeptDecision } from "./trust-book.ts";
import { hearAbout, hearStandings } from "./witnesses.ts";

/** Runs are forgotten after what the relay keeps them for. */
const RUN_KEPT_MS = 14 * 24 * 60 * 60 * 1000;

/** Another member as one sees them. */
export interface Partner {
  readonly pseudonym: string;
  readonly standing: "patient" | "clinician";
  readonly valid: boolean;
  readonly suspendedUntil: number | null;
  /** Null until compared. */
  readonly overlap: Overlap | null;
  readonly assessment: Assessment;
  /** What the gate would say now. */
  readonly decision: Decision;
  readonly agreed: { readonly mine: boolean; readonly theirs: boolean };
  /** Who they said they are; null where they did not. */
  readonly card: MemberState["cards"][string] | null;
}

/** What a visit brought. */
export interface Visit {
  /** To whom the gate has closed. */
  readonly closed: readonly Closing[];
  /** Codes of what the relay refused of what had been waiting to be sent. */
  readonly refused: readonly string[];
  readonly changed: number;
}

/** What a member of a community does. Everything but `decisions` and `exchanges` talks to the relay, by pseudonym. */
export interface CommunityMember {
  readonly pseudonym: string;
  readonly community: Community;
  /** Sends what waits, fetches what came, answers comparisons, hears witnesses, looks at the gate again. */
  visit(): Promise<Visit>;
  partners(): Promise<Partner[]>;
  compare(partner: string): Promise<"begun" | "waiting">;
  agree(partner: string, days: number): Promise<Decision>;
  withdraw(partner: string): Promise<void>;
  /** Asks those named, or everybody who passes. @throws MedcloudletError `GATE_CLOSED` (403) */
  ask(text: string, options?: { partners?: readonly string[]; card?: CardMaker }): Promise<Asked>;
  /** Asks one of the community's own questions; gives the exchange's id. */
  open(partner: string, question: number): Promise<string>;
  answer(exchange: string, text: string, card?: CardMaker): Promise<void>;
  decline(exchange: string): Promise<void>;
  rate(exchange: string, good: boolean): Promise<Rated>;
  report(exchange: string): Promise<string>;
  appeal(report: string, text: string): Promise<void>;
  /** Lets something that goes another way (a key at the KDC) pass the gate. @throws MedcloudletError `GATE_CLOSED` */
  pass(partner: string, occasion: string): Promise<Decision>;
  /** Who a partner said they are; null where they did not. */
  cardOf(partner: string): MemberState["cards"][string] | null;
  /** Remembers a consent that was given to a partner. */
  rememberShare(partner: string, consentId: string): Promise<void>;
  sharesWith(partner: string): readonly string[];
  readonly threshold: number;
  readonly leastSimilarity: number;
  setThreshold(threshold: number): Promise<Closing[]>;
  setLeastSimilarity(least: number): Promise<Closing[]>;
  /** Newest first. */
  decisions(partner?: string): KeptDecision[];
  /** Newest first. */
  exchanges(): KeptExchange[];
  moderation(): ModeratorAction[];
}

/**
 * Takes an admission in and enters the community with its key.
 * @throws MedcloudletError `ADMISSION_*`, `CREDENTIAL_*`
 */
export async function joinCommunity(input: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly relay: Relay;
  readonly state: MemberState;
  readonly memory: MemberMemory;
  readonly admission: string;
}): Promise<MemberState> {
  const { suite, clock, relay, memory } = input;
  const known = await verifyCommunity(input.state.community);
  const shown = await relay.community(known.community);
  const { community, statement } = await newestCommunity(known.community, shown, input.state.community);
  const keys = await openMemberKeys(suite, {
    signingSeed: fromBase64Url(input.state.signingSeed),
    receivingKey: fromBase64Url(input.state.receivingKey),
  });
  const opened = await openAdmission({
    keys,
    community: community.community,
    issuers: issuersOf(community),
    file: input.admission,
    now: clock.now(),
  });
  const { pseudonym } = opened.credential;
  const { statement: credential, salt, codes, attested } = opened;
  const admission = { credential, pseudonym, salt, codes: [...codes], attested };
  const state: MemberState = { ...input.state, community: statement, admission };
  await memory.keep(state);
  const memberKey = await signStatement(
    MEMBER_KEY,
    {
      community: community.community,
      pseudonym,
      suite: 1,
      receivingKey: toBase64Url(keys.receiving.publicKey),
      at: clock.now(),
    },
    keys.signing,
  );
  await relay.as(community.community, keys.signing).join(credential, memberKey);
  state.joined = true;
  await memory.keep(state);
  return state;
}

/**
 * A member at work.
 * @throws MedcloudletError `MEMBER_NOT_JOINED` (409)
 */
export async function createCommunityMember(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly relay: Relay;
  readonly state: MemberState;
  readonly memory: MemberMemory;
}): Promise<CommunityMember> {
  const { suite, clock, memory } = options;
  const state = structuredClone(options.state);
  if (state.admission === null || !state.joined) {
    throw new MedcloudletError(
      "MEMBER_NOT_JOINED",
      "You have not joined this community yet: hand your application to the doctor, then join with the admission.",
      { status: 409 },
    );
  }
  const keys = await openMemberKeys(suite, {
    signingSeed: fromBase64Url(state.signingSeed),
    receivingKey: fromBase64Url(state.receivingKey),
  });
  const own = state.admission.pseudonym;
  const community = await verifyCommunity(state.community);
  const book = createTrustBook({ own, state: state.book, clock });
  const desk: Desk = {
    suite,
    clock,
    keys,
    own,
    relay: options.relay.as(community.community, keys.signing),
    state,
    book,
    community,
    members: new Map<string, KnownMember>(),
    save: () => memory.keep({ ...state, book: book.state }),
  };

  /** The community's document as it is now; a newer one may have other hospitals and moderators. */
  const refreshCommunity = async (): Promise<void> => {
    const id = desk.community.community;
    const newest = await newestCommunity(id, await options.relay.community(id), state.community);
    desk.community = newest.community;
    state.community = newest.statement;
  };

  const take = async (item: InboxItem): Promise<void> => {
    switch (item.type) {
      case "similarity":
        return takeRun(desk, item.run);
      case "agreement":
        return takeAgreement(desk, item.statement);
      case "exchange":
        return takeExchange(desk, item.exchange);
      case "moderation":
        return takeModeration(desk, item);
    }
  };

  const readInbox = async (): Promise<number> => {
    for (let count = 0; ; ) {
      const { items, next, more } = await desk.relay.inbox(state.cursor);
      for (const item of items) {
        try {
          await take(item);
        } catch (error) {
          // One bad item must not keep the others from coming; the relay or a partner made it.
          if (!isMedcloudletError(error) || error.code === "SERVICE_UNREACHABLE") {
            throw error;
          }
        }
      }
      count += items.length;
      state.cursor = next;
      await desk.save();
      if (!more || items.length === 0) {
        return count;
      }
    }
  };

  /** Everybody whose trust matters now: met, compared, or agreed with. */
  const concerned = (): Set<string> =>
    new Set([
      ...Object.values(state.exchanges).map(({ partner }) => partner),
      ...Object.keys(book.state.overlaps),
      ...Object.keys(state.agreements.mine),
      ...Object.keys(state.agreements.theirs),
    ]);

  const visit: CommunityMember["visit"] = async () => {
    const refused = await flush(desk);
    await refreshCommunity();
    await refreshMembers(desk);
    const changed = await readInbox();
    for (const [run, { at }] of Object.entries(state.runs)) {
      if (clock.now() - at > RUN_KEPT_MS) {
        delete state.runs[run];
      }
    }
    await hearStandings(desk);
    for (const partner of concerned()) {
      if (desk.members.has(partner)) {
        await hearAbout(desk, partner);
      }
    }
    const closed = await recheck(desk, "what others say has changed");
    await desk.save();
    return { closed, refused, changed };
  };

  const looked = async (): Promise<void> => {
    if (desk.members.size === 0) {
      await visit();
    }
  };

  const changedGate = async (occasion: string): Promise<Closing[]> => {
    await looked();
    const closed = await recheck(desk, occasion);
    await desk.save();
    return closed;
  };

  return {
    pseudonym: own,
    get community() {
      return desk.community;
    },
    visit,
    async partners() {
      await looked();
      return [...desk.members.values()]
        .filter(({ pseudonym }) => pseudonym !== own)
        .map(({ pseudonym, credential, valid, suspendedUntil }) => ({
          pseudonym,
          standing: credential.standing,
          valid,
          suspendedUntil,
          overlap: book.overlapWith(pseudonym),
          assessment: book.assess(pseudonym),
          decision: book.weigh(pseudonym, circumstancesOf(desk, pseudonym)),
          agreed: agreedWith(desk, pseudonym),
          card: state.cards[pseudonym] ?? null,
        }));
    },
    async compare(partner) {
      return compare(desk, partner);
    },
    async agree(partner, days) {
      await looked();
      return agree(desk, partner, days);
    },
    withdraw: (partner) => withdraw(desk, partner),
    async ask(text, { partners, card } = {}) {
      await looked();
      const everybody = [...desk.members.keys()].filter(
        (pseudonym) =>
          pseudonym !== own && (agreedWith(desk, pseudonym).mine || agreedWith(desk, pseudonym).theirs),
      );
      return ask(desk, partners ?? everybody, text, card);
    },
    open: (partner, question) => open(desk, partner, question),
    async answer(exchange, text, card) {
      await looked();
      return answer(desk, exchange, text, card);
    },
    decline: (exchange) => decline(desk, exchange),
    async rate(exchange, good) {
      await looked();
      return rate(desk, exchange, good);
    },
    report: (exchange) => report(desk, exchange),
    appeal: (subject, text) => appeal(desk, subject, text),
    async pass(partner, occasion) {
      await looked();
      return pass(desk, partner, occasion);
    },
    cardOf: (partner) => state.cards[partner] ?? null,
    async rememberShare(partner, consentId) {
      state.shares[partner] = [...(state.shares[partner] ?? []), consentId];
      await desk.save();
    },
    sharesWith: (partner) => state.shares[partner] ?? [],
    get threshold() {
      return book.state.threshold;
    },
    get leastSimilarity() {
      return book.state.leastSimilarity;
    },
    setThreshold(threshold) {
      book.setThreshold(threshold);
      return changedGate("you changed your threshold");
    },
    setLeastSimilarity(least) {
      book.setLeastSimilarity(least);
      return changedGate("you changed the least similarity");
    },
    decisions: book.decisions,
    exchanges: () => Object.values(state.exchanges).sort((a, b) => b.at - a.at),
    moderation: () => [...state.moderation].sort((a, b) => b.at - a.at),
  };
}
