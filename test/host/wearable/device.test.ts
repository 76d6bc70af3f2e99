import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toBase64Url, toHex } from "../../../host/base/index.ts";
import { createHttpClient, createKdcClient, type KdcClient } from "../../../host/client/index.ts";
import {
  EPOCH,
  type Epoch,
  parseBatch,
  type ReadingColumn,
  signStatement,
} from "../../../host/sealing/index.ts";
import { createEmbeddedStore, type Store } from "../../../host/store/index.ts";
import { openDevice, type Pairing, type Sealed, uploadAll } from "../../../host/wearable/index.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, dumpOf, type Patient, type System, startSystem } from "../../support/system.ts";

const never = new AbortController().signal;
const reading = (time: number): ReadingColumn[] => [{ quantity: "heartRate", times: [time], values: [71] }];

let system: System;
let patient: Patient;
beforeAll(async () => {
  system = await startSystem(backends()[0] as NonNullable<ReturnType<typeof backends>[0]>);
  patient = await system.patient("quiet-otter", "Ada Quillfeather");
  await patient.owner.startEpoch("medical");
});
afterAll(() => system?.stop());

/** A KDC client whose answers somebody in the middle changes. */
function bentKdc(bend: (epoch: string) => Promise<string>): KdcClient {
  const honest = createKdcClient({ http: createHttpClient({ clock: system.clock }), url: system.kdc.url });
  return {
    ...honest,
    uploadTicket: async (deviceId, key) => {
      const answer = await honest.uploadTicket(deviceId, key);
      return { ...answer, epoch: await bend(answer.epoch) };
    },
  };
}

async function openWith(pairing: Pairing, store: Store, kdc: KdcClient) {
  const { suite, clock } = system;
  const http = createHttpClient({ clock });
  return openDevice({ pairing, store, suite, clock, http, kdc, cloudletUrl: system.cloudlet.url });
}

function newStore(folder: string): Store {
  return createEmbeddedStore({ directory: folder });
}

const temporary = () => mkdtemp(join(tmpdir(), "medcloudlet-device-"));

describe("a device", () => {
  it("refuses an epoch that the patient did not sign, even from the KDC", async () => {
    const { pairing } = await system.device(patient);
    const thief = await system.patient("sly-magpie", "Magpie");
    const { publicKey } = await system.suite.generateKeyPair();
    const forged: Epoch = {
      owner: pairing.ownerId,
      region: "medical",
      streamId: pairing.streamId,
      epochId: toHex(new Uint8Array(16)),
      number: 2,
      suite: 1,
      publicKey: toBase64Url(publicKey),
      createdAt: system.clock.now(),
    };
    const kdc = bentKdc(() => signStatement(EPOCH, forged, thief.keys.signing));
    const store = newStore(await temporary());
    const device = await openWith(pairing, store, kdc);
    await expect(device.record(reading(1), "regular")).rejects.toMatchObject({ code: "STATEMENT_INVALID" });
    expect(await device.waiting()).toBe(0);
    await store.close();
  });

  it("refuses an epoch of another stream that the patient did sign", async () => {
    const { pairing } = await system.device(patient);
    await patient.owner.startEpoch("profile");
    const profile = (await patient.session.epochs()).at(-1) as string;
    const store = newStore(await temporary());
    const device = await openWith(
      pairing,
      store,
      bentKdc(async () => profile),
    );
    await expect(device.record(reading(1), "regular")).rejects.toMatchObject({ code: "EPOCH_MISMATCH" });
    await store.close();
  });

  it("takes a newer epoch over and never goes back to an older one", async () => {
    const otter = await system.patient("swift-otter", "Swift");
    const first = await otter.owner.startEpoch("medical");
    const { pairing } = await system.device(otter);
    const old = (await otter.session.epochs())[0] as string;
    const second = await otter.owner.startEpoch("medical");
    expect(second.number).toBe(2);
    let bend = async (epoch: string) => epoch;
    const kdc = bentKdc((epoch) => bend(epoch));
    const folder = await temporary();
    const store = newStore(folder);
    const device = await openWith(pairing, store, kdc);
    const { bytes } = await device.record(reading(1), "regular");
    expect(parseBatch(bytes).header.epochId).toBe(second.epochId);
    expect(parseBatch(bytes).header.epochId).not.toBe(first.epochId);
    await store.close();

    bend = async () => old;
    const again = newStore(folder);
    const restarted = await openWith(pairing, again, kdc);
    await expect(restarted.record(reading(2), "regular")).rejects.toMatchObject({
      code: "EPOCH_ROLLED_BACK",
    });
    await again.close();
  });

  it("goes on measuring with the epoch it knows while the KDC is away, and not while it is refused", async () => {
    const { pairing } = await system.device(patient);
    const folder = await temporary();
    const store = newStore(folder);
    const http = createHttpClient({ clock: system.clock });
    const device = await openWith(pairing, store, createKdcClient({ http, url: system.kdc.url }));
    await device.record(reading(1), "regular");
    await store.close();

    const reopened = newStore(folder);
    const cutOff = await openWith(pairing, reopened, createKdcClient({ http, url: "http://127.0.0.1:1" }));
    const sealed = await cutOff.record(reading(2), "regular");
    expect(sealed.sequence).toBe(1);
    expect(await cutOff.waiting()).toBe(2);
    await expect(cutOff.flush()).rejects.toMatchObject({ code: "SERVICE_UNREACHABLE" });
    expect(await cutOff.waiting()).toBe(2);
    await reopened.close();

    system.clock.advance(2 * 365 * DAY_MS);
    const last = newStore(folder);
    const ended = await openWith(pairing, last, createKdcClient({ http, url: system.kdc.url }));
    await expect(ended.record(reading(3), "regular")).rejects.toMatchObject({ code: "DEVICE_UNKNOWN" });
    await last.close();
    system.clock.advance(-2 * 365 * DAY_MS);
  });

  it("sends the most urgent first and keeps what was not acknowledged", async () => {
    const { device } = await system.device(patient);
    for (const priority of ["regular", "bulk", "emergency", "abnormal"] as const) {
      await device.record(reading(1), priority);
    }
    const order: number[] = [];
    await device.flush(({ sequence }) => order.push(sequence));
    expect(order).toEqual([2, 3, 0, 1]);
    expect(await device.waiting()).toBe(0);
  });

  it("never gives a sequence twice, whatever happens at once", async () => {
    const { device } = await system.device(patient);
    const sealed = await Promise.all(
      Array.from({ length: 20 }, (_, i) => device.record(reading(i), "regular")),
    );
    expect(new Set(sealed.map(({ sequence }) => sequence)).size).toBe(20);
  });

  it("keeps nothing in its store that opens what it sealed", async () => {
    const { device, store } = await system.device(patient);
    await device.record(reading(1), "regular");
    const dump = JSON.stringify(await dumpOf(store), (_key, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
    );
    for (const { privateKey } of patient.owner.epochs) {
      expect(dump).not.toContain(toHex(privateKey));
      expect(dump).not.toContain(toBase64Url(privateKey));
    }
  });

  it("sends no part of a data set whose sealing was cut off, and all of it after another try", async () => {
    const { device } = await system.device(patient);
    async function* cutOff() {
      yield reading(1);
      yield reading(2);
      throw new Error("power failure");
    }
    async function* whole() {
      yield reading(1);
      yield reading(2);
      yield reading(3);
    }
    await expect(device.recordDataset("d1", cutOff())).rejects.toThrow("power failure");
    expect(await device.waiting()).toBe(0);
    const urgent: Sealed = await device.record(reading(9), "emergency");
    const sent: number[] = [];
    await device.flush(({ sequence }) => sent.push(sequence));
    expect(sent).toEqual([urgent.sequence]);

    expect(await device.recordDataset("d1", whole())).toEqual({ already: false });
    expect(await device.waiting()).toBe(3);
    await uploadAll(device, { signal: never });
    expect(await device.recordDataset("d1", whole())).toEqual({ already: true });
    expect(await device.waiting()).toBe(0);
  });

  it("gives up at once on what no waiting will cure", async () => {
    const { pairing } = await system.device(patient);
    const store = newStore(await temporary());
    const http = createHttpClient({ clock: system.clock });
    const kdc = createKdcClient({ http, url: system.kdc.url });
    const device = await openWith({ ...pairing, deviceId: "00".repeat(16) }, store, kdc);
    await expect(device.record(reading(1), "regular")).rejects.toMatchObject({ code: "DEVICE_UNKNOWN" });
    await store.close();
  });
});
