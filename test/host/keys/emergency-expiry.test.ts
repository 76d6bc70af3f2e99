import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuditLog } from "../../../host/audit/index.ts";
import { writeExpiries } from "../../../host/keys/emergency-expiry.ts";
import type { Emergency } from "../../../host/keys/emergency-record.ts";
import { generateSigningSeed, importSigningKey } from "../../../host/sealing/index.ts";
import { warn } from "../../support/guarantees.ts";
import { backends } from "../../support/stores.ts";
import { dumpOf, eventually, type System, startSystem } from "../../support/system.ts";
import { someId } from "../http/attack.ts";
import { auditedOf, createScene, idOf, MINUTE_MS, type Scene } from "./emergency-scene.ts";

describe.each(backends())("emergencies that end by themselves, on the $name store", (backend) => {
  let system: System;
  let scene: Scene;

  beforeAll(async () => {
    system = await startSystem(backend, { expiriesEveryMs: 100 });
    scene = await createScene(system);
  });
  afterAll(() => system?.stop());

  const entries = (action: string, object: string) => auditedOf(system, action, object);

  it("have one entry that they did, whoever restarts when", async () => {
    const doctor = await scene.newDoctor();
    const ended = await scene.open(doctor);
    await doctor.emergency.end(ended.emergencyId);
    const { emergencyId, until } = await scene.open(doctor);
    expect(await entries("emergency.expire", emergencyId)).toEqual([]);
    system.clock.advance(31 * MINUTE_MS);
    await eventually(async () => (await entries("emergency.expire", emergencyId)).length > 0);
    const [entry] = await entries("emergency.expire", emergencyId);
    expect(entry?.document).toMatchObject({
      actor: null,
      actorRole: "service",
      owner: idOf(scene.ada),
      outcome: "success",
      details: { requester: idOf(doctor), opened: "no", until },
    });

    // Two processes at once, and one that was killed before, between and after the two writes.
    const store = await backend.open("kdc-killed");
    const log = await createAuditLog({
      store,
      clock: system.clock,
      key: await importSigningKey(generateSigningSeed()),
      onTrouble: () => {},
    });
    const emergencies = await store.collection<Emergency>({ name: "emergencies", indexes: [] });
    const made = (await dumpOf(system.stores.kdc)).find(
      ({ collection, document }) => collection === "emergencies" && document._id === emergencyId,
    )?.document as unknown as Emergency;
    const fresh = async () => {
      const _id = someId();
      await emergencies.insertOne({ ...made, _id, expiryWritten: false, expiryClaimedAt: null });
      return _id;
    };
    const count = async (id: string) =>
      (await log.entries({ after: 0, limit: 1000 })).filter(({ object }) => object === id).length;
    const run = () => writeExpiries(emergencies, log, system.clock);
    const both = await fresh();
    if ((await backend.lacks()).has("atomic updates")) {
      warn("this server does not keep atomic updates: that three processes write one entry was SKIPPED.");
      await run();
    } else {
      await Promise.all([run(), run(), run()]);
    }
    await run();
    expect(await count(both)).toBe(1);
    for (const died of ["before", "after"] as const) {
      const id = await fresh();
      const dying = {
        entries: log.entries,
        append: async (event: Parameters<typeof log.append>[0]) => {
          if (died === "after") {
            await log.append(event);
          }
          throw new Error("killed");
        },
      };
      await expect(writeExpiries(emergencies, dying, system.clock)).rejects.toThrow("killed");
      await run();
      system.clock.advance(2 * MINUTE_MS);
      await run();
      await run();
      expect(await count(id), died).toBe(1);
    }
    await log.close();
    await store.close();
    expect(await entries("emergency.expire", emergencyId)).toHaveLength(1);
    expect(await entries("emergency.expire", ended.emergencyId)).toEqual([]);
  });
});
