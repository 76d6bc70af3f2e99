import { describe, expect, it } from "vitest";
import { utf8 } from "../../../host/base/index.ts";
import { createSpool } from "../../../host/ingest/index.ts";
import type { Priority, SealedBatch } from "../../../host/sealing/index.ts";
import { backends } from "../../support/stores.ts";

/** A batch as far as the spool looks into one. */
function batchOf(sequence: number, priority: Priority = "regular"): SealedBatch {
  const id = "0a".repeat(16);
  const nothing = new Uint8Array();
  return {
    header: {
      region: "medical",
      priority,
      epochId: id,
      streamId: id,
      deviceId: id,
      sequence,
      firstTime: 0,
      lastTime: 0,
    },
    suite: 1,
    enc: nothing,
    body: nothing,
    signature: nothing,
    aad: nothing,
    signed: nothing,
  };
}

describe.each(backends())("the spool on the $name store", (backend) => {
  it("forgets what was forwarded long ago and nothing else", async () => {
    const store = await backend.open("spool");
    const spool = await createSpool({ store, capacity: 100 });
    const add = (sequence: number, receivedAt: number) =>
      spool.add({
        batch: batchOf(sequence),
        bytes: utf8(`batch ${sequence}`),
        digest: `digest ${sequence}`,
        ticket: "ticket",
        receivedAt,
      });
    for (const [sequence, receivedAt] of [100, 100, 100, 900].entries()) {
      await add(sequence, receivedAt);
    }
    const id = (sequence: number) => `${"0a".repeat(16)}:${sequence}`;
    await spool.markForwarded(id(0));
    await spool.markRefused(id(1), "BATCH_SIGNATURE_INVALID");
    await spool.markForwarded(id(3));

    expect(await spool.forget(500)).toBe(1);
    expect(await spool.waiting()).toBe(1);
    // Forgotten, it is new; what waits, was refused or is young is still known.
    expect((await add(0, 1000)).status).toBe("accepted");
    for (const sequence of [1, 2, 3]) {
      expect((await add(sequence, 1000)).status).toBe("duplicate");
    }
    await store.close();
  });

  it("keeps its last tenth for emergencies", async () => {
    const store = await backend.open("spool");
    const spool = await createSpool({ store, capacity: 10 });
    const add = (sequence: number, priority: Priority) =>
      spool.add({
        batch: batchOf(sequence, priority),
        bytes: utf8(`batch ${sequence}`),
        digest: `digest ${sequence}`,
        ticket: "ticket",
        receivedAt: sequence,
      });
    for (let sequence = 0; sequence < 9; sequence++) {
      await add(sequence, "bulk");
    }
    await expect(add(9, "abnormal")).rejects.toMatchObject({ code: "SPOOL_FULL" });
    expect((await add(9, "emergency")).status).toBe("accepted");
    await expect(add(10, "emergency")).rejects.toMatchObject({ code: "SPOOL_FULL" });
    await store.close();
  });
});
