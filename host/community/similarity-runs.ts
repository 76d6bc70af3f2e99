import { type Clock, fromBase64Url, fromHex, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import { verifyStatement } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import { createSimilarityBudget, readMessage, trustEpoch } from "../trust/index.ts";
import { assertFresh, DAY_MS, unknown } from "./common.ts";
import type { Member, Members } from "./members.ts";
import { SIMILARITY_MESSAGE, type SimilarityStatement } from "./statements.ts";

/** A run that nobody finishes goes after this, and any run after the other. */
const UNFINISHED_MS = 7 * DAY_MS;
const FINISHED_MS = 14 * DAY_MS;

/** One run of private similarity: three signed messages, in the relay's hands as they came. */
export interface RunRecord {
  readonly _id: string;
  readonly community: string;
  readonly run: string;
  readonly from: string;
  readonly to: string;
  readonly request: string;
  readonly reply: string | null;
  readonly confirmation: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Stamps of what each has yet to see; 0 for nothing. */
  readonly forFrom: number;
  readonly forTo: number;
}

export interface SimilarityRuns {
  /**
   * Takes one message from its sender: a request begins a run and costs one of the pair's budget.
   * @throws MedcloudletError `STATEMENT_INVALID`, `SIMILARITY_MESSAGE_INVALID` (400), `STATEMENT_STALE` (409),
   *   `PARTNER_UNKNOWN`, `SIMILARITY_RUN_UNKNOWN` (404), `SIMILARITY_BUDGET_SPENT` (429), `SIMILARITY_TURN` (409)
   */
  take(member: Member, statement: string): Promise<{ run: RunRecord; known: boolean }>;
  /** A run of these two, or null. */
  of(community: string, run: string): Promise<RunRecord | null>;
  /** What is new for a member since a stamp. */
  newFor(community: string, member: string, since: number, limit: number): Promise<[number, RunRecord][]>;
  /** Deletes what has expired. */
  forget(): Promise<void>;
}

export async function createSimilarityRuns(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly members: Pick<Members, "partner">;
  readonly stamp: () => number;
}): Promise<SimilarityRuns> {
  const { store, clock, members, stamp } = options;
  const budget = await createSimilarityBudget({ store });
  const runs = await store.collection<RunRecord>({
    name: "community_runs",
    indexes: [
      { fields: { community: 1, from: 1, forFrom: 1 } },
      { fields: { community: 1, to: 1, forTo: 1 } },
      { fields: { expiresAt: 1 } },
    ],
  });

  const of = (community: string, run: string) =>
    runs.findOne({ _id: { $eq: `${community}:${run}` }, expiresAt: { $gt: clock.now() } });

  const outOfTurn = (why: string, cause?: unknown) =>
    new MedcloudletError("SIMILARITY_TURN", `This message does not come next in its run: ${why}.`, {
      status: 409,
      cause,
    });

  async function begin(member: Member, statement: string, payload: SimilarityStatement): Promise<RunRecord> {
    const { community, run, from, to } = payload;
    await members.partner(member.community, to);
    const now = clock.now();
    await budget.spend(community, from, to, trustEpoch(now));
    const record: RunRecord = {
      _id: `${community}:${run}`,
      community,
      run,
      from,
      to,
      request: statement,
      reply: null,
      confirmation: null,
      createdAt: now,
      expiresAt: now + UNFINISHED_MS,
      forFrom: 0,
      forTo: stamp(),
    };
    try {
      await runs.insertOne(record);
    } catch (cause) {
      if (isMedcloudletError(cause, "STORE_DUPLICATE")) {
        throw outOfTurn("its id is used already", cause);
      }
      throw cause;
    }
    return record;
  }

  async function goOn(there: RunRecord, statement: string, payload: SimilarityStatement): Promise<RunRecord> {
    const { _id, from, to } = there;
    const isReply = payload.kind === "reply";
    const theirs = isReply
      ? payload.from === to && payload.to === from
      : payload.from === from && payload.to === to;
    if (!theirs) {
      throw outOfTurn(`the ${payload.kind} is for the other of the two to send`);
    }
    const after = await runs.findOneAndUpdate(
      isReply
        ? { _id: { $eq: _id }, reply: { $eq: null } }
        : { _id: { $eq: _id }, reply: { $ne: null }, confirmation: { $eq: null } },
      {
        $set: isReply
          ? { reply: statement, forFrom: stamp() }
          : { confirmation: statement, forTo: stamp(), expiresAt: there.createdAt + FINISHED_MS },
      },
      { returnDocument: "after" },
    );
    if (after === null) {
      throw outOfTurn(`there is a ${payload.kind} already, or nothing that it could follow`);
    }
    return after;
  }

  return {
    async take(member, statement) {
      const payload = await verifyStatement(SIMILARITY_MESSAGE, statement, member.key);
      const { community, run, kind, message } = payload;
      readMessage(kind, fromBase64Url(message), fromHex(run));
      const there = await of(community, run);
      if (there?.[kind] === statement) {
        return { run: there, known: true };
      }
      assertFresh(payload.at, clock);
      if (kind === "request") {
        return { run: await begin(member, statement, payload), known: false };
      }
      if (there === null) {
        throw unknown("run", "SIMILARITY_RUN_UNKNOWN");
      }
      return { run: await goOn(there, statement, payload), known: false };
    },
    of,
    async newFor(community, member, since, limit) {
      const now = { $gt: clock.now() };
      const [begun, asked] = await Promise.all([
        runs.find(
          {
            community: { $eq: community },
            from: { $eq: member },
            forFrom: { $gt: since },
            expiresAt: now,
          },
          { sort: { forFrom: 1, _id: 1 }, limit },
        ),
        runs.find(
          { community: { $eq: community }, to: { $eq: member }, forTo: { $gt: since }, expiresAt: now },
          { sort: { forTo: 1, _id: 1 }, limit },
        ),
      ]);
      return [
        ...begun.map((run): [number, RunRecord] => [run.forFrom, run]),
        ...asked.map((run): [number, RunRecord] => [run.forTo, run]),
      ];
    },
    async forget() {
      await runs.deleteMany({ expiresAt: { $lte: clock.now() } });
      await budget.forgetBefore(trustEpoch(clock.now()));
    },
  };
}

/** As docs/PROTOCOL.md says. */
export function viewOfRun({ run, from, to, request, reply, confirmation, expiresAt }: RunRecord) {
  return { run, from, to, request, reply, confirmation, expiresAt };
}
