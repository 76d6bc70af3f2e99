import { type Clock, fromBase64Url, MedcloudletError } from "../../base/index.ts";
import type { Member } from "../../community/index.ts";
import type { Store } from "../../store/index.ts";
import { verifyAttestedSet } from "../../trust/index.ts";

/** A helper is near for so long after it last said so, ms. */
export const PRESENCE_MS = 2 * 60_000;

/** A helper near this cloudlet: one document a pseudonym, so that nobody is here twice. */
export interface Presence {
  readonly _id: string;
  readonly community: string;
  readonly pseudonym: string;
  readonly signingKey: string;
  /** Credential and confirmed set as signed. */
  readonly credential: string;
  readonly set: string;
  readonly since: number;
  readonly until: number;
}

/** Who stands by. */
export interface Presences {
  /**
   * A member says that it is here, with the set that its hospital confirmed. The request's proof has shown that it is.
   * @throws MedcloudletError `STATEMENT_INVALID`, `ATTESTED_SET_MISMATCH`, `CREDENTIAL_EXPIRED`
   */
  renew(member: Member, set: string): Promise<Presence>;
  /** @throws MedcloudletError `HELPER_ABSENT` (403) for one that has not stood by in the last two minutes */
  require(member: Member): Promise<Presence>;
  /** Those with these keys who are here now. */
  present(community: string, signingKeys: readonly string[]): Promise<Presence[]>;
  forget(): Promise<void>;
}

export async function createPresences(options: {
  readonly store: Store;
  readonly clock: Clock;
}): Promise<Presences> {
  const { store, clock } = options;
  const presences = await store.collection<Presence>({
    name: "emergency_helpers",
    indexes: [{ fields: { community: 1, until: 1 } }, { fields: { until: 1 } }],
  });
  const idOf = (community: string, pseudonym: string) => `${community}:${pseudonym}`;

  return {
    async renew({ pseudonym, enrolment, community: { community } }, set) {
      const now = clock.now();
      const _id = idOf(community, pseudonym);
      const before = await presences.findOne({ _id: { $eq: _id } });
      // What the hospital signed is checked again for every renewal: it may have ended since.
      await verifyAttestedSet(set, enrolment.credential, fromBase64Url(enrolment.issuerKey), now);
      const presence: Omit<Presence, "_id"> = {
        community,
        pseudonym,
        signingKey: enrolment.signingKey,
        credential: enrolment.statement,
        set,
        since: before !== null && before.until > now ? before.since : now,
        until: Math.min(now + PRESENCE_MS, enrolment.until),
      };
      await presences.updateOne({ _id: { $eq: _id } }, { $set: presence }, { upsert: true });
      return { _id, ...presence };
    },
    async require({ pseudonym, enrolment, community: { community } }) {
      const presence = await presences.findOne({ _id: { $eq: idOf(community, pseudonym) } });
      if (
        presence === null ||
        presence.until <= clock.now() ||
        presence.signingKey !== enrolment.signingKey
      ) {
        throw new MedcloudletError("HELPER_ABSENT", "You do not stand by here now: say so first.", {
          status: 403,
        });
      }
      return presence;
    },
    present: (community, signingKeys) =>
      presences.find({
        community: { $eq: community },
        until: { $gt: clock.now() },
        signingKey: { $in: [...signingKeys] },
      }),
    async forget() {
      await presences.deleteMany({ until: { $lte: clock.now() } });
    },
  };
}
