import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CaughtUp, type GivenConsent, readSealedBatch, stateOf } from "../../../host/client/index.ts";
import { type Consent, parseBatch } from "../../../host/sealing/index.ts";
import type { Device } from "../../../host/wearable/index.ts";
import { type Terms, termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { type Doctor, eventually, type Patient, type System, startSystem } from "../../support/system.ts";
import { documentsOf, someId } from "../http/attack.ts";

const HOUR_MS = 60 * 60_000;

describe.each(backends())("a revocation, on the $name store", (backend) => {
  let system: System;
  let ada: Patient;
  let heron: Doctor;
  let stork: Doctor;
  let device: Device;
  let count = 0;

  const share = (to: Doctor, changes: Partial<Terms> = {}) => ada.owner.share(termsFor(system, to, changes));
  const send = async () => {
    const value = 50 + count++;
    await device.record([{ quantity: "heartRate", times: [system.clock.now()], values: [value] }], "regular");
    await device.flush();
    return value;
  };
  /** What a doctor opens of the patient's stream, and the codes of what is refused. */
  const opened = async (doctor: Doctor) => {
    const [stream] = (await doctor.reader.shared()).streams;
    const seen: (number | null | string)[] = [];
    if (stream !== undefined) {
      for await (const { batch } of doctor.reader.read(stream)) {
        seen.push(...(batch.status === "opened" ? (batch.columns[0]?.values ?? []) : [batch.error.code]));
      }
    }
    return seen;
  };
  const streamId = () => ada.owner.epochs[0]?.streamId as string;
  const arrived = () =>
    eventually(async () => (await documentsOf(system.stores.cloud, "batches")).length === values.length);

  let toHeron: Consent;
  let toStork: Consent;
  let done: CaughtUp;
  const values: number[] = [];

  beforeAll(async () => {
    system = await startSystem(backend);
    ada = await system.patient("quiet-otter", "Ada Quillfeather");
    heron = await system.doctor("dr-heron");
    stork = await system.doctor("dr-stork");
    await ada.owner.startEpoch("medical");
    ({ device } = await system.device(ada));
    toHeron = await share(heron);
    toStork = await share(stork);
    values.push(await send());
    await arrived();
  });
  afterAll(() => system?.stop());

  it("takes tickets, keys and grants away at once, from this reader alone", async () => {
    expect(await opened(heron)).toEqual(values);
    expect(await opened(stork)).toEqual(values);
    done = await ada.owner.revoke(toHeron.consentId);
    expect(done).toMatchObject({ wrapped: 1, skipped: [] });
    expect(done.epochs.map(({ region, number }) => [region, number])).toEqual([["medical", 2]]);
    expect(await heron.session.grants()).toEqual([]);
    await expect(heron.session.readTicket(streamId(), heron.keys.signing)).rejects.toMatchObject({
      code: "CONSENT_MISSING",
      status: 403,
    });
    expect((await stork.session.grants()).map(({ wrappedKeys }) => wrappedKeys.length)).toEqual([2]);
  });

  it("lets the others read on, and seals what comes next away from the one who had the old keys", async () => {
    const [kept] = (await stork.reader.shared()).streams;
    system.clock.advance(HOUR_MS + 60_000);
    values.push(await send());
    await arrived();
    expect(await opened(stork)).toEqual(values);
    // The revoked reader gets hold of the ciphertext all the same, and still has every key there was.
    const batches = await documentsOf(system.stores.cloud, "batches");
    const newest = batches.find(({ epochId }) => epochId === done.epochs[0]?.epochId);
    const bytes = new Uint8Array(newest?.bytes as Uint8Array);
    expect(parseBatch(bytes).header.epochId).toBe(done.epochs[0]?.epochId);
    const stream = kept as NonNullable<typeof kept>;
    const old = new Map([...stream.epochs].filter(([epochId]) => epochId !== done.epochs[0]?.epochId));
    await expect(readSealedBatch(bytes, { ...stream, epochs: old })).rejects.toMatchObject({
      code: "EPOCH_UNKNOWN",
    });
    const forced = new Map([[done.epochs[0]?.epochId as string, [...old.values()][0] as never]]);
    await expect(readSealedBatch(bytes, { ...stream, epochs: forced })).rejects.toMatchObject({
      code: "SEALED_OPEN_FAILED",
    });
  });

  it("says so in the owner's list, is idempotent, and leaves nothing to catch up with", async () => {
    const states = (await ada.owner.consents()).map((given: GivenConsent) => [
      given.consent.consentId,
      given.reader?.handle,
      stateOf(given, system.clock),
    ]);
    expect(new Set(states.map(String))).toEqual(
      new Set([
        [toHeron.consentId, "dr-heron", "revoked"].map(String).join(),
        [toStork.consentId, "dr-stork", "live"].map(String).join(),
      ]),
    );
    expect(await ada.owner.revoke(toHeron.consentId)).toEqual({ epochs: [], wrapped: 0, skipped: [] });
    expect(await ada.owner.catchUp()).toEqual({ epochs: [], wrapped: 0, skipped: [] });
    await expect(ada.owner.revoke(someId())).rejects.toMatchObject({ code: "CONSENT_UNKNOWN", status: 404 });
  });

  it("does not stop a doctor who follows: the new key is fetched when the first batch needs it", async () => {
    const [stream] = (await stork.reader.shared()).streams;
    const third = await system.doctor("dr-wren");
    const consent = await share(third);
    const abort = new AbortController();
    const seen: (number | null | string)[] = [];
    const following = (async () => {
      for await (const { batch } of stork.reader.follow(stream as NonNullable<typeof stream>, abort.signal)) {
        seen.push(...(batch.status === "opened" ? (batch.columns[0]?.values ?? []) : [batch.error.code]));
      }
    })();
    await eventually(async () => seen.length === values.length);
    await ada.owner.revoke(consent.consentId);
    system.clock.advance(HOUR_MS + 60_000);
    values.push(await send());
    await eventually(async () => seen.length === values.length);
    abort.abort();
    await following;
    expect(seen).toEqual(values);
  });

  it("gives a reader who is shared with again every key, under a new consent alone", async () => {
    const again = await share(heron);
    expect(again.consentId).not.toBe(toHeron.consentId);
    expect(await opened(heron)).toEqual(values);
    await ada.owner.revoke(again.consentId);
    expect(await opened(heron)).toEqual([]);
  });
});

describe.each(backends())("a consent's time, on the $name store", (backend) => {
  let system: System;
  let ada: Patient;
  let heron: Doctor;
  beforeAll(async () => {
    system = await startSystem(backend);
    ada = await system.patient("quiet-otter", "Ada Quillfeather");
    heron = await system.doctor("dr-heron");
    await ada.owner.startEpoch("medical");
    await ada.owner.startEpoch("profile");
  });
  afterAll(() => system?.stop());

  const share = (changes: Partial<Terms> = {}) => ada.owner.share(termsFor(system, heron, changes));

  it("ends by itself, and the owner's next catching up starts an epoch that its reader never gets", async () => {
    const now = system.clock.now();
    await share({ until: now + 60_000 });
    const streamId = ada.owner.epochs[0]?.streamId as string;
    expect(await heron.session.grants()).toHaveLength(1);
    expect(await ada.owner.catchUp()).toMatchObject({ epochs: [] });
    system.clock.advance(61_000);
    expect(await heron.session.grants()).toEqual([]);
    await expect(heron.session.readTicket(streamId, heron.keys.signing)).rejects.toMatchObject({
      code: "CONSENT_MISSING",
    });
    const { epochs, wrapped } = await ada.owner.catchUp();
    expect(epochs.map(({ region, number }) => [region, number])).toEqual([["medical", 2]]);
    expect(wrapped).toBe(0);
    expect(await ada.owner.catchUp()).toMatchObject({ epochs: [], wrapped: 0 });
  });

  it("begins by itself too, with keys of epochs that began meanwhile", async () => {
    const from = system.clock.now() + HOUR_MS;
    const consent = await share({ from, until: from + HOUR_MS });
    const { epochId } = await ada.owner.startEpoch("medical");
    expect(await ada.owner.catchUp()).toMatchObject({ epochs: [], wrapped: 1 });
    expect(await heron.session.grants()).toEqual([]);
    system.clock.advance(HOUR_MS + 1000);
    const { streams, refused } = await heron.reader.shared();
    expect(refused).toEqual([]);
    expect(streams[0]?.consent.consentId).toBe(consent.consentId);
    expect([...(streams[0]?.epochs.keys() ?? [])]).toContain(epochId);
    system.clock.advance(HOUR_MS);
    expect(await heron.session.grants()).toEqual([]);
  });

  it("without history opens the new epoch alone, and the other readers get that key as well", async () => {
    const stork = await system.doctor("dr-stork");
    const wren = await system.doctor("dr-wren");
    const to = ({ handle, fingerprint }: Doctor) => ({ reader: handle, expectedFingerprint: fingerprint });
    await share(to(stork));
    const before = ada.owner.epochs.filter(({ region }) => region === "medical").length;
    const consent = await share({ ...to(wren), history: "from-now" });
    const newest = ada.owner.epochs.findLast(({ region }) => region === "medical");
    expect(newest?.number).toBe(before + 1);
    const [mine] = (await wren.reader.shared()).streams;
    expect([...(mine?.epochs.keys() ?? [])]).toEqual([newest?.epochId]);
    expect(mine?.consent).toMatchObject({ history: "from-now", consentId: consent.consentId });
    const [theirs] = (await stork.reader.shared()).streams;
    expect(theirs?.epochs.size).toBe(before + 1);
  });
});
