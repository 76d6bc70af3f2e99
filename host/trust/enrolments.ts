import { type Bytes, type Clock, isMedcloudletError, MedcloudletError, toBase64Url } from "../base/index.ts";
import { unverifiedPayload } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import { CREDENTIAL, type Credential, verifyCredential } from "./receipts.ts";

/** Credentials with other keys that are kept of one pseudonym: more than a patient loses phones. */
const MOST_EARLIER = 16;
/** How often an enrolment is tried again when another of the same pseudonym came in between. */
const TRIES = 3;

/** A patient of a community: one document a pseudonym, so that nobody is in twice. */
export interface Enrolment {
  readonly _id: string;
  readonly community: string;
  readonly pseudonym: string;
  readonly signingKey: string;
  readonly until: number;
  readonly credential: Credential;
  readonly statement: string;
  /** Key of the hospital that signed; a community that exchanges it lets its credentials go. */
  readonly issuerKey: string;
  /** Earlier credentials with other keys, newest first: a new key makes no old signature uncheckable. */
  readonly earlier: readonly string[];
  /** What the member signed about their receiving key; null where nobody asked for one. */
  readonly memberKey: string | null;
}

/** Who is in a community, by pseudonym. */
export interface Enrolments {
  /**
   * Lets a patient into a community. The same pseudonym comes back with a new key, and keeps its name for good or ill.
   * @throws MedcloudletError `CREDENTIAL_ISSUER_UNKNOWN`, `CREDENTIAL_EXPIRED` (403), `CREDENTIAL_KEY_TAKEN` (409)
   *   when the key belongs to another pseudonym, `CREDENTIAL_OLDER` (409) when a later credential is there
   */
  enrol(
    statement: string,
    issuers: ReadonlyMap<string, Bytes>,
    memberKey?: string,
  ): Promise<{ readonly enrolment: Enrolment; readonly change: "new" | "changed" | "none" }>;
  /** Whoever has this name, valid or not. */
  byPseudonym(community: string, pseudonym: string): Promise<Enrolment | null>;
  /** Whoever has this key now, valid or not. */
  byKey(community: string, signingKey: Bytes): Promise<Enrolment | null>;
  /** Enrolments behind the pseudonym `after` in their order; `valid`: only with a credential of now. */
  page(
    community: string,
    options: { readonly after?: string | undefined; readonly limit: number; readonly valid: boolean },
  ): Promise<Enrolment[]>;
}

export async function createEnrolments({
  store,
  clock,
}: {
  readonly store: Store;
  readonly clock: Clock;
}): Promise<Enrolments> {
  const enrolments = await store.collection<Enrolment>({
    name: "community_credentials",
    indexes: [
      { fields: { community: 1, signingKey: 1 }, unique: true },
      { fields: { community: 1, pseudonym: 1 } },
    ],
  });

  /** Writes one state over the one it was made from; null when that is not there any more. */
  async function write(there: Enrolment | null, next: Enrolment): Promise<Enrolment | null> {
    try {
      if (there === null) {
        await enrolments.insertOne(next);
        return next;
      }
      const { _id, ...fields } = next;
      const { matched } = await enrolments.updateOne(
        { _id: { $eq: _id }, statement: { $eq: there.statement }, memberKey: { $eq: there.memberKey } },
        { $set: fields },
      );
      return matched === 1 ? next : null;
    } catch (cause) {
      if (!isMedcloudletError(cause, "STORE_DUPLICATE")) {
        throw cause;
      }
      if (there === null && (await enrolments.findOne({ _id: { $eq: next._id } })) !== null) {
        return null;
      }
      throw new MedcloudletError(
        "CREDENTIAL_KEY_TAKEN",
        "This key is enrolled already: make one for yourself.",
        { status: 409, cause },
      );
    }
  }

  return {
    async enrol(statement, issuers, memberKey) {
      const credential = await verifyCredential(statement, issuers, clock.now());
      const { community, pseudonym, signingKey, from, until, issuer } = credential;
      const _id = idOf(community, pseudonym);
      for (let tries = 0; tries < TRIES; tries++) {
        const there = await enrolments.findOne({ _id: { $eq: _id } });
        if (there !== null && there.credential.from > from) {
          throw new MedcloudletError(
            "CREDENTIAL_OLDER",
            "A later credential of this pseudonym is enrolled already.",
            { status: 409 },
          );
        }
        if (there?.statement === statement && (memberKey === undefined || there.memberKey === memberKey)) {
          return { enrolment: there, change: "none" };
        }
        const before = there?.earlier ?? [];
        const next: Enrolment = {
          _id,
          community,
          pseudonym,
          signingKey,
          until,
          credential,
          statement,
          issuerKey: toBase64Url(issuers.get(issuer) as Bytes),
          earlier:
            there === null || there.signingKey === signingKey
              ? before
              : [there.statement, ...before].slice(0, MOST_EARLIER),
          memberKey: memberKey ?? (there?.signingKey === signingKey ? there.memberKey : null),
        };
        const written = await write(there, next);
        if (written !== null) {
          return { enrolment: written, change: there === null ? "new" : "changed" };
        }
      }
      throw new MedcloudletError(
        "CREDENTIAL_BUSY",
        "This pseudonym is being enrolled by somebody else at this moment: try again.",
        { status: 409 },
      );
    },
    byPseudonym: (community, pseudonym) => enrolments.findOne({ _id: { $eq: idOf(community, pseudonym) } }),
    byKey: (community, signingKey) =>
      enrolments.findOne({ community: { $eq: community }, signingKey: { $eq: toBase64Url(signingKey) } }),
    page: (community, { after, limit, valid }) =>
      enrolments.find(
        {
          community: { $eq: community },
          ...(after === undefined ? {} : { pseudonym: { $gt: after } }),
          ...(valid ? { until: { $gt: clock.now() } } : {}),
        },
        { sort: { pseudonym: 1 }, limit },
      ),
  };
}

/** A member's credentials, the newest first: any of their keys may have signed what is a week old. */
export function credentialsOf({ credential, earlier }: Enrolment): Credential[] {
  // Each was checked when it was enrolled.
  return [credential, ...earlier.map((statement) => unverifiedPayload<Credential>(CREDENTIAL, statement))];
}

function idOf(community: string, pseudonym: string): string {
  return `${community}:${pseudonym}`;
}
