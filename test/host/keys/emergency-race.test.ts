import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Collection, Store } from "../../../host/store/index.ts";
import type { Staff } from "../../support/emergency.ts";
import { type Backend, backends } from "../../support/stores.ts";
import { type System, startSystem } from "../../support/system.ts";
import { documentsOf, someId } from "../http/attack.ts";
import { createScene, idOf, MINUTE_MS, refused, type Scene } from "./emergency-scene.ts";

/** The same store, whose answers take a while to arrive: whoever decides on what was read decides on old news. */
function withSlowReads(store: Store): Store {
  const late = async <T>(answer: Promise<T>): Promise<T> => {
    const value = await answer;
    await new Promise((resolve) => setTimeout(resolve, 15));
    return value;
  };
  return {
    ...store,
    async collection<T extends { _id: string }>(spec: Parameters<Store["collection"]>[0]) {
      const collection = (await store.collection<T>(spec as never)) as Collection<T>;
      return { ...collection, findOne: (filter) => late(collection.findOne(filter)) } satisfies Collection<T>;
    },
  };
}

// FerretDB's updates are not atomic, so the embedded store alone can be asked.
describe("an emergency at which many act at once", () => {
  let system: System;
  let scene: Scene;
  let doctor: Staff;

  beforeAll(async () => {
    const [embedded] = backends() as [Backend];
    system = await startSystem({
      ...embedded,
      open: async (service) => {
        const store = await embedded.open(service);
        return service === "kdc" ? withSlowReads(store) : store;
      },
    });
    scene = await createScene(system);
  });
  beforeEach(async () => {
    doctor = await scene.newDoctor();
  });
  afterAll(() => system?.stop());

  const kept = async (emergencyId: string) =>
    (await documentsOf(system.stores.kdc, "emergencies")).find(({ _id }) => _id === emergencyId);
  const done = (results: readonly PromiseSettledResult<unknown>[]) =>
    results.filter(({ status }) => status === "fulfilled").length;

  it("counts nobody twice", async () => {
    const { trustees, open, approvalOf, sendApproval } = scene;
    const [trustee] = trustees;
    const emergency = await open(doctor);
    const attempts = Array.from({ length: 12 }, () =>
      sendApproval(trustee, emergency, approvalOf(trustee, emergency, doctor)),
    );
    expect(done(await Promise.allSettled(attempts))).toBe(1);
    await refused(doctor.emergency.open(emergency.emergencyId), 403, "EMERGENCY_PENDING");
  });

  it("loses no approval", async () => {
    const { trustees, open, approvalOf, sendApproval } = scene;
    for (let round = 0; round < 5; round++) {
      const emergency = await open(doctor);
      const attempts = trustees.map((trustee) =>
        sendApproval(trustee, emergency, approvalOf(trustee, emergency, doctor)),
      );
      expect(done(await Promise.allSettled(attempts))).toBe(3);
      const state = await kept(emergency.emergencyId);
      expect(Object.keys(state?.approvals as object).sort()).toEqual(trustees.map(idOf).sort());
      expect(state?.openedAt).not.toBeNull();
    }
  });

  it("stays ended, whatever was on its way when it ended", async () => {
    const { trustees, prepared, open, approve, approvalOf, sendApproval } = scene;
    const [heron, stork, crane] = trustees;
    for (let round = 0; round < 5; round++) {
      const emergency = await open(doctor);
      const { emergencyId } = emergency;
      await approve(heron, emergency, doctor);
      const attempts = [stork, crane].map((trustee) =>
        sendApproval(trustee, emergency, approvalOf(trustee, emergency, doctor)),
      );
      await Promise.allSettled([
        ...attempts,
        prepared.end(emergencyId),
        heron.emergency.withdraw(emergencyId),
      ]);
      expect((await kept(emergencyId))?.endedAt).not.toBeNull();
      await refused(doctor.emergency.open(emergencyId), 410, "EMERGENCY_ENDED");
    }
  });

  it("is not opened by an approval that is being taken back", async () => {
    const { trustees, open, approve, approvalOf, sendApproval } = scene;
    const [heron, stork] = trustees;
    for (let round = 0; round < 5; round++) {
      const emergency = await open(doctor);
      const { emergencyId } = emergency;
      await approve(heron, emergency, doctor);
      const [withdrawn] = await Promise.allSettled([
        heron.emergency.withdraw(emergencyId),
        sendApproval(stork, emergency, approvalOf(stork, emergency, doctor)),
      ]);
      const state = await kept(emergencyId);
      // One or the other: taken back in time and pending, or too late and open.
      expect(state?.openedAt === null).toBe(withdrawn.status === "fulfilled");
      expect(Object.keys(state?.approvals as object)).toHaveLength(withdrawn.status === "fulfilled" ? 1 : 2);
    }
  });

  it("of two requests with one id at once one stands, and the patient is told no false end", async () => {
    const { requestOf, send } = scene;
    const second = await scene.newDoctor();
    for (let round = 0; round < 3; round++) {
      const emergencyId = someId();
      const long = requestOf(doctor, { emergencyId, until: system.clock.now() + 60 * MINUTE_MS });
      const short = requestOf(second, { emergencyId, until: system.clock.now() + 6 * MINUTE_MS });
      const outcomes = await Promise.allSettled([
        send(doctor, long),
        send(second, short),
        send(doctor, long),
        send(second, short),
      ]);
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") {
          expect(outcome.reason).toMatchObject({ status: 409, code: "EMERGENCY_EXISTS" });
        }
      }
      const kept = (await documentsOf(system.stores.kdc, "emergencies")).find(
        ({ _id }) => _id === emergencyId,
      );
      const [end] = (await documentsOf(system.stores.kdc, "notices")).filter(
        ({ kind, object }) => kind === "emergency.ended" && object === emergencyId,
      );
      expect(end).toMatchObject({ at: kept?.until });
    }
    // Nor does whoever takes an id that is used.
    const { emergencyId, until } = await scene.open(doctor);
    await refused(
      send(second, requestOf(second, { emergencyId, until: system.clock.now() + 6 * MINUTE_MS })),
      409,
      "EMERGENCY_EXISTS",
    );
    const [end] = (await documentsOf(system.stores.kdc, "notices")).filter(
      ({ kind, object }) => kind === "emergency.ended" && object === emergencyId,
    );
    expect(end).toMatchObject({ at: until });
  });
});
