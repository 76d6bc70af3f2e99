import { type Bytes, type Clock, fromBase64Url, MedcloudletError, toBase64Url } from "../../base/index.ts";
import type { Member } from "../../community/index.ts";
import type { Grant } from "../../identity/index.ts";
import {
  EMERGENCY_CALL,
  EMERGENCY_MINUTES,
  type EmergencyCall,
  verifyStatement,
} from "../../sealing/index.ts";
import { isDuplicate, type Store } from "../../store/index.ts";
import { ATTESTED_LIST_BYTES } from "../../trust/index.ts";
import type { Presence } from "./presences.ts";
import { HELPER_ANSWER, HELPER_CHOICE, type HelperAnswer, requestDigest } from "./statements.ts";

/** Answers that one call takes: what a patient's telephone can compare in a few seconds. */
const ANSWERS_MOST = 64;
/** Calls that one helper is shown at a time. */
const SHOWN_MOST = 8;
const MINUTE_MS = 60_000;
/** How far clocks may differ. */
const CLOCK_SKEW_MS = 30_000;
/** What is over is kept for so long, for whoever asks once more. */
const KEEP_MS = 60 * MINUTE_MS;

/** A helper's answer with what the patient's side checks it by; the cloudlet is not believed. */
export interface KeptAnswer {
  readonly statement: string;
  readonly credential: string;
  readonly set: string;
}

/** One call for helpers: one document. */
export interface Call {
  readonly _id: string;
  readonly deviceId: string;
  readonly community: string;
  /** As the device signed it, the ticket that names its key, and the points that it asks with (base64url). */
  readonly statement: string;
  readonly ticket: string;
  readonly request: string;
  readonly at: number;
  readonly until: number;
  readonly endedAt: number | null;
  /** By pseudonym: nobody answers twice. */
  readonly answers: Readonly<Record<string, KeptAnswer>>;
  readonly answered: number;
  /** Keys of helpers that the patient's side chose, and by which version of its word. */
  readonly helpers: readonly string[];
  readonly version: number;
}

/** Calls for helpers at a cloudlet. It is a blind relay: who qualifies, the patient's side finds out. */
export interface Calls {
  /**
   * Takes a device's call; sent again it changes nothing. An earlier call of the device is over then.
   * @throws MedcloudletError `STATEMENT_INVALID`, `CALL_MISMATCH` (403), `CALL_STALE` (403), `CALL_TIME_LIMIT` (403),
   *   `CALL_EXISTS` (409)
   */
  open(input: {
    readonly grant: Grant<"upload">;
    readonly ticket: string;
    readonly community: string;
    readonly statement: string;
    readonly request: Bytes;
  }): Promise<{ call: Call; known: boolean }>;
  /** @throws MedcloudletError `CALL_UNKNOWN` (404) */
  find(callId: string): Promise<Call>;
  /** Calls that a helper has yet to answer, the oldest first. */
  unanswered(member: Member): Promise<Call[]>;
  /** Calls for which a helper was chosen. */
  relayedBy(member: Member): Promise<Call[]>;
  /**
   * @throws MedcloudletError `STATEMENT_INVALID`, `STATEMENT_NOT_YOURS` (403), `CALL_UNKNOWN`, `CALL_ENDED` (410),
   *   `CALL_ANSWERED` (409), `CALL_FULL` (409)
   */
  answer(member: Member, presence: Presence, callId: string, statement: string): Promise<void>;
  /** @throws MedcloudletError `STATEMENT_INVALID`, `CALL_MISMATCH`, `CALL_ENDED`, `CHOICE_OLDER` (409) */
  choose(grant: Grant<"upload">, callId: string, statement: string): Promise<Call>;
  forget(): Promise<void>;
}

function refuse(code: string, message: string, status: number, cause?: unknown): MedcloudletError {
  return new MedcloudletError(code, message, { status, cause });
}
const ended = () => refuse("CALL_ENDED", "This call is over: there is nothing to do for it any more.", 410);
const mismatch = (why: string) =>
  refuse("CALL_MISMATCH", `The call does not fit: ${why}. Sign one of this device.`, 403);

export async function createCalls(options: { readonly store: Store; readonly clock: Clock }): Promise<Calls> {
  const { store, clock } = options;
  const calls = await store.collection<Call>({
    name: "emergency_calls",
    indexes: [
      { fields: { community: 1, until: 1 } },
      { fields: { deviceId: 1, until: 1 } },
      { fields: { until: 1 } },
    ],
  });

  const live = () => ({ until: { $gt: clock.now() }, endedAt: { $eq: null } });
  const isLive = (call: Call) => call.endedAt === null && call.until > clock.now();
  const find = async (callId: string): Promise<Call> => {
    const call = await calls.findOne({ _id: { $eq: callId } });
    if (call === null) {
      throw refuse("CALL_UNKNOWN", "There is no such call here: look for calls again.", 404);
    }
    return call;
  };

  const assertOfNow = ({ at, until }: EmergencyCall): void => {
    const now = clock.now();
    // That it is the device's of now, the request's proof shows; a call may have waited for the line.
    if (at > now + CLOCK_SKEW_MS || until <= now) {
      throw refuse(
        "CALL_STALE",
        "The call is over, or of the future by the clock here: sign a new one.",
        403,
      );
    }
    const minutes = (until - at) / MINUTE_MS;
    if (minutes < EMERGENCY_MINUTES.least || minutes > EMERGENCY_MINUTES.most) {
      throw refuse(
        "CALL_TIME_LIMIT",
        `A call lasts ${EMERGENCY_MINUTES.least} to ${EMERGENCY_MINUTES.most} minutes: choose another time.`,
        403,
      );
    }
  };

  return {
    find,
    async open({ grant, ticket, community, statement, request }) {
      const call: EmergencyCall = await verifyStatement(
        EMERGENCY_CALL,
        statement,
        fromBase64Url(grant.deviceKey),
      );
      if (call.deviceId !== grant.device) {
        throw mismatch("it names another device than the ticket");
      }
      if (request.length !== ATTESTED_LIST_BYTES || requestDigest(request) !== call.request) {
        throw mismatch("the points are not those that it names");
      }
      const there = await calls.findOne({ _id: { $eq: call.callId } });
      if (there?.statement === statement && there.community === community) {
        return { call: there, known: true };
      }
      if (there !== null) {
        throw refuse("CALL_EXISTS", "There is a call with this id already: take a new id.", 409);
      }
      assertOfNow(call);
      const record: Call = {
        _id: call.callId,
        deviceId: call.deviceId,
        community,
        statement,
        ticket,
        request: toBase64Url(request),
        at: call.at,
        until: call.until,
        endedAt: null,
        answers: {},
        answered: 0,
        helpers: [],
        version: 0,
      };
      try {
        await calls.insertOne(record);
      } catch (cause) {
        throw isDuplicate(cause)
          ? refuse("CALL_EXISTS", "There is a call with this id already: take a new id.", 409, cause)
          : cause;
      }
      const before = await calls.find({ deviceId: { $eq: call.deviceId }, ...live() });
      for (const { _id } of before) {
        if (_id !== call.callId) {
          await calls.updateOne({ _id: { $eq: _id } }, { $set: { endedAt: clock.now() } });
        }
      }
      return { call: record, known: false };
    },
    async unanswered({ pseudonym, community: { community } }) {
      const found = await calls.find(
        {
          community: { $eq: community },
          ...live(),
          answered: { $lt: ANSWERS_MOST },
          [`answers.${pseudonym}`]: { $exists: false },
        },
        { sort: { at: 1, _id: 1 }, limit: SHOWN_MOST },
      );
      return found;
    },
    async relayedBy({ enrolment, community: { community } }) {
      const found = await calls.find(
        { community: { $eq: community }, ...live() },
        { sort: { at: 1, _id: 1 }, limit: 256, projection: { answers: 0, request: 0 } },
      );
      return found.filter(({ helpers }) => helpers.includes(enrolment.signingKey));
    },
    async answer({ pseudonym, key, community: { community } }, presence, callId, statement) {
      const answer: HelperAnswer = await verifyStatement(HELPER_ANSWER, statement, key);
      if (answer.pseudonym !== pseudonym || answer.community !== community || answer.callId !== callId) {
        throw refuse(
          "STATEMENT_NOT_YOURS",
          "The answer is not by you for this call: sign it with the key of your credential.",
          403,
        );
      }
      const call = await find(callId);
      if (call.community !== community) {
        throw refuse("CALL_UNKNOWN", "There is no such call here: look for calls again.", 404);
      }
      if (!isLive(call)) {
        throw ended();
      }
      const { credential, set } = presence;
      const { matched } = await calls.updateOne(
        {
          _id: { $eq: callId },
          ...live(),
          answered: { $lt: ANSWERS_MOST },
          [`answers.${pseudonym}`]: { $exists: false },
        },
        { $set: { [`answers.${pseudonym}`]: { statement, credential, set } }, $inc: { answered: 1 } },
      );
      if (matched === 0) {
        const now = await find(callId);
        if (now.answers[pseudonym] !== undefined) {
          throw refuse("CALL_ANSWERED", "You have answered this call: one answer is taken.", 409);
        }
        throw isLive(now)
          ? refuse("CALL_FULL", "This call has answers enough: stand by for others.", 409)
          : ended();
      }
    },
    async choose(grant, callId, statement) {
      const choice = await verifyStatement(HELPER_CHOICE, statement, fromBase64Url(grant.deviceKey));
      if (choice.callId !== callId || choice.deviceId !== grant.device) {
        throw mismatch("the choice is for another one");
      }
      const before = await find(callId);
      if (before.version === choice.version) {
        return before;
      }
      if (!isLive(before)) {
        throw ended();
      }
      const after = await calls.findOneAndUpdate(
        { _id: { $eq: callId }, version: { $lt: choice.version } },
        {
          $set: {
            helpers: choice.helpers,
            version: choice.version,
            endedAt: choice.ended ? clock.now() : null,
          },
        },
        { returnDocument: "after" },
      );
      if (after === null) {
        throw refuse("CHOICE_OLDER", "A later choice of helpers is here already: count on from it.", 409);
      }
      return after;
    },
    async forget() {
      await calls.deleteMany({ until: { $lte: clock.now() - KEEP_MS } });
    },
  };
}
