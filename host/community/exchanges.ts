import { type Bytes, type Clock, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import { verifyStatement } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import { RECEIPT, type Receipt, trustEpoch } from "../trust/index.ts";
import type { Agreements } from "./agreements.ts";
import { assertFresh, DAY_MS, readSealed, unknown } from "./common.ts";
import type { ExchangeRecord, Half } from "./exchange-records.ts";
import type { Member, Members } from "./members.ts";
import { COMMUNITY_MESSAGE, OPENING, statementDigest } from "./statements.ts";

const ANSWER_WITHIN_MS = 30 * DAY_MS;
/** Sealed contents after both have said that they kept theirs. */
const KEPT_MS = 7 * DAY_MS;
/** An exchange in any case: a report rests on it, and a rating comes within two weeks. */
const EXCHANGE_MS = 60 * DAY_MS;
/** Questions and openings that one member may send in one epoch: what the relay keeps of somebody is bounded. */
const EXCHANGES_A_MEMBER = 500;
const EMPTIED_AT_ONCE = 100;

/** A half as it comes in; `sealed` is absent from an opening. */
export interface SentHalf {
  readonly statement: string;
  readonly receipt: string;
  readonly sealed?: string;
}

export interface Exchanges {
  /**
   * Takes a question with the asker's half of the receipt.
   * @throws MedcloudletError `STATEMENT_INVALID`, `RECEIPT_MISMATCH`, `SEALED_SIZE_INVALID`, `SEALED_DIGEST_MISMATCH`
   *   (400), `AGREEMENT_MISSING`, `PARTNER_UNKNOWN`, `STATEMENT_STALE`, `EXCHANGE_EXISTS`, `OPENING_USED` (409),
   *   `OPENING_UNKNOWN` (404), `EXCHANGE_LIMIT` (429)
   */
  ask(member: Member, kind: "question" | "opening", half: SentHalf): Promise<Taken>;
  /**
   * Takes the answer with the answerer's half, which must say what the asker's says.
   * @throws MedcloudletError as `ask`, and `EXCHANGE_UNKNOWN` (404), `MESSAGE_MISMATCH` (400), `EXCHANGE_CLOSED` (409),
   *   `EXCHANGE_EXPIRED` (410)
   */
  answer(member: Member, exchange: string, half: SentHalf): Promise<Taken>;
  /** @throws MedcloudletError `EXCHANGE_UNKNOWN` (404), `EXCHANGE_CLOSED` (409) when it was answered */
  decline(member: Member, exchange: string): Promise<ExchangeRecord>;
  /** One of the two keeps what was sent to them; when both do, the sealed contents go a week later. */
  received(member: Member, exchange: string): Promise<void>;
  of(community: string, exchange: string): Promise<ExchangeRecord | null>;
  newFor(
    community: string,
    member: string,
    since: number,
    limit: number,
  ): Promise<[number, ExchangeRecord][]>;
  /** Deletes the sealed bytes of one message, after a moderator's decision; its statement stays. */
  empty(record: ExchangeRecord, message: "question" | "answer"): Promise<void>;
  forget(): Promise<void>;
}

export interface Taken {
  readonly exchange: ExchangeRecord;
  readonly known: boolean;
}

export async function createExchanges(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly members: Pick<Members, "partner">;
  readonly agreements: Pick<Agreements, "inForce">;
  readonly stamp: () => number;
}): Promise<Exchanges> {
  const { store, clock, members, agreements, stamp } = options;
  const exchanges = await store.collection<ExchangeRecord>({
    name: "community_exchanges",
    indexes: [
      { fields: { community: 1, slot: 1 }, unique: true },
      { fields: { community: 1, asker: 1, epoch: 1 } },
      { fields: { community: 1, asker: 1, forAsker: 1 } },
      { fields: { community: 1, answerer: 1, forAnswerer: 1 } },
      { fields: { emptied: 1, sealedUntil: 1 } },
      { fields: { goesAt: 1 } },
    ],
  });

  const of = (community: string, exchange: string) =>
    exchanges.findOne({ _id: { $eq: idOf(community, exchange) }, goesAt: { $gt: clock.now() } });

  async function mine(member: Member, exchange: string): Promise<ExchangeRecord> {
    const record = await of(member.community.community, exchange);
    if (record === null || (record.asker !== member.pseudonym && record.answerer !== member.pseudonym)) {
      throw unknown("exchange", "EXCHANGE_UNKNOWN");
    }
    return record;
  }

  async function assertAgreed(community: string, one: string, other: string): Promise<void> {
    if (!(await agreements.inForce(community, one, other))) {
      throw new MedcloudletError(
        "AGREEMENT_MISSING",
        "Questions and their answers pass only while both agree to exchange: sign your agreement, and wait for theirs.",
        { status: 403 },
      );
    }
  }

  /** What a statement of the asker says, and the sealed bytes that go with it. */
  async function readQuestion(member: Member, kind: "question" | "opening", half: SentHalf) {
    if (kind === "opening") {
      const { community, exchange, to, question, at } = await verifyStatement(
        OPENING,
        half.statement,
        member.key,
      );
      if (member.community.openingQuestions[question] === undefined) {
        throw new MedcloudletError(
          "OPENING_UNKNOWN",
          "The community's list has no opening question with this number.",
          { status: 404 },
        );
      }
      return { community, exchange, to, at, sealed: null };
    }
    const { community, exchange, to, at, ...message } = await verifyStatement(
      COMMUNITY_MESSAGE,
      half.statement,
      member.key,
    );
    assertKind("question", message.kind);
    return { community, exchange, to, at, sealed: readSealed("question", half.sealed ?? "", message.sealed) };
  }

  /** One member asks so many questions a week. */
  async function assertRoom({ community, asker, epoch }: Receipt): Promise<void> {
    const asked = { community: { $eq: community }, asker: { $eq: asker }, epoch: { $eq: epoch } };
    const sent = await exchanges.countDocuments(asked);
    if (sent >= EXCHANGES_A_MEMBER) {
      throw new MedcloudletError(
        "EXCHANGE_LIMIT",
        `One member asks at most ${EXCHANGES_A_MEMBER} questions a week: wait for the next one.`,
        { status: 429 },
      );
    }
  }

  /** Inserts a question, or finds that it is there: of two at the same moment one stands. */
  async function insert(record: ExchangeRecord): Promise<{ exchange: ExchangeRecord; known: boolean }> {
    const { community, exchange, kind, question } = record;
    try {
      await exchanges.insertOne(record);
    } catch (cause) {
      if (!isMedcloudletError(cause, "STORE_DUPLICATE")) {
        throw cause;
      }
      const same = await of(community, exchange);
      if (same?.question.statement === question.statement) {
        return { exchange: same, known: true };
      }
      throw kind === "opening" && same === null
        ? new MedcloudletError(
            "OPENING_USED",
            "You have asked this member an opening question this week: wait for the next one.",
            { status: 409, cause },
          )
        : taken(cause);
    }
    return { exchange: record, known: false };
  }

  return {
    async ask(member, kind, half) {
      const { community, exchange, to, at, sealed } = await readQuestion(member, kind, half);
      const expected: Receipt = {
        exchange,
        community,
        epoch: trustEpoch(at),
        asker: member.pseudonym,
        answerer: to,
        question: statementDigest(half.statement),
      };
      await assertReceipt(half.receipt, member.key, expected);
      const there = await of(community, exchange);
      if (there !== null) {
        if (there.question.statement === half.statement) {
          return { exchange: there, known: true };
        }
        throw taken();
      }
      assertFresh(at, clock);
      await members.partner(member.community, to);
      if (kind === "question") {
        await assertAgreed(community, member.pseudonym, to);
      }
      await assertRoom(expected);
      const { asker, answerer, epoch } = expected;
      const now = clock.now();
      return insert({
        _id: idOf(community, exchange),
        community,
        exchange,
        kind,
        slot: kind === "opening" ? `${epoch}:${asker}:${answerer}` : exchange,
        asker,
        answerer,
        epoch,
        question: { statement: half.statement, receipt: half.receipt, sealed },
        answer: null,
        state: "waiting",
        askerReceived: false,
        answererReceived: false,
        createdAt: now,
        sealedUntil: now + EXCHANGE_MS,
        goesAt: now + EXCHANGE_MS,
        emptied: sealed === null,
        forAsker: 0,
        forAnswerer: stamp(),
      });
    },

    async answer(member, exchange, half) {
      const { sealed: digest, ...message } = await verifyStatement(
        COMMUNITY_MESSAGE,
        half.statement,
        member.key,
      );
      assertKind("answer", message.kind);
      const there = await mine(member, exchange);
      const { community, asker, answerer, epoch, question } = there;
      if (member.pseudonym !== answerer) {
        throw unknown("exchange", "EXCHANGE_UNKNOWN");
      }
      const fits =
        message.exchange === exchange &&
        message.community === community &&
        message.from === answerer &&
        message.to === asker;
      if (!fits) {
        throw new MedcloudletError(
          "MESSAGE_MISMATCH",
          "The answer's statement is of another exchange, or from or to somebody else.",
          { status: 400 },
        );
      }
      const sealed: Bytes = readSealed("answer", half.sealed ?? "", digest);
      const expected: Receipt = {
        exchange,
        community,
        epoch,
        asker,
        answerer,
        question: statementDigest(question.statement),
      };
      await assertReceipt(half.receipt, member.key, expected);
      if (there.answer?.statement === half.statement) {
        return { exchange: there, known: true };
      }
      assertFresh(message.at, clock);
      if (clock.now() > there.createdAt + ANSWER_WITHIN_MS) {
        throw new MedcloudletError("EXCHANGE_EXPIRED", "A question is answered within 30 days.", {
          status: 410,
        });
      }
      if (there.kind === "question") {
        await assertAgreed(community, asker, answerer);
      }
      const answer: Half = { statement: half.statement, receipt: half.receipt, sealed };
      const after = await exchanges.findOneAndUpdate(
        { _id: { $eq: there._id }, state: { $eq: "waiting" } },
        { $set: { answer, state: "answered", emptied: false, forAsker: stamp() } },
        { returnDocument: "after" },
      );
      if (after === null) {
        throw closed();
      }
      return { exchange: after, known: false };
    },

    async decline(member, exchange) {
      const there = await mine(member, exchange);
      if (there.answerer !== member.pseudonym) {
        throw unknown("exchange", "EXCHANGE_UNKNOWN");
      }
      if (there.state === "declined") {
        return there;
      }
      const after = await exchanges.findOneAndUpdate(
        { _id: { $eq: there._id }, state: { $eq: "waiting" } },
        { $set: { state: "declined", forAsker: stamp() } },
        { returnDocument: "after" },
      );
      if (after === null) {
        throw closed();
      }
      return after;
    },

    async received(member, exchange) {
      const { _id, asker } = await mine(member, exchange);
      const [own, other] =
        asker === member.pseudonym
          ? (["askerReceived", "answererReceived"] as const)
          : (["answererReceived", "askerReceived"] as const);
      // Before there is an answer the asker has nothing to keep.
      const due = own === "askerReceived" ? { state: { $ne: "waiting" as const } } : {};
      const filter = { _id: { $eq: _id }, ...due };
      const after = await exchanges.findOneAndUpdate(
        filter,
        { $set: { [own]: true } },
        { returnDocument: "after" },
      );
      if (after?.[other] === true) {
        // Said again after a crash in between: the first time counts.
        await exchanges.updateOne(filter, { $min: { sealedUntil: clock.now() + KEPT_MS } });
      }
    },

    of,

    async newFor(community, member, since, limit) {
      const here = { community: { $eq: community }, goesAt: { $gt: clock.now() } };
      const [asked, toAnswer] = await Promise.all([
        exchanges.find(
          { ...here, asker: { $eq: member }, forAsker: { $gt: since } },
          { sort: { forAsker: 1, _id: 1 }, limit },
        ),
        exchanges.find(
          { ...here, answerer: { $eq: member }, forAnswerer: { $gt: since } },
          { sort: { forAnswerer: 1, _id: 1 }, limit },
        ),
      ]);
      return [
        ...asked.map((record): [number, ExchangeRecord] => [record.forAsker, record]),
        ...toAnswer.map((record): [number, ExchangeRecord] => [record.forAnswerer, record]),
      ];
    },

    async empty({ _id }, message) {
      const sealed = message === "question" ? { "question.sealed": null } : { "answer.sealed": null };
      await exchanges.updateOne({ _id: { $eq: _id } }, { $set: sealed });
    },

    async forget() {
      const now = clock.now();
      await exchanges.deleteMany({ goesAt: { $lte: now } });
      for (;;) {
        const due = await exchanges.find(
          { emptied: { $eq: false }, sealedUntil: { $lte: now } },
          { limit: EMPTIED_AT_ONCE, projection: { _id: 1, state: 1 } },
        );
        for (const { _id, state } of due) {
          const answer = state === "answered" ? { "answer.sealed": null } : {};
          await exchanges.updateOne(
            { _id: { $eq: _id } },
            { $set: { "question.sealed": null, ...answer, emptied: true } },
          );
        }
        if (due.length < EMPTIED_AT_ONCE) {
          return;
        }
      }
    },
  };
}

/** @throws MedcloudletError `STATEMENT_INVALID`, `RECEIPT_MISMATCH` (400) */
async function assertReceipt(statement: string, key: Bytes, expected: Receipt): Promise<void> {
  const receipt: Receipt = await verifyStatement(RECEIPT, statement, key);
  const same = (Object.keys(expected) as (keyof Receipt)[]).every(
    (field) => receipt[field] === expected[field],
  );
  if (!same) {
    throw new MedcloudletError(
      "RECEIPT_MISMATCH",
      "The receipt is not of this exchange: both halves name the same exchange, epoch, pseudonyms and question.",
      { status: 400 },
    );
  }
}

function assertKind(expected: "question" | "answer", kind: "question" | "answer"): void {
  if (kind !== expected) {
    throw new MedcloudletError("MESSAGE_KIND", `Send the statement of ${expected} here, not of ${kind}.`, {
      status: 400,
    });
  }
}

function taken(cause?: unknown): MedcloudletError {
  return new MedcloudletError("EXCHANGE_EXISTS", "There is another exchange with this id: make a new one.", {
    status: 409,
    cause,
  });
}

function closed(): MedcloudletError {
  return new MedcloudletError("EXCHANGE_CLOSED", "This question was answered or declined already.", {
    status: 409,
  });
}

function idOf(community: string, exchange: string): string {
  return `${community}:${exchange}`;
}
