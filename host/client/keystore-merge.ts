import { MedcloudletError } from "../base/index.ts";
import type { KeystoreContents } from "./keystore.ts";

type Epochs = KeystoreContents["epochs"];
type SeenRecords = NonNullable<KeystoreContents["seenRecords"]>;
type Revocations = NonNullable<KeystoreContents["revocations"]>;

/** The newest epoch of each region last. */
export function inOrder(epochs: Epochs): Epochs {
  return [...epochs].sort((a, b) => a.number - b.number);
}

function unionOf(ours: Epochs, theirs: Epochs): Epochs {
  const known = new Set(ours.map(({ epochId }) => epochId));
  return inOrder([...ours, ...theirs.filter(({ epochId }) => !known.has(epochId))]);
}

function newestSeen(ours: SeenRecords, theirs: SeenRecords): SeenRecords {
  const newest: SeenRecords = { ...theirs };
  for (const [part, seen] of Object.entries(ours)) {
    const other = newest[part];
    newest[part] = other !== undefined && other.version > seen.version ? other : seen;
  }
  return newest;
}

function allRevoked(ours: Revocations, theirs: Revocations): Revocations {
  const others = new Map(theirs.map((revocation) => [revocation.consentId, revocation]));
  const merged = ours.map((revocation) => ({
    ...revocation,
    told: revocation.told || others.get(revocation.consentId)?.told === true,
  }));
  const known = new Set(ours.map(({ consentId }) => consentId));
  return [...merged, ...theirs.filter(({ consentId }) => !known.has(consentId))];
}

/**
 * What one person's two machines know together: nothing that either keeps is lost, and where they disagree about
 * somebody's fingerprint, the machine at which the person sits is right.
 * @throws MedcloudletError `KEYSTORE_FOREIGN` for the keystores of two identities
 */
export function mergeContents(ours: KeystoreContents, theirs: KeystoreContents): KeystoreContents {
  const same =
    ours.accountId === theirs.accountId &&
    ours.signingSeed === theirs.signingSeed &&
    ours.receivingKey === theirs.receivingKey;
  if (!same) {
    throw new MedcloudletError(
      "KEYSTORE_FOREIGN",
      "The backup at the KDC holds another identity than this machine: nothing was changed. Ask who else has your passphrase.",
      { status: 409 },
    );
  }
  const { seenRecords: ourSeen, revocations: ourRevocations, emergency: ourPlan, ...rest } = ours;
  const plans = [ourPlan, theirs.emergency].filter((plan) => plan !== undefined);
  const plan = plans.reduce<(typeof plans)[number] | undefined>(
    (a, b) => (a === undefined || b.createdAt > a.createdAt ? b : a),
    undefined,
  );
  const seen = ourSeen ?? theirs.seenRecords;
  const revocations = ourRevocations ?? theirs.revocations;
  return {
    ...rest,
    epochs: unionOf(ours.epochs, theirs.epochs),
    known: { ...theirs.known, ...ours.known },
    ...(seen === undefined ? {} : { seenRecords: newestSeen(ourSeen ?? {}, theirs.seenRecords ?? {}) }),
    ...(revocations === undefined
      ? {}
      : { revocations: allRevoked(ourRevocations ?? [], theirs.revocations ?? []) }),
    ...(plan === undefined ? {} : { emergency: plan }),
  };
}
