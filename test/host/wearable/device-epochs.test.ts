import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toBase64Url } from "../../../host/base/index.ts";
import { createHttpClient, createKdcClient, type OwnedEpoch } from "../../../host/client/index.ts";
import {
  EPOCH,
  type Epoch,
  parseBatch,
  type SigningKey,
  signStatement,
} from "../../../host/sealing/index.ts";
import { createEmbeddedStore } from "../../../host/store/index.ts";
import { type Device, openDevice } from "../../../host/wearable/index.ts";
import { backends } from "../../support/stores.ts";
import { type Patient, type System, startSystem } from "../../support/system.ts";
import { someId } from "../http/attack.ts";

/** An upload ticket is renewed a minute before its hour is over. */
const TICKET_MS = 59 * 60_000 + 1000;

let system: System;
let patient: Patient;
let current: OwnedEpoch;
let device: Device;
/** What the KDC answers instead of the epoch it has; null: the truth. */
let offered: string | null = null;

beforeAll(async () => {
  system = await startSystem(backends()[0] as NonNullable<ReturnType<typeof backends>[0]>);
  patient = await system.patient("quiet-otter", "Ada Quillfeather");
  await patient.owner.startEpoch("medical");
  current = await patient.owner.startEpoch("medical");
  const { pairing } = await system.device(patient);
  const http = createHttpClient({ clock: system.clock });
  const honest = createKdcClient({ http, url: system.kdc.url });
  device = await openDevice({
    pairing,
    store: createEmbeddedStore({ directory: await mkdtemp(join(tmpdir(), "medcloudlet-device-")) }),
    suite: system.suite,
    clock: system.clock,
    http,
    kdc: {
      ...honest,
      uploadTicket: async (deviceId, key) => {
        const answer = await honest.uploadTicket(deviceId, key);
        return { ...answer, epoch: offered ?? answer.epoch };
      },
    },
    cloudletUrl: system.cloudlet.url,
  });
});
afterAll(() => system?.stop());

/** Records with a new ticket: the epoch comes along with it. */
const record = async () => {
  system.clock.advance(TICKET_MS);
  const time = system.clock.now();
  const { bytes } = await device.record([{ quantity: "heartRate", times: [time], values: [71] }], "regular");
  return parseBatch(bytes).header.epochId;
};

async function lie(changes: Partial<Epoch>, key: SigningKey = patient.keys.signing): Promise<void> {
  const { publicKey } = await system.suite.generateKeyPair();
  const epoch: Epoch = {
    owner: patient.session.account.accountId,
    region: "medical",
    streamId: current.streamId,
    epochId: someId(),
    number: current.number + 1,
    suite: 1,
    publicKey: toBase64Url(publicKey),
    createdAt: system.clock.now(),
    ...changes,
  };
  offered = await signStatement(EPOCH, epoch, key);
}

describe("a device whose KDC lies about the epoch", () => {
  it("takes the first epoch from the patient, and the patient's next one", async () => {
    expect(await record()).toBe(current.epochId);
    current = await patient.owner.startEpoch("medical");
    expect(await record()).toBe(current.epochId);
  });

  const thief = async () => (await system.patient(`magpie-${someId().slice(0, 6)}`, "Magpie")).keys.signing;
  it.each<[string, string, () => Partial<Epoch> | Promise<Partial<Epoch>>, (() => Promise<SigningKey>)?]>([
    ["is signed by somebody else", "STATEMENT_INVALID", () => ({}), thief],
    ["names another owner", "EPOCH_MISMATCH", () => ({ owner: someId() })],
    ["is of another region", "EPOCH_MISMATCH", () => ({ region: "profile" })],
    ["is of another stream", "EPOCH_MISMATCH", () => ({ streamId: someId() })],
    ["has an earlier number", "EPOCH_ROLLED_BACK", () => ({ number: current.number - 1 })],
    ["has the known number and another key", "EPOCH_SUBSTITUTED", () => ({ number: current.number })],
    [
      "has the known number and id, and another key",
      "EPOCH_SUBSTITUTED",
      () => ({ number: current.number, epochId: current.epochId }),
    ],
    [
      "has the known number and key, and another id",
      "EPOCH_SUBSTITUTED",
      async () => {
        const { publicKey } = await system.suite.recipient(current.privateKey);
        return { number: current.number, publicKey: toBase64Url(publicKey) };
      },
    ],
  ])("seals nothing to an epoch that %s", async (_, code, changes, key) => {
    await lie(await changes(), await key?.());
    const before = await device.waiting();
    await expect(record()).rejects.toMatchObject({ code });
    expect(await device.waiting()).toBe(before);
    offered = null;
    expect(await record()).toBe(current.epochId);
  });

  it("takes the same epoch under a new signature", async () => {
    const { publicKey } = await system.suite.recipient(current.privateKey);
    const { epochId, number } = current;
    await lie({ epochId, number, publicKey: toBase64Url(publicKey) });
    expect(await record()).toBe(current.epochId);
  });
});
