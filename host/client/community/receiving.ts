import {
  type Bytes,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  toBase64Url,
} from "../../base/index.ts";
import {
  COMMUNITY_MESSAGE,
  type CommunityMessage,
  OPENING,
  sealedDigest,
  statementDigest,
} from "../../community/index.ts";
import { unverifiedPayload } from "../../sealing/index.ts";
import { RECEIPT, type Receipt, trustEpoch } from "../../trust/index.ts";
import { type Desk, memberOf, verifyByMember } from "./desk.ts";
import type { KnownMember } from "./directory.ts";
import { readIdentityCard } from "./identity-card.ts";
import type { KeptExchange, KeptMessage } from "./member-state.ts";
import { openMessage } from "./message.ts";
import type { RelayedExchange } from "./relay.ts";

function refuse(why: string): MedcloudletError {
  return new MedcloudletError("EXCHANGE_MISMATCH", `The relay shows an exchange that does not fit: ${why}.`, {
    status: 502,
  });
}

/** Checks who signed a message and where it belongs, then opens it. */
async function read(
  desk: Desk,
  input: {
    readonly exchange: string;
    readonly sender: KnownMember;
    readonly kind: CommunityMessage["kind"];
    readonly statement: string;
    readonly sealed: Bytes;
  },
): Promise<KeptMessage> {
  const { exchange, sender, kind, statement, sealed } = input;
  const { payload } = await verifyByMember(COMMUNITY_MESSAGE, statement, sender);
  const community = desk.community.community;
  const fits =
    payload.community === community &&
    payload.exchange === exchange &&
    payload.kind === kind &&
    payload.from === sender.pseudonym &&
    payload.to === desk.own &&
    payload.sealed === sealedDigest(sealed);
  if (!fits) {
    throw refuse("its sender signed something else");
  }
  const addressed = { community, from: sender.pseudonym, to: desk.own };
  const binding = { kind, subject: exchange, ...addressed };
  const opened = await openMessage(desk.keys.receiving, binding, sealed, fromBase64Url(payload.commitment));
  const { text, card } = opened.content;
  const identity = card === undefined ? null : await readIdentityCard(card, addressed).catch(() => null);
  if (identity !== null) {
    desk.state.cards[sender.pseudonym] = identity;
  }
  return {
    statement,
    text,
    card: identity,
    franked: { body: toBase64Url(opened.body), frankingKey: toBase64Url(opened.frankingKey) },
  };
}

/** Why nothing can be read where the relay has no sealed bytes for us. */
function absent(relayed: RelayedExchange, kind: CommunityMessage["kind"]): string {
  if (relayed.removed.includes(kind)) {
    return "MESSAGE_REMOVED";
  }
  return relayed.held ? "MESSAGE_HELD" : "MESSAGE_GONE";
}

/** A partner's half of the receipt: over their question, in the right names and week. */
async function checkAskersHalf(
  desk: Desk,
  relayed: RelayedExchange,
  at: number,
  asker: KnownMember,
): Promise<void> {
  const { payload } = await verifyByMember(RECEIPT, relayed.question.receipt, asker);
  const expected: Receipt = {
    exchange: relayed.exchange,
    community: desk.community.community,
    epoch: trustEpoch(at),
    asker: asker.pseudonym,
    answerer: desk.own,
    question: statementDigest(relayed.question.statement),
  };
  if (!sameReceipt(payload, expected)) {
    throw refuse("the receipt is for something else");
  }
}

function sameReceipt(one: Receipt, other: Receipt): boolean {
  return (Object.keys(other) as (keyof Receipt)[]).every((field) => one[field] === other[field]);
}

async function takeQuestion(desk: Desk, relayed: RelayedExchange): Promise<void> {
  const { exchange, kind, asker: from, question } = relayed;
  const asker = await memberOf(desk, from);
  const there = desk.state.exchanges[exchange];
  if (there !== undefined && (there.mine || there.partner !== from)) {
    throw refuse("its id was used before");
  }
  let text: string | null = null;
  let at: number;
  if (kind === "opening") {
    const { payload } = await verifyByMember(OPENING, question.statement, asker);
    text = desk.community.openingQuestions[payload.question] ?? null;
    at = payload.at;
    if (payload.exchange !== exchange || payload.from !== from || payload.to !== desk.own || text === null) {
      throw refuse("its asker signed something else");
    }
  } else {
    const { payload } = await verifyByMember(COMMUNITY_MESSAGE, question.statement, asker);
    at = payload.at;
  }
  await checkAskersHalf(desk, relayed, at, asker);
  const kept: KeptExchange = there ?? {
    exchange,
    kind,
    partner: from,
    mine: false,
    at,
    epoch: trustEpoch(at),
    state: relayed.state,
    question: null,
    answer: null,
    receipt: { byAsker: question.receipt, byAnswerer: null },
    good: null,
    reported: null,
    trouble: null,
  };
  desk.state.exchanges[exchange] = kept;
  if (kept.question !== null) {
    return;
  }
  if (text !== null) {
    kept.question = { statement: question.statement, text, card: null, franked: null };
  } else if (question.sealed === null) {
    kept.trouble = absent(relayed, "question");
    return;
  } else {
    const sealed = fromBase64Url(question.sealed);
    const input = {
      exchange,
      sender: asker,
      kind: "question",
      statement: question.statement,
      sealed,
    } as const;
    kept.question = await read(desk, input);
  }
  kept.trouble = null;
  await desk.save();
  await desk.relay.received(exchange);
}

async function takeAnswer(desk: Desk, relayed: RelayedExchange, kept: KeptExchange): Promise<void> {
  const { exchange, answer } = relayed;
  if (answer === null || kept.answer !== null) {
    return;
  }
  const sender = await memberOf(desk, kept.partner);
  // The answerer signed the very payload that we signed; the half alone makes the exchange one that can be rated.
  const { payload } = await verifyByMember(RECEIPT, answer.receipt, sender);
  if (!sameReceipt(payload, unverifiedPayload(RECEIPT, kept.receipt.byAsker))) {
    throw refuse("the receipt is for something else");
  }
  kept.receipt.byAnswerer = answer.receipt;
  if (answer.sealed === null) {
    kept.trouble = absent(relayed, "answer");
    return;
  }
  const sealed = fromBase64Url(answer.sealed);
  kept.answer = await read(desk, { exchange, sender, kind: "answer", statement: answer.statement, sealed });
  kept.trouble = null;
  await desk.save();
  await desk.relay.received(exchange);
}

/**
 * Takes an exchange in as the relay shows it. A message that cannot be opened or does not fit is kept as such with its
 * code, and the inbox goes on.
 */
export async function takeExchange(desk: Desk, relayed: RelayedExchange): Promise<void> {
  const { exchange, asker, answerer } = relayed;
  try {
    if (answerer === desk.own) {
      await takeQuestion(desk, relayed);
      return;
    }
    const kept = desk.state.exchanges[exchange];
    if (asker !== desk.own || kept === undefined || !kept.mine || kept.partner !== answerer) {
      return;
    }
    if (kept.state === "waiting") {
      kept.state = relayed.state;
    }
    await takeAnswer(desk, relayed, kept);
  } catch (error) {
    if (!isMedcloudletError(error) || error.code === "SERVICE_UNREACHABLE") {
      throw error;
    }
    const kept = desk.state.exchanges[exchange];
    if (kept !== undefined) {
      kept.trouble = error.code;
    }
  }
}
