import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NewestFirst, ReadBatch, SharedStream } from "../../../host/client/index.ts";
import { readNewestFirst } from "../../../host/client/newest-first.ts";
import { frameBatches } from "../../../host/sealing/index.ts";
import { type Device, uploadAll } from "../../../host/wearable/index.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { type Doctor, type System, startSystem } from "../../support/system.ts";
import { rejectionOf } from "../sealing/fixtures.ts";

const [embedded] = backends();

describe("a stream that is read from its newest end", () => {
  let system: System;
  let doctor: Doctor;
  let device: Device;
  let stream: SharedStream;

  const send = async (values: readonly number[]) => {
    for (const value of values) {
      const times = [system.clock.now()];
      await device.record([{ quantity: "heartRate", times, values: [value] }], "regular");
      await uploadAll(device, { signal: AbortSignal.timeout(20_000) });
    }
    sent += values.length;
    // The cloudlet's uplink is not waited for by the wearable.
    await expect
      .poll(() =>
        system.stores.cloud.collection({ name: "batches", indexes: [] }).then((c) => c.countDocuments({})),
      )
      .toBe(sent);
  };
  let sent = 0;
  const valuesOf = (batches: readonly ReadBatch[]) =>
    batches.map((batch) => (batch.status === "opened" ? batch.columns[0]?.values[0] : batch.error.code));

  beforeAll(async () => {
    system = await startSystem(embedded as NonNullable<typeof embedded>);
    doctor = await system.doctor("dr-heron");
    const patient = await system.patient("quiet-otter", "Ada");
    await patient.owner.startEpoch("medical");
    ({ device } = await system.device(patient));
    await patient.owner.share(termsFor(system, doctor));
    [stream] = (await doctor.reader.shared()).streams as [SharedStream];
  });
  afterAll(() => system?.stop());

  it("is empty, and then tells what comes, where nothing was sent yet", async () => {
    const history: NewestFirst = doctor.reader.newestFirst(stream);
    expect(await history.newest(3)).toEqual([]);
    expect(await history.older(3)).toEqual([]);
    await send([1]);
    for await (const batch of history.follow(AbortSignal.timeout(10_000))) {
      expect(valuesOf([batch])).toEqual([1]);
      break;
    }
  });

  it("gives the newest first, then what is older page by page, each batch once, and what comes", async () => {
    await send([2, 3, 4, 5, 6, 7]);
    const history = doctor.reader.newestFirst(stream);
    expect(valuesOf(await history.newest(3))).toEqual([5, 6, 7]);
    await send([8]);
    let caughtUp = 0;
    for await (const batch of history.follow(AbortSignal.timeout(10_000), { onCaughtUp: () => caughtUp++ })) {
      expect(valuesOf([batch])).toEqual([8]);
      break;
    }
    expect(caughtUp).toBe(0);
    expect(valuesOf(await history.older(3))).toEqual([2, 3, 4]);
    expect(valuesOf(await history.older(3))).toEqual([1]);
    expect(await history.older(3)).toEqual([]);
  });

  it("refuses a cloud that leads it round in circles", async () => {
    for (const [first, last] of [
      ["9", "8"],
      ["0", "5"],
      ["x", "5"],
      ["5", String(Number.MAX_SAFE_INTEGER)],
    ] as const) {
      const history = readNewestFirst({
        fetchBefore: async () => ({
          body: frameBatches([new Uint8Array([1])]),
          headers: new Headers({ "Medcloudlet-First": first, "Medcloudlet-Cursor": last }),
        }),
        open: async () => null,
        follow: () => {
          throw new Error("not asked");
        },
      });
      expect(await rejectionOf(history.newest(1)), `${first} ${last}`).toBe("SERVICE_RESPONSE");
    }
  });
});
