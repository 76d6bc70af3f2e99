import { fromHex, randomBytes, toBase64Url, toHex } from "../base/index.ts";
import { generateSigningSeed, importSigningKey, type Region } from "../sealing/index.ts";
import type { Owner } from "./owner.ts";
import type { PersonKeys } from "./person-keys.ts";

/** What pairing leaves on a wearable; `PAIRING` in host/wearable checks it there. */
export interface MadePairing {
  readonly deviceId: string;
  /** Ed25519 seed, hex: the wearable's only secret. */
  readonly signingSeed: string;
  readonly ownerId: string;
  /** The patient's Ed25519 key, base64url. */
  readonly ownerKey: string;
  readonly region: Region;
  readonly streamId: string;
}

/** Where a wearable finds the services. */
export interface WearablePlaces {
  readonly kdc: string;
  readonly cloud: string;
  readonly cloudlet: string;
}

/**
 * Makes a new wearable's key and has the owner sign its enrolment. What comes back holds the key: for the wearable alone.
 * @param input.until end of the enrolment, ms since 1970 UTC
 * @throws MedcloudletError `EPOCH_MISSING`, `DEVICE_LIMIT`
 */
export async function makePairing(input: {
  readonly owner: Pick<Owner, "enrolDevice">;
  readonly ownerId: string;
  readonly ownerKeys: Pick<PersonKeys, "signing">;
  readonly region: Region;
  readonly until: number;
}): Promise<MadePairing> {
  const { owner, ownerId, ownerKeys, region, until } = input;
  const deviceId = toHex(randomBytes(16));
  const signingSeed = toHex(generateSigningSeed());
  const { publicKey } = await importSigningKey(fromHex(signingSeed));
  const { streamId } = await owner.enrolDevice({ deviceId, signingKey: publicKey, region, until });
  const ownerKey = toBase64Url(ownerKeys.signing.publicKey);
  return { deviceId, signingSeed, ownerId, ownerKey, region, streamId };
}

/** A pairing as a file that carries it from the machine that made it to the wearable; `readPairingFile` takes it. */
export function pairingFileText(pairing: MadePairing, places: WearablePlaces): string {
  return `${JSON.stringify({ format: "medcloudlet-pairing-1", pairing, places }, null, 2)}\n`;
}
