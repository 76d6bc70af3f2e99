import { MedcloudletError, randomBytes, toBase64Url, toHex } from "../../base/index.ts";
import {
  COMMUNITY_MESSAGE,
  type CommunityMessage,
  OPENING,
  sealedDigest,
  statementDigest,
} from "../../community/index.ts";
import { signStatement, unverifiedPayload } from "../../sealing/index.ts";
import { type Decision, FEEDBACK, RECEIPT, type Receipt, trustEpoch } from "../../trust/index.ts";
import { type Desk, memberOf, post } from "./desk.ts";
import { type Closing, gateClosed, pass, recheck } from "./gate.ts";
import type { KeptExchange, KeptMessage } from "./member-state.ts";
import { type MessageContent, sealMessage } from "./message.ts";
import { hearAbout } from "./witnesses.ts";

/** Makes an identity card for one partner, where the member chooses to be known. */
export type CardMaker = (to: string) => Promise<string>;

/** Who was asked, and who was not and why. */
export interface Asked {
  readonly sent: readonly {
    readonly partner: string;
    readonly exchange: string;
    readonly decision: Decision;
  }[];
  readonly refused: readonly Closing[];
}

/** What came of a rating. */
export interface Rated {
  /** The community was told: it was one's one voice about this partner in that week. */
  readonly told: boolean;
  /** To whom the gate has closed over it. */
  readonly closed: readonly Closing[];
}

const newId = () => toHex(randomBytes(16));

/** Seals and signs a message of one's own. */
async function write(
  desk: Desk,
  input: {
    readonly exchange: string;
    readonly to: string;
    readonly kind: CommunityMessage["kind"];
    readonly content: MessageContent;
  },
): Promise<{ statement: string; sealed: string; at: number }> {
  const { exchange, to, kind, content } = input;
  const community = desk.community.community;
  const { receivingKey } = await memberOf(desk, to);
  const binding = { kind, community, subject: exchange, from: desk.own, to };
  const { sealed, commitment } = await sealMessage(desk.suite, receivingKey, binding, content);
  const at = desk.clock.now();
  const statement = await signStatement(
    COMMUNITY_MESSAGE,
    {
      community,
      exchange,
      from: desk.own,
      to,
      kind,
      sealed: sealedDigest(sealed),
      commitment: toBase64Url(commitment),
      at,
    },
    desk.keys.signing,
  );
  return { statement, sealed: toBase64Url(sealed), at };
}

function ownMessage(statement: string, text: string): KeptMessage {
  return { statement, text, card: null, franked: null };
}

async function begin(
  desk: Desk,
  input: Pick<KeptExchange, "exchange" | "kind" | "partner" | "at"> & {
    readonly statement: string;
    readonly text: string;
    readonly sealed: string | null;
  },
): Promise<void> {
  const { exchange, kind, partner, at, statement, text, sealed } = input;
  const epoch = trustEpoch(at);
  const receipt = await signStatement(
    RECEIPT,
    {
      exchange,
      community: desk.community.community,
      epoch,
      asker: desk.own,
      answerer: partner,
      question: statementDigest(statement),
    },
    desk.keys.signing,
  );
  desk.state.exchanges[exchange] = {
    exchange,
    kind,
    partner,
    mine: true,
    at,
    epoch,
    state: "waiting",
    question: ownMessage(statement, text),
    answer: null,
    receipt: { byAsker: receipt, byAnswerer: null },
    good: null,
    reported: null,
    trouble: null,
  };
  await post(desk, { type: "question", exchange, statement, receipt, sealed });
}

/**
 * Asks those who pass the gate at this moment, and seals to nobody else.
 * @param partners whom to ask; those who do not pass are told apart, with the decision
 * @throws MedcloudletError `GATE_CLOSED` (403) where nobody passes: `details` are the decision on the one who was named,
 *   or `decisions` on all; `MESSAGE_LENGTH`
 */
export async function ask(
  desk: Desk,
  partners: readonly string[],
  text: string,
  card?: CardMaker,
): Promise<Asked> {
  const sent: { partner: string; exchange: string; decision: Decision }[] = [];
  const refused: Closing[] = [];
  for (const partner of partners) {
    const decision = await pass(desk, partner, "to ask").catch((error) => {
      if (error instanceof MedcloudletError && error.code === "GATE_CLOSED") {
        refused.push({ partner, decision: error.details.decision as Decision });
        return null;
      }
      throw error;
    });
    if (decision === null) {
      continue;
    }
    const exchange = newId();
    const content = card === undefined ? { text } : { text, card: await card(partner) };
    const written = await write(desk, { exchange, to: partner, kind: "question", content });
    await begin(desk, { exchange, kind: "question", partner, text, ...written });
    sent.push({ partner, exchange, decision });
  }
  if (sent.length === 0) {
    throw nobodyPasses(refused);
  }
  return { sent, refused };
}

function nobodyPasses(refused: readonly Closing[]): MedcloudletError {
  const [only, ...others] = refused;
  if (only !== undefined && others.length === 0) {
    return gateClosed(only.partner, only.decision);
  }
  return new MedcloudletError(
    "GATE_CLOSED",
    refused.length === 0
      ? "There is nobody to ask yet: compare with members, ask opening questions and rate the answers first."
      : `None of ${refused.length} members passes your gate, so nothing was sent: see \`medcloudlet community partners\`.`,
    { status: 403, details: { decisions: refused } },
  );
}

/**
 * Asks one of the community's own questions, which tells nothing of oneself and needs no trust.
 * @throws MedcloudletError `OPENING_UNKNOWN` (400), `OPENING_USED` (409)
 */
export async function open(desk: Desk, partner: string, index: number): Promise<string> {
  const text = desk.community.openingQuestions[index];
  if (text === undefined) {
    throw new MedcloudletError(
      "OPENING_UNKNOWN",
      `The community has ${desk.community.openingQuestions.length} opening questions: choose one by its number.`,
      { status: 400 },
    );
  }
  await memberOf(desk, partner);
  const exchange = newId();
  const at = desk.clock.now();
  const community = desk.community.community;
  const said = { community, exchange, from: desk.own, to: partner, question: index, at };
  const statement = await signStatement(OPENING, said, desk.keys.signing);
  await begin(desk, { exchange, kind: "opening", partner, at, statement, text, sealed: null });
  return exchange;
}

/** An exchange of this folder. @throws MedcloudletError `EXCHANGE_UNKNOWN` (404) */
export function exchangeOf(desk: Desk, id: string): KeptExchange {
  const kept = desk.state.exchanges[id];
  if (kept === undefined) {
    throw new MedcloudletError(
      "EXCHANGE_UNKNOWN",
      "There is no such question here: look at `medcloudlet community inbox`.",
      { status: 404 },
    );
  }
  return kept;
}

function toBeAnswered(desk: Desk, id: string): KeptExchange {
  const kept = exchangeOf(desk, id);
  if (kept.mine || kept.state !== "waiting") {
    throw new MedcloudletError(
      "EXCHANGE_NOT_WAITING",
      kept.mine ? "This is your own question." : "This question has been answered or declined already.",
      { status: 409 },
    );
  }
  return kept;
}

/**
 * Answers a question. One that a partner wrote is answered only while the gate is open to them; an opening question
 * needs no trust, and what its answer says is the answerer's choice.
 * @throws MedcloudletError `GATE_CLOSED`, `EXCHANGE_NOT_WAITING` (409), `MESSAGE_LENGTH`
 */
export async function answer(desk: Desk, id: string, text: string, card?: CardMaker): Promise<void> {
  const kept = toBeAnswered(desk, id);
  const { partner } = kept;
  if (kept.kind === "question") {
    await pass(desk, partner, "to answer");
  }
  const content = card === undefined ? { text } : { text, card: await card(partner) };
  const { statement, sealed } = await write(desk, { exchange: id, to: partner, kind: "answer", content });
  // The very payload that the asker signed; it was checked when the question came.
  const receipt: Receipt = unverifiedPayload(RECEIPT, kept.receipt.byAsker);
  const byAnswerer = await signStatement(RECEIPT, receipt, desk.keys.signing);
  kept.answer = ownMessage(statement, text);
  kept.receipt.byAnswerer = byAnswerer;
  kept.state = "answered";
  await post(desk, { type: "answer", exchange: id, statement, receipt: byAnswerer, sealed });
}

/** Declines a question; nobody learns why. @throws MedcloudletError `EXCHANGE_NOT_WAITING` (409) */
export async function decline(desk: Desk, id: string): Promise<void> {
  const kept = toBeAnswered(desk, id);
  await desk.relay.decline(id);
  kept.state = "declined";
  await desk.save();
}

/**
 * Says whether an exchange was good. Witnesses are heard first, so that what they had claimed is held against it; then
 * everybody who was agreed with is looked at again. Where one's voice about the partner in that week was given already,
 * the others are not told, and one's own book is.
 * @throws MedcloudletError `EXCHANGE_UNANSWERED`, `EXCHANGE_RATED`, `FEEDBACK_LATE` (409)
 */
export async function rate(desk: Desk, id: string, good: boolean): Promise<Rated> {
  const kept = exchangeOf(desk, id);
  const { partner, epoch } = kept;
  if (kept.receipt.byAnswerer === null) {
    throw new MedcloudletError(
      "EXCHANGE_UNANSWERED",
      "Only what was answered can be rated: wait for the answer, or look into the inbox.",
      { status: 409 },
    );
  }
  if (kept.good !== null) {
    throw new MedcloudletError("EXCHANGE_RATED", "You have rated this exchange.", { status: 409 });
  }
  await hearAbout(desk, partner);
  const told = !desk.book.hasSpoken(partner, epoch);
  if (told) {
    await tellRating(desk, kept, good);
  }
  kept.good = good;
  desk.book.rate({ exchange: id, epoch, rater: desk.own, target: partner, good });
  const closed = await recheck(desk, `you rated ${good ? "a good" : "a bad"} exchange`);
  await desk.save();
  return { told, closed };
}

async function tellRating(
  desk: Desk,
  { exchange, epoch, partner }: KeptExchange,
  good: boolean,
): Promise<void> {
  const said = {
    exchange,
    community: desk.community.community,
    epoch,
    rater: desk.own,
    target: partner,
    good,
  };
  const statement = await signStatement(FEEDBACK, said, desk.keys.signing);
  await post(desk, { type: "rating", exchange, statement });
}
