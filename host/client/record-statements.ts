import { z } from "zod";
import { type Bytes, MedcloudletError } from "../base/index.ts";
import {
  type Epoch,
  fingerprint,
  identityKeys,
  RECORD_PART,
  type RecordPart,
  type Region,
  verifyIdentity,
  verifyStatement,
} from "../sealing/index.ts";
import type { KdcSession } from "./kdc-client.ts";
import { ACCOUNT } from "./known-account.ts";
import type { OpenedStream } from "./shared-stream.ts";

function elsewhere(): MedcloudletError {
  return new MedcloudletError(
    "RECORD_STATEMENT_MISMATCH",
    "The KDC handed out a statement about a record that belongs to something else.",
    { status: 502 },
  );
}

/**
 * Verifies the owner's statements about a record, and that each belongs to one of the owner's epochs.
 * @returns the newest of each region
 * @throws MedcloudletError `STATEMENT_INVALID`, `RECORD_STATEMENT_MISMATCH`
 */
export async function verifyRecordParts(
  statements: readonly string[],
  owner: { readonly id: string; readonly signingKey: Bytes },
  epochs: ReadonlyMap<string, Pick<Epoch, "region" | "streamId">>,
): Promise<ReadonlyMap<Region, RecordPart>> {
  const newest = new Map<Region, RecordPart>();
  for (const statement of statements) {
    const part = await verifyStatement(RECORD_PART, statement, owner.signingKey);
    const epoch = epochs.get(part.epochId);
    if (part.owner !== owner.id || epoch?.region !== part.region || epoch.streamId !== part.streamId) {
      throw elsewhere();
    }
    if (part.version > (newest.get(part.region)?.version ?? 0)) {
      newest.set(part.region, part);
    }
  }
  return newest;
}

const SHOWN = z.object({ owner: ACCOUNT, statement: z.string().nullable() });

/**
 * The owner's newest word on a stream's part of the record, as the KDC tells a reader. The KDC is not believed: the
 * identity it names must have the fingerprint that the stream was opened under.
 * @returns null when nothing was saved there yet
 * @throws MedcloudletError `CONSENT_MISSING`, `STATEMENT_INVALID`, `RECORD_STATEMENT_MISMATCH`, `EPOCH_UNKNOWN`
 */
export async function fetchRecordPart(
  call: KdcSession["call"],
  stream: Pick<OpenedStream, "streamId" | "region" | "ownerId" | "ownerFingerprint" | "epochs">,
): Promise<RecordPart | null> {
  const { streamId, region, ownerId } = stream;
  const path = `/streams/${streamId}/record-part`;
  const { owner, statement } = await call(SHOWN, { method: "GET", path });
  if (statement === null) {
    return null;
  }
  const keys = identityKeys(await verifyIdentity(owner.identity));
  if (fingerprint(keys) !== stream.ownerFingerprint) {
    throw elsewhere();
  }
  const part = await verifyStatement(RECORD_PART, statement, keys.signingKey);
  if (part.owner !== ownerId || part.streamId !== streamId || part.region !== region) {
    throw elsewhere();
  }
  if (!stream.epochs.has(part.epochId)) {
    throw new MedcloudletError(
      "EPOCH_UNKNOWN",
      "This part of the record is sealed to an epoch whose key you do not have: ask the patient to share again.",
      { status: 422 },
    );
  }
  return part;
}

/** The newest version of one region of somebody's record that was ever seen on this machine. */
export interface SeenPart {
  readonly version: number;
  readonly digest: string;
}

/** Remembers the newest version seen, so that neither KDC nor cloud can show an older one later. */
export interface SeenParts {
  /**
   * Checks what is shown now against what was seen before. `part` is null when nothing is shown.
   * @throws MedcloudletError `RECORD_ROLLED_BACK`, `RECORD_VERSION_REUSED`
   */
  check(owner: string, region: Region, part: Pick<RecordPart, "version" | "digest"> | null): void;
  /** Remembers parts that were opened; keeps them once for all. */
  remember(parts: readonly Pick<RecordPart, "owner" | "region" | "version" | "digest">[]): Promise<void>;
}

/**
 * @param seen by `owner:region`
 * @param keep keeps them all, called when something is new
 */
export function createSeenParts(
  seen: Readonly<Record<string, SeenPart>>,
  keep: (seen: Readonly<Record<string, SeenPart>>) => Promise<void>,
): SeenParts {
  let current = seen;
  return {
    check(owner, region, part) {
      const known = current[`${owner}:${region}`];
      if (known === undefined) {
        return;
      }
      if (part === null || part.version < known.version) {
        throw new MedcloudletError(
          "RECORD_ROLLED_BACK",
          `You have seen version ${known.version} of this; now ${part === null ? "nothing" : `version ${part.version}`} ` +
            "is shown as the newest. Ask the patient, and whoever runs the KDC.",
          { status: 502 },
        );
      }
      if (part.version === known.version && part.digest !== known.digest) {
        throw new MedcloudletError(
          "RECORD_VERSION_REUSED",
          `There are two different versions ${part.version} of this with the patient's signature: ask the patient.`,
          { status: 502 },
        );
      }
    },
    async remember(parts) {
      const newer = parts.filter(
        ({ owner, region, version }) => version > (current[`${owner}:${region}`]?.version ?? 0),
      );
      if (newer.length === 0) {
        return;
      }
      current = {
        ...current,
        ...Object.fromEntries(
          newer.map(({ owner, region, version, digest }) => [`${owner}:${region}`, { version, digest }]),
        ),
      };
      await keep(current);
    },
  };
}
