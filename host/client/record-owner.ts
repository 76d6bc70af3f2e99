import { z } from "zod";
import { type Bytes, type Clock, equalBytes, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import {
  decodePart,
  encodePart,
  mergeParts,
  type PatientRecord,
  parseRecord,
  splitRecord,
} from "../patient-record/index.ts";
import {
  admitRecordPart,
  openRecordPart,
  RECORD_PART,
  REGIONS,
  type RecordPart,
  type Region,
  recordPartDigest,
  type SealingSuite,
  sealRecordPart,
  signStatement,
} from "../sealing/index.ts";
import type { HttpClient } from "./http.ts";
import type { KdcSession } from "./kdc-client.ts";
import type { OwnedEpoch, Owner } from "./owner.ts";
import type { PersonKeys } from "./person-keys.ts";
import { createRecordCloud } from "./record-cloud.ts";
import type { ReadRegion } from "./record-reader.ts";
import { type SeenParts, verifyRecordParts } from "./record-statements.ts";

const RECORD_PARTS = z.object({ recordParts: z.array(z.string()) });
const ANYTHING = z.unknown();

/** Versions of a record's regions; a region that was never saved is missing. */
export type RecordVersions = Readonly<Partial<Record<Region, number>>>;

/** What became of one region. */
export interface SavedRegion {
  readonly region: Region;
  readonly version: number;
  /** `unchanged`: this content was there already, sealed to the current epoch. */
  readonly status: "saved" | "unchanged";
  /** Bytes of the sealed part; 0 when it was not sealed again. */
  readonly size: number;
}

/** The record as its owner finds it. */
export interface OwnRecord {
  /** Of the regions that could be read. */
  readonly record: PatientRecord;
  /** What to give to `save`. */
  readonly versions: RecordVersions;
  /** Of what was saved so far. What the cloud lost or spoiled is `refused`; saving that region again mends it. */
  readonly regions: readonly ReadRegion[];
}

/** A patient's own record. */
export interface RecordOwner {
  /** The record as it is now. @throws MedcloudletError `RECORD_ROLLED_BACK`, `RECORD_VERSION_REUSED` */
  load(): Promise<OwnRecord>;
  /**
   * Seals and stores what differs, region by region: first the cloud gets the bytes, then the KDC the signed
   * statement that makes them count. Cut off anywhere, the regions that were not reached are as before, and the same
   * call again finishes the work. Starts first epochs where there are none, and new ones where a consent ended.
   *
   * `base` holds the versions that the change was made on: another machine's change in between is not overwritten.
   * @throws MedcloudletError `RECORD_STALE`, `RECORD_INVALID`, `RECORD_INCONSISTENT`, `RECORD_PART_TOO_LARGE`
   */
  save(record: PatientRecord, base: RecordVersions): Promise<readonly SavedRegion[]>;
}

/** In the place of a content that does not open: no content is that short. */
function spoiled(error: unknown): Bytes {
  if (isMedcloudletError(error)) {
    return new Uint8Array(0);
  }
  throw error;
}

export function createRecordOwner(options: {
  readonly owner: Owner;
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly cloudUrl: string;
  readonly seen: SeenParts;
  /** Called when saving has started epochs: where break-glass is prepared, trustees need shares of them. */
  readonly onEpochs?: () => Promise<void>;
}): RecordOwner {
  const { owner, suite, clock, session, keys, seen } = options;
  const ownerId = session.account.accountId;
  const cloud = createRecordCloud({ ...options, accountKey: keys.signing });

  /** What this owner signed last, region by region, as far as it is told; an older state than seen is refused. */
  const signedParts = async (): Promise<ReadonlyMap<Region, RecordPart>> => {
    const { recordParts } = await session.call(RECORD_PARTS, { method: "GET", path: "/record-parts" });
    const epochs = new Map(owner.epochs.map((epoch) => [epoch.epochId, epoch]));
    const signingKey = keys.signing.publicKey;
    const parts = await verifyRecordParts(recordParts, { id: ownerId, signingKey }, epochs);
    for (const region of REGIONS) {
      seen.check(ownerId, region, parts.get(region) ?? null);
    }
    return parts;
  };

  const fetched = ({ streamId, digest }: RecordPart): Promise<Bytes> => cloud.fetch(streamId, digest);

  const open = async (bytes: Bytes, signed: RecordPart): Promise<Bytes> => {
    const part = admitRecordPart(bytes, signed);
    const epoch = owner.epochs.find(({ epochId }) => epochId === signed.epochId) as OwnedEpoch;
    return openRecordPart(part, await suite.recipient(epoch.privateKey));
  };

  /** Whether exactly this content is what counts now. A part that the cloud lost or spoiled is not. */
  const isKept = async (signed: RecordPart, content: Bytes): Promise<boolean> => {
    try {
      const bytes = await fetched(signed);
      return equalBytes(await open(bytes, signed).catch(spoiled), content);
    } catch (error) {
      if (isMedcloudletError(error, "RECORD_PART_MISSING")) {
        return false;
      }
      throw error;
    }
  };

  const saveRegion = async (
    region: Region,
    content: Bytes,
    signed: RecordPart | undefined,
    base: number,
  ): Promise<{ part: RecordPart; outcome: SavedRegion }> => {
    const epoch =
      owner.epochs.findLast((owned) => owned.region === region) ?? (await owner.startEpoch(region));
    if (signed !== undefined && signed.epochId === epoch.epochId && (await isKept(signed, content))) {
      const { version } = signed;
      return { part: signed, outcome: { region, version, status: "unchanged", size: 0 } };
    }
    if ((signed?.version ?? 0) !== base) {
      throw new MedcloudletError(
        "RECORD_STALE",
        `The region ${region} was saved elsewhere meanwhile: load the record, make the change again, and save.`,
        { status: 409 },
      );
    }
    const { streamId, epochId } = epoch;
    const version = base + 1;
    const { publicKey } = await suite.recipient(epoch.privateKey);
    const header = { region, streamId, epochId, version };
    const bytes = await sealRecordPart({ suite, epochPublicKey: publicKey, header, content });
    await cloud.store(streamId, bytes);

    const digest = recordPartDigest(bytes);
    const part: RecordPart = { owner: ownerId, ...header, digest, createdAt: clock.now() };
    const statement = await signStatement(RECORD_PART, part, keys.signing);
    await session.call(ANYTHING, { method: "POST", path: "/record-parts", json: { statement } });
    return { part, outcome: { region, version, status: "saved", size: bytes.length } };
  };

  return {
    async load() {
      const signed = await signedParts();
      const parts: Partial<Record<Region, PatientRecord>> = {};
      const regions: ReadRegion[] = [];
      for (const [region, part] of signed) {
        try {
          parts[region] = decodePart(region, await open(await fetched(part), part));
          regions.push({ region, status: "read", version: part.version, createdAt: part.createdAt });
        } catch (error) {
          if (!isMedcloudletError(error)) {
            throw error;
          }
          regions.push({ region, status: "refused", error });
        }
      }
      await seen.remember([...signed.values()]);
      const versions = Object.fromEntries([...signed].map(([region, { version }]) => [region, version]));
      return { record: mergeParts(parts), versions, regions };
    },
    async save(record, base) {
      const parts = splitRecord(parseRecord(record));
      // Finishes epochs that a crash left unpublished, and starts one where a consent ended since: what is saved now
      // is not for whoever held the key until then.
      const before = owner.epochs.length;
      await owner.catchUp();
      const signed = await signedParts();
      const saved: { part: RecordPart; outcome: SavedRegion }[] = [];
      for (const region of REGIONS) {
        const content = encodePart(region, parts[region]);
        saved.push(await saveRegion(region, content, signed.get(region), base[region] ?? 0));
      }
      if (owner.epochs.length > before) {
        await options.onEpochs?.();
      }
      await seen.remember(saved.map(({ part }) => part));
      return saved.map(({ outcome }) => outcome);
    },
  };
}
