import { type Bytes, type Clock, MedcloudletError } from "../base/index.ts";
import type { Account } from "../identity/index.ts";
import { CONSENT, type Consent, type Region, verifyStatement, WRAPPED_KEY } from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";
import type { Epochs } from "./epochs.ts";

/** A consent with the keys wrapped under it: one document, so that neither is ever seen without the other. */
export interface ConsentRecord {
  readonly _id: string;
  readonly owner: string;
  readonly reader: string;
  readonly from: number;
  readonly until: number;
  readonly consent: Consent;
  readonly statement: string;
  readonly wrappedKeys: readonly { readonly epochId: string; readonly statement: string }[];
}

export interface Consents {
  /**
   * Takes an owner's consent and the wrapped keys that make it real.
   * @throws MedcloudletError `STATEMENT_INVALID`, `CONSENT_OWNER_MISMATCH`, `CONSENT_READER_MISMATCH`,
   *   `WRAPPED_KEY_MISMATCH`, `CONSENT_EXISTS`
   */
  grant(input: {
    owner: string;
    ownerKey: Bytes;
    reader: Account | null;
    consent: Consent;
    statement: string;
    wrappedKeys: readonly string[];
  }): Promise<void>;
  /** Live consents that name a reader. */
  liveOfReader(reader: string): Promise<ConsentRecord[]>;
  ofOwner(owner: string): Promise<ConsentRecord[]>;
  /** Until when (ms since 1970 UTC) the owner lets the reader read the region; null when not now. */
  allowedUntil(owner: string, reader: string, region: Region): Promise<number | null>;
}

/** Verifies a consent statement. @throws MedcloudletError `STATEMENT_INVALID` */
export function verifyConsent(statement: string, ownerKey: Bytes): Promise<Consent> {
  return verifyStatement(CONSENT, statement, ownerKey);
}

export async function createConsents(store: Store, epochs: Epochs, clock: Clock): Promise<Consents> {
  const consents = await store.collection<ConsentRecord>({
    name: "consents",
    indexes: [{ fields: { reader: 1, until: 1 } }, { fields: { owner: 1 } }],
  });

  const liveOfReader = (reader: string): Promise<ConsentRecord[]> => {
    const now = clock.now();
    return consents.find({ reader: { $eq: reader }, until: { $gt: now }, from: { $lte: now } });
  };

  return {
    async grant({ owner, ownerKey, reader, consent, statement, wrappedKeys }) {
      if (consent.owner !== owner) {
        throw new MedcloudletError(
          "CONSENT_OWNER_MISMATCH",
          "A consent is given by the owner of the data alone.",
          {
            status: 403,
          },
        );
      }
      if (reader?._id !== consent.reader || reader.fingerprint !== consent.readerFingerprint) {
        throw new MedcloudletError(
          "CONSENT_READER_MISMATCH",
          "The reader is unknown or has another key than the consent names: look the reader up again and compare.",
          { status: 409 },
        );
      }
      const regionOf = new Map((await epochs.ofOwner(owner)).map((epoch) => [epoch._id, epoch.region]));
      const wrapped: { epochId: string; statement: string }[] = [];
      for (const key of wrappedKeys) {
        const { consentId, epochId, ...parties } = await verifyStatement(WRAPPED_KEY, key, ownerKey);
        const region = regionOf.get(epochId);
        const fits =
          consentId === consent.consentId &&
          parties.owner === owner &&
          parties.reader === consent.reader &&
          region !== undefined &&
          consent.regions.includes(region);
        if (!fits) {
          throw new MedcloudletError(
            "WRAPPED_KEY_MISMATCH",
            "A wrapped key belongs to something else than this consent.",
            {
              status: 400,
            },
          );
        }
        wrapped.push({ epochId, statement: key });
      }
      try {
        await consents.insertOne({
          _id: consent.consentId,
          owner,
          reader: consent.reader,
          from: consent.from,
          until: consent.until,
          consent,
          statement,
          wrappedKeys: wrapped,
        });
      } catch (cause) {
        if (isDuplicate(cause)) {
          throw new MedcloudletError("CONSENT_EXISTS", "This consent was given already.", {
            status: 409,
            cause,
          });
        }
        throw cause;
      }
    },
    liveOfReader,
    ofOwner: (owner) => consents.find({ owner: { $eq: owner } }),
    async allowedUntil(owner, reader, region) {
      const fitting = (await liveOfReader(reader)).filter(
        (record) => record.owner === owner && record.consent.regions.includes(region),
      );
      return fitting.length === 0 ? null : Math.max(...fitting.map(({ until }) => until));
    },
  };
}
