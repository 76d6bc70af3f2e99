import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { MedcloudletError } from "../base/index.ts";
import { createKdcClient, makePairing, type Owner, type PersonKeys } from "../client/index.ts";
import type { Region } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";
import { type Device, openDevice, PAIRING, type Pairing, readPairingFile } from "../wearable/index.ts";
import { type Addresses, keepAddresses, type Toolkit, writePrivateFile } from "./home.ts";

const pairingFile = (folder: string) => join(folder, "pairing.json");

/** True when a device is paired in this folder. */
export async function isPaired(folder: string): Promise<boolean> {
  return (await readFile(pairingFile(folder), "utf8").catch(() => null)) !== null;
}

/** What a folder keeps; null where there is nothing. @throws MedcloudletError `CLI_DEVICE_DAMAGED` */
async function keptPairing(folder: string): Promise<Pairing | null> {
  const text = await readFile(pairingFile(folder), "utf8").catch(() => null);
  try {
    return text === null ? null : PAIRING.parse(JSON.parse(text));
  } catch (cause) {
    throw new MedcloudletError(
      "CLI_DEVICE_DAMAGED",
      `${pairingFile(folder)} is damaged: have its owner unpair the device, and pair it in another folder.`,
      { cause },
    );
  }
}

/**
 * Pairs a new device: makes its key, lets the owner sign its enrolment, and writes what it needs into `folder`.
 * @throws MedcloudletError `CLI_DEVICE_TAKEN`, `EPOCH_MISSING`
 */
export async function pairDevice(input: {
  readonly folder: string;
  readonly owner: Owner;
  readonly ownerId: string;
  readonly ownerKeys: PersonKeys;
  readonly region: Region;
  readonly until: number;
  /** Where the device finds the services. */
  readonly addresses: Addresses;
}): Promise<Pairing> {
  const { folder, owner, region, until } = input;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (await isPaired(folder)) {
    throw new MedcloudletError(
      "CLI_DEVICE_TAKEN",
      `${folder} holds a paired device already: choose another folder.`,
    );
  }
  const pairing = await makePairing({
    owner,
    ownerId: input.ownerId,
    ownerKeys: input.ownerKeys,
    region,
    until,
  });
  await keepAddresses(folder, input.addresses);
  await writePrivateFile(pairingFile(folder), `${JSON.stringify(pairing, null, 2)}\n`);
  return pairing;
}

/**
 * Puts a pairing that was made elsewhere, and came as a file, into a folder; nothing happens where it is there already.
 * @throws MedcloudletError `PAIRING_FILE_INVALID`, `CLI_DEVICE_TAKEN`, `CLI_DEVICE_DAMAGED`
 */
export async function takePairing(folder: string, text: string): Promise<void> {
  const { pairing, places } = readPairingFile(text);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const before = await keptPairing(folder);
  if (before?.deviceId === pairing.deviceId) {
    return;
  }
  if (before !== null) {
    throw new MedcloudletError(
      "CLI_DEVICE_TAKEN",
      `${folder} holds another paired device: choose another folder.`,
    );
  }
  await keepAddresses(folder, places);
  await writePrivateFile(pairingFile(folder), `${JSON.stringify(pairing, null, 2)}\n`);
}

/** Opens the device paired in a folder. @throws MedcloudletError `CLI_DEVICE_MISSING`, `CLI_DEVICE_DAMAGED` */
export async function openDeviceFolder(
  { suite, clock, http }: Toolkit,
  folder: string,
  addresses: Pick<Addresses, "kdc" | "cloudlet">,
): Promise<{ device: Device; store: Store; pairing: Pairing }> {
  const pairing = await keptPairing(folder);
  if (pairing === null) {
    throw new MedcloudletError(
      "CLI_DEVICE_MISSING",
      `No device is paired in ${folder}: its owner pairs one with \`medcloudlet keys pair --device ${folder}\`.`,
    );
  }
  const { createEmbeddedStore } = await import("../store/index.ts");
  const store = createEmbeddedStore({ directory: join(folder, "store") });
  const kdc = createKdcClient({ http, url: addresses.kdc });
  const device = await openDevice({
    pairing,
    store,
    suite,
    clock,
    http,
    kdc,
    cloudletUrl: addresses.cloudlet,
  });
  return { device, store, pairing };
}
