import { fromBase64Url, MedcloudletError, toBase64Url } from "../../../base/index.ts";
import {
  applyTo,
  type CardMaker,
  type CommunityMember,
  createCommunityMember,
  createMemberKeys,
  createRelay,
  joinCommunity,
  type KeptExchange,
  makeIdentityCard,
  nameOf,
  newMemberState,
  openMemberKeys,
  type Partner,
  type Relay,
  type Visit,
} from "../../../client/index.ts";
import { type Community, verifyCommunity } from "../../../community/index.ts";
import { signIdentity } from "../../../sealing/index.ts";
import type { Answers } from "../messages.ts";
import { cardKnownAs } from "../patient/sharing.ts";
import type { Work } from "../work.ts";
import { createPartnerSharing, readingPastClosedGate } from "./partner-sharing.ts";
import { createPlaceStore } from "./place-store.ts";
import type {
  CommunityAct,
  CommunityLine,
  CommunityPlace,
  CommunityQuestions,
  ExchangeLine,
  PartnerLine,
} from "./questions.ts";

interface Found {
  readonly community: Community;
  readonly statement: string;
  readonly relay: Relay;
}

type Closing = Visit["closed"][number];
type Known = Readonly<Record<string, string>>;

function partnerLine(partner: Partner, known: Known, reading: ReadonlySet<string>): PartnerLine {
  const { pseudonym, standing, valid, suspendedUntil, overlap, decision, agreed, card } = partner;
  return {
    ...{
      pseudonym,
      valid,
      suspendedUntil,
      agreed,
      name: nameOf(pseudonym),
      clinician: standing === "clinician",
    },
    overlap: overlap === null ? null : { common: overlap.common, mine: overlap.mine, theirs: overlap.theirs },
    ...{ bound: decision.bound, threshold: decision.threshold, share: decision.share },
    reads: reading.has(pseudonym),
    ...{ reason: decision.reason, why: decision.text },
    card:
      card === null
        ? null
        : {
            ...{ handle: card.handle, name: card.name, fingerprint: card.fingerprint },
            known: cardKnownAs(known, card.handle, card.fingerprint),
          },
  };
}

function exchangeLine(kept: KeptExchange): ExchangeLine {
  const { exchange, partner, mine, kind, at, state, question, answer, good, reported, trouble } = kept;
  return {
    ...{ exchange, partner, name: nameOf(partner), mine, opening: kind === "opening", at, state },
    ...{ question: question?.text ?? null, answer: answer?.text ?? null },
    ...{ good, reported: reported !== null, trouble },
  };
}

async function placeOf(
  member: CommunityMember,
  closed: readonly Closing[],
  known: Known,
  reading: ReadonlySet<string>,
): Promise<CommunityPlace> {
  const partners = (await member.partners()).map((partner) => partnerLine(partner, known, reading));
  return {
    community: member.community.community,
    title: member.community.title,
    name: nameOf(member.pseudonym),
    openingQuestions: member.community.openingQuestions,
    threshold: member.threshold,
    partners: partners.sort((a, b) => b.bound - a.bound || (a.name < b.name ? -1 : 1)),
    exchanges: member.exchanges().map(exchangeLine),
    moderation: member.moderation().map(({ report, role, action, until, reason, note, at }) => ({
      ...{ report, mine: role === "sender", action, until, reason, note, at },
    })),
    closed: closed.map(({ partner, decision }) => ({
      ...{ name: nameOf(partner), why: decision.text, reads: reading.has(partner) },
    })),
  };
}

async function perform(
  member: CommunityMember,
  act: Exclude<CommunityAct, { act: "share" }>,
  card: CardMaker,
): Promise<readonly Closing[]> {
  switch (act.act) {
    case "visit":
      return [];
    case "compare":
      await member.compare(act.partner);
      return [];
    case "open":
      await member.open(act.partner, act.question);
      return [];
    case "agree":
      await member.agree(act.partner, act.days);
      return [];
    case "withdraw":
      await member.withdraw(act.partner);
      return [];
    case "ask":
      await member.ask(act.text, {
        ...(act.partner === null ? {} : { partners: [act.partner] }),
        ...(act.asMyself ? { card } : {}),
      });
      return [];
    case "answer":
      await member.answer(act.exchange, act.text, act.asMyself ? card : undefined);
      return [];
    case "decline":
      await member.decline(act.exchange);
      return [];
    case "rate":
      return (await member.rate(act.exchange, act.good)).closed;
    case "report":
      await member.report(act.exchange);
      return [];
    case "appeal":
      await member.appeal(act.report, act.text);
      return [];
    case "threshold":
      return member.setThreshold(act.threshold);
  }
}

/** A patient's places in the communities of the cloudlets. */
export function createCommunityRoom(work: Work): Answers<CommunityQuestions> {
  const { suite, clock, http, keys, places } = work;
  const store = createPlaceStore(work);
  const shareOwn = createPartnerSharing(work);
  const found = new Map<string, Found>();

  const look = async (): Promise<string[]> => {
    const away: string[] = [];
    for (const cloudletUrl of places.cloudletUrls) {
      const relay = createRelay({ http, cloudletUrl });
      try {
        for (const statement of await relay.communities()) {
          const community = await verifyCommunity(statement);
          found.set(community.community, { community, statement, relay });
        }
      } catch {
        // Another cloudlet's communities are there all the same.
        away.push(cloudletUrl);
      }
    }
    return away;
  };

  const findCommunity = async (id: string): Promise<Found> => {
    if (!found.has(id)) {
      await look();
    }
    const known = found.get(id);
    if (known === undefined) {
      throw new MedcloudletError("COMMUNITY_UNKNOWN", "No cloudlet that answers has this community.", {
        status: 404,
      });
    }
    return known;
  };

  /** Made of the keys alone: the KDC is not asked, and does not learn of it. */
  const cardMaker = (community: string, from: string): CardMaker => {
    return async (to) => {
      const identity = await signIdentity(
        {
          suite: 1,
          signingKey: toBase64Url(keys.signing.publicKey),
          receivingKey: toBase64Url(keys.receiving.publicKey),
          createdAt: clock.now(),
        },
        keys.signing,
      );
      const { accountId, handle, name } = work.contents;
      const account = { accountId, handle, identity };
      return makeIdentityCard({ account, name, keys, addressed: { community, from, to }, clock });
    };
  };

  /** Works as the member, one act at a time; the state is read anew, for another tab may have written. */
  const asMember = <T>(community: string, act: (member: CommunityMember) => Promise<T>): Promise<T> =>
    store.inTurn(community, async () => {
      const { relay } = await findCommunity(community);
      const state = await store.read(community);
      if (state === null) {
        throw new MedcloudletError("MEMBER_NOT_JOINED", "You have not joined this community yet.", {
          status: 409,
        });
      }
      const memory = { keep: (next: typeof state) => store.keep(community, next) };
      return act(await createCommunityMember({ suite, clock, relay, state, memory }));
    });

  return {
    async communities() {
      const away = await look();
      const list: CommunityLine[] = [];
      for (const { community } of found.values()) {
        const state = await store.read(community.community);
        const pseudonym = state?.joined === true ? (state.admission?.pseudonym ?? null) : null;
        list.push({
          community: community.community,
          title: community.title,
          standing: state === null ? "none" : pseudonym === null ? "applied" : "joined",
          name: pseudonym === null ? null : nameOf(pseudonym),
        });
      }
      return { list: list.sort((a, b) => (a.title < b.title ? -1 : 1)), away };
    },
    applyToCommunity: ({ community }) =>
      store.inTurn(community, async () => {
        const { statement } = await findCommunity(community);
        let state = await store.read(community);
        if (state === null) {
          const { secrets } = await createMemberKeys(suite, clock);
          state = newMemberState(statement, secrets);
          await store.keep(community, state);
        }
        const memberKeys = await openMemberKeys(suite, {
          signingSeed: fromBase64Url(state.signingSeed),
          receivingKey: fromBase64Url(state.receivingKey),
        });
        return { application: `${await applyTo(community, memberKeys, clock)}\n` };
      }),
    joinCommunity: ({ community, admission }) =>
      store.inTurn(community, async () => {
        const { relay } = await findCommunity(community);
        const state = await store.read(community);
        if (state === null) {
          throw new MedcloudletError("ADMISSION_FOREIGN", "This browser has not applied to this community.", {
            status: 409,
          });
        }
        const memory = { keep: (next: typeof state) => store.keep(community, next) };
        await joinCommunity({ suite, clock, relay, state, memory, admission: admission.trim() });
        return null;
      }),
    inCommunity: ({ community, act }) =>
      asMember(community, async (member) => {
        const closed = [...(await member.visit()).closed];
        if (act.act === "share") {
          await shareOwn(member, act);
        } else {
          // A verdict or a threshold of one's own closes gates as well.
          closed.push(...(await perform(member, act, cardMaker(community, member.pseudonym))));
        }
        const reading = await readingPastClosedGate(work, member);
        return placeOf(member, closed, work.contents.known, reading);
      }),
    gateDecisions: ({ community, partner }) =>
      asMember(community, async (member) => member.decisions(partner)),
    exportPlace: async ({ community }) => ({ file: await store.export(community) }),
    async importPlace({ file }) {
      await store.import(file);
      return null;
    },
  };
}
