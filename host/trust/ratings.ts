import {
  type Bytes,
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
} from "../base/index.ts";
import { verifyStatement } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import { addOutcome, type Evidence, FORGETTING, type Forgetting, forget, NO_EVIDENCE } from "./beta.ts";
import { createEnrolments, credentialsOf } from "./enrolments.ts";
import {
  type Credential,
  type Feedback,
  RECEIPT,
  type SignedReceipt,
  trustEpoch,
  verifyFeedback,
} from "./receipts.ts";

/**
 * A rating. Its id is community, epoch, rater and target, so that there is one voice for a pair and epoch; the unique
 * index on exchange and rater uses the receipt up in the same document.
 */
export interface RatingRecord {
  readonly _id: string;
  readonly community: string;
  readonly epoch: number;
  readonly rater: string;
  readonly target: string;
  readonly good: boolean;
  readonly exchange: string;
  readonly statement: string;
  readonly receipt: SignedReceipt;
}

/** What EigenTrust needs of a rating; statements and receipts stay in the store. */
export type RatedPair = Pick<RatingRecord, "epoch" | "rater" | "target" | "good">;

/** The store side of trust: who may speak, and what was said. */
export interface Ratings {
  /**
   * Lets a patient into a community. The same pseudonym comes back with a new key, and keeps its name for good or ill.
   * @throws MedcloudletError `CREDENTIAL_ISSUER_UNKNOWN`, `CREDENTIAL_EXPIRED` (403), `CREDENTIAL_KEY_TAKEN` (409)
   *   when the key belongs to another pseudonym, `CREDENTIAL_OLDER` (409) when a later credential is there
   */
  enrol(statement: string, issuers: ReadonlyMap<string, Bytes>): Promise<Credential>;
  /** The valid credential of a pseudonym, or null. */
  credentialOf(community: string, pseudonym: string): Promise<Credential | null>;
  /**
   * Takes a feedback with its receipt.
   * @throws MedcloudletError `CREDENTIAL_UNKNOWN` (403), `STATEMENT_INVALID`, `RECEIPT_MISMATCH`, `FEEDBACK_MISMATCH`
   *   (400), `FEEDBACK_LATE` (409) for another epoch than this one or the last, `VOICE_USED` (409) for a second rating
   *   of a pair in an epoch or with the same receipt
   */
  rate(input: RatingInput): Promise<Feedback>;
  /** What was said of somebody, by rater. */
  aboutTarget(community: string, target: string): Promise<Map<string, Evidence>>;
  /** What somebody said, by target. */
  byRater(community: string, rater: string): Promise<Map<string, Evidence>>;
  /** All ratings of a community from an epoch on, for EigenTrust. */
  since(community: string, epoch: number): Promise<RatedPair[]>;
  /** What somebody said of somebody in an epoch, or null. */
  of(community: string, epoch: number, rater: string, target: string): Promise<RatingRecord | null>;
  /** The statements about somebody behind `after`, for whoever wants to check them: oldest first. */
  statementsAbout(
    community: string,
    target: string,
    options: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<RatingRecord[]>;
}

/** A feedback, its receipt, and who is who in it. */
export interface RatingInput {
  readonly community: string;
  readonly statement: string;
  readonly receipt: SignedReceipt;
  readonly asker: string;
  readonly answerer: string;
  readonly rater: string;
}

/** `forgetting`: how much of an outcome is left after one epoch. */
export interface RatingsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly forgetting?: Forgetting;
}

export async function createRatings({
  store,
  clock,
  forgetting = FORGETTING,
}: RatingsOptions): Promise<Ratings> {
  const enrolments = await createEnrolments({ store, clock });
  const ratings = await store.collection<RatingRecord>({
    name: "trust_ratings",
    indexes: [
      { fields: { exchange: 1, rater: 1 }, unique: true },
      { fields: { community: 1, target: 1 } },
      { fields: { community: 1, rater: 1 } },
      { fields: { community: 1, epoch: 1 } },
    ],
  });

  async function credentialOf(community: string, pseudonym: string): Promise<Credential | null> {
    const enrolment = await enrolments.byPseudonym(community, pseudonym);
    return enrolment !== null && enrolment.until > clock.now() ? enrolment.credential : null;
  }

  /** Somebody's valid credential first, then those of keys they had. */
  async function mustHave(community: string, pseudonym: string): Promise<[Credential, ...Credential[]]> {
    const enrolment = await enrolments.byPseudonym(community, pseudonym);
    if (enrolment === null || enrolment.until <= clock.now()) {
      throw new MedcloudletError(
        "CREDENTIAL_UNKNOWN",
        "One of the two has no valid credential of this community: enrol first.",
        { status: 403 },
      );
    }
    const [, ...earlier] = credentialsOf(enrolment);
    return [enrolment.credential, ...earlier];
  }

  /**
   * Which of somebody's credentials signed a half of the receipt: a new key shall make no exchange of before unratable,
   * or changing it would be a way to escape. The newest where none did, for the error.
   */
  async function signerOf(half: string, [newest, ...earlier]: [Credential, ...Credential[]]) {
    for (const credential of [newest, ...earlier]) {
      try {
        await verifyStatement(RECEIPT, half, fromBase64Url(credential.signingKey));
        return credential;
      } catch {
        // The next one, perhaps.
      }
    }
    return newest;
  }

  /** Ratings as evidence by the name in `field`, each faded by its age. */
  function faded(records: readonly RatingRecord[], field: "rater" | "target"): Map<string, Evidence> {
    const now = trustEpoch(clock.now());
    const sums = new Map<string, Evidence>();
    for (const record of records) {
      const one = forget(addOutcome(NO_EVIDENCE, record.good), Math.max(0, now - record.epoch), forgetting);
      const sum = sums.get(record[field]) ?? NO_EVIDENCE;
      sums.set(record[field], {
        positive: sum.positive + one.positive,
        negative: sum.negative + one.negative,
      });
    }
    return sums;
  }

  return {
    enrol: async (statement, issuers) => (await enrolments.enrol(statement, issuers)).enrolment.credential,
    credentialOf,
    async rate({ community, statement, receipt, asker, answerer, rater }) {
      if (rater !== asker && rater !== answerer) {
        throw new MedcloudletError("FEEDBACK_MISMATCH", "Only the two who exchanged may rate each other.", {
          status: 400,
        });
      }
      const credentials = {
        asker: await mustHave(community, asker),
        answerer: await mustHave(community, answerer),
      };
      const parties = {
        asker: await signerOf(receipt.byAsker, credentials.asker),
        answerer: await signerOf(receipt.byAnswerer, credentials.answerer),
      };
      const [now] = rater === asker ? credentials.asker : credentials.answerer;
      const feedback = await verifyFeedback(statement, receipt, parties, now);
      // The last epoch too: an exchange late on its last day is rated on the next.
      const age = trustEpoch(clock.now()) - feedback.epoch;
      if (age !== 0 && age !== 1) {
        throw new MedcloudletError(
          "FEEDBACK_LATE",
          "An exchange is rated in its own epoch or in the next one.",
          { status: 409 },
        );
      }
      const { epoch, target, good, exchange } = feedback;
      try {
        await ratings.insertOne({
          _id: idOf(community, epoch, rater, target),
          community,
          epoch,
          rater,
          target,
          good,
          exchange,
          statement,
          receipt,
        });
      } catch (cause) {
        if (isMedcloudletError(cause, "STORE_DUPLICATE")) {
          throw new MedcloudletError(
            "VOICE_USED",
            "There is one voice for each pair and epoch, and one for each exchange: this one was given.",
            { status: 409, cause },
          );
        }
        throw cause;
      }
      return feedback;
    },
    async aboutTarget(community, target) {
      return faded(await ratings.find({ community: { $eq: community }, target: { $eq: target } }), "rater");
    },
    async byRater(community, rater) {
      return faded(await ratings.find({ community: { $eq: community }, rater: { $eq: rater } }), "target");
    },
    since: (community, epoch) =>
      ratings.find(
        { community: { $eq: community }, epoch: { $gte: epoch } },
        {
          sort: { epoch: 1, _id: 1 },
          projection: { _id: 0, epoch: 1, rater: 1, target: 1, good: 1 },
        },
      ),
    of: (community, epoch, rater, target) =>
      ratings.findOne({ _id: { $eq: idOf(community, epoch, rater, target) } }),
    statementsAbout: (community, target, { after, limit }) =>
      ratings.find(
        {
          community: { $eq: community },
          target: { $eq: target },
          ...(after === undefined ? {} : { _id: { $gt: after } }),
        },
        { sort: { _id: 1 }, limit },
      ),
  };
}

function idOf(community: string, epoch: number, rater: string, target: string): string {
  return `${community}:${epoch}:${rater}:${target}`;
}
