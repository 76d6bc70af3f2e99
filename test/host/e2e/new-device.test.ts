import { afterAll, beforeAll, expect, it } from "vitest";
import type { SharedStream } from "../../../host/client/index.ts";
import { uploadAll } from "../../../host/wearable/index.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { type System, startSystem } from "../../support/system.ts";

let system: System;
beforeAll(async () => {
  system = await startSystem(backends()[0] as NonNullable<ReturnType<typeof backends>[0]>);
});
afterAll(() => system?.stop());

it("a reader opens what comes from a device that was enrolled after the reader asked what is shared", async () => {
  const heron = await system.doctor("dr-heron");
  const patients = await Promise.all(
    ["otter-one", "otter-two", "otter-three"].map((handle) => system.patient(handle, handle)),
  );
  for (const { owner } of patients) {
    await owner.startEpoch("medical");
    await owner.share(termsFor(system, heron));
  }
  const { streams } = await heron.reader.shared();
  expect(streams).toHaveLength(3);
  // Each of the three: wherever its consent stands in the KDC's list.
  for (const patient of patients) {
    const stream = streams.find(({ ownerName }) => ownerName === patient.session.account.handle);
    const { device } = await system.device(patient);
    const now = system.clock.now();
    await device.record([{ quantity: "heartRate", times: [now], values: [72] }], "regular");
    await uploadAll(device, { signal: AbortSignal.timeout(10_000) });
    const controller = new AbortController();
    const found = [];
    for await (const { batch } of heron.reader.follow(stream as SharedStream, controller.signal)) {
      found.push(batch.status);
      controller.abort();
    }
    expect(found).toEqual(["opened"]);
  }
}, 60_000);
