import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEmergencyOfficer, type EmergencyOfficer } from "../../../host/client/index.ts";
import { type Staff, staffOf } from "../../support/emergency.ts";
import { backends } from "../../support/stores.ts";
import { type System, startSystem } from "../../support/system.ts";
import { documentsOf, someId } from "../http/attack.ts";
import { call, createScene, idOf, refused, type Scene } from "./emergency-scene.ts";

const REASON = "The requester's telephone was stolen an hour ago.";

describe.each(backends())("a security officer and an emergency, on the $name store", (backend) => {
  let system: System;
  let scene: Scene;
  let doctor: Staff;
  let officer: Staff;
  let watch: EmergencyOfficer;

  beforeAll(async () => {
    system = await startSystem(backend);
    scene = await createScene(system);
    officer = await staffOf(system, "day-watch", "security-officer");
    watch = createEmergencyOfficer(officer.session);
  });
  beforeEach(async () => {
    doctor = await scene.newDoctor();
  });
  afterAll(() => system?.stop());

  it("see every emergency that goes on, and nobody else does", async () => {
    const emergency = await scene.open(doctor);
    expect((await watch.running()).map(({ emergencyId }) => emergencyId)).toContain(emergency.emergencyId);
    for (const by of [scene.ada, scene.stranger, doctor, system.operator]) {
      await refused(call(by, "GET", "/emergencies/running"), 403, "ROLE_FORBIDDEN");
    }
    await doctor.emergency.end(emergency.emergencyId);
    expect((await watch.running()).map(({ emergencyId }) => emergencyId)).not.toContain(
      emergency.emergencyId,
    );
  });

  it("end one that is open: no key and no ticket after that, and everybody is told by whom and why", async () => {
    const { ada, trustees, open, approve } = scene;
    const emergency = await open(doctor);
    const { emergencyId } = emergency;
    for (const trustee of trustees.slice(0, 2)) {
      await approve(trustee, emergency, doctor);
    }
    await doctor.emergency.open(emergencyId);
    const streamId = ada.owner.epochs.find(({ region }) => region === "medical")?.streamId as string;
    await doctor.session.readTicket(streamId, doctor.keys.signing);
    expect(await watch.stop(emergencyId, REASON)).toMatchObject({ phase: "ended" });
    await refused(doctor.emergency.open(emergencyId), 410, "EMERGENCY_ENDED");
    await refused(doctor.session.readTicket(streamId, doctor.keys.signing), 403, "CONSENT_MISSING");
    await refused(watch.stop(emergencyId, REASON), 410, "EMERGENCY_ENDED");
    const [kept] = (await documentsOf(system.stores.kdc, "emergencies")).filter(
      ({ _id }) => _id === emergencyId,
    );
    expect(kept).toMatchObject({ holdsShares: false });
    const told = (await documentsOf(system.stores.kdc, "notices")).filter(
      ({ kind, object }) => kind === "emergency.stopped" && object === emergencyId,
    );
    expect(told.map(({ accountId }) => accountId).sort()).toEqual([idOf(ada), idOf(doctor)].sort());
    expect(told[0]).toMatchObject({ who: "day-watch", reason: REASON });
    const entries = await documentsOf(system.stores.kdc, "audit");
    expect(entries).toContainEqual(
      expect.objectContaining({
        action: "emergency.stop",
        actor: idOf(officer),
        owner: idOf(ada),
        object: emergencyId,
        outcome: "success",
        details: { reason: REASON },
      }),
    );
  });

  it("give a reason, end what there is, and get nothing of it", async () => {
    const { emergencyId } = await scene.open(doctor);
    await scene.unchanged(async () => {
      await refused(watch.stop(emergencyId, "why not"), 400, "REQUEST_INVALID");
      await refused(watch.stop(emergencyId, `${REASON}\u001b[2J`), 400, "REQUEST_INVALID");
      await refused(watch.stop(someId(), REASON), 404, "EMERGENCY_UNKNOWN");
      const path = `/emergencies/${emergencyId}`;
      for (const by of [scene.ada, scene.trustees[0], doctor, system.operator]) {
        await refused(call(by, "POST", `${path}/stop`, { reason: REASON }), 403, "ROLE_FORBIDDEN");
      }
      await refused(call(officer, "GET", `${path}/share`), 403, "EMERGENCY_NOT_TRUSTEE");
      await refused(call(officer, "GET", `${path}/keys`), 403, "ROLE_FORBIDDEN");
    });
  });
});
