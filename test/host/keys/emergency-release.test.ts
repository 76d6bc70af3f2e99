import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { asTrustees, emergencyOf, REASON, type Staff } from "../../support/emergency.ts";
import { backends } from "../../support/stores.ts";
import { type System, startSystem } from "../../support/system.ts";
import { documentsOf, payloadOf } from "../http/attack.ts";
import { call, createScene, idOf, MINUTE_MS, refused, type Scene } from "./emergency-scene.ts";

describe.each(backends())("what an emergency gives out, on the $name store", (backend) => {
  let system: System;
  let scene: Scene;
  let doctor: Staff;

  beforeAll(async () => {
    system = await startSystem(backend);
    scene = await createScene(system);
  });
  beforeEach(async () => {
    doctor = await scene.newDoctor();
  });
  afterAll(() => system?.stop());

  it("gives keys and tickets to its requester alone, no longer than it lasts, and for nothing but medical data", async () => {
    const { ada, bo, trustees, stranger, open, approve } = scene;
    const emergency = await open(doctor);
    const { emergencyId } = emergency;
    const streamOf = (region: string) =>
      ada.owner.epochs.find((epoch) => epoch.region === region)?.streamId as string;
    const ticket = (by: Staff, region = "medical") =>
      by.session.readTicket(streamOf(region), by.keys.signing);
    await refused(ticket(doctor), 403, "CONSENT_MISSING");
    await approve(trustees[0], emergency, doctor);
    await refused(ticket(doctor), 403, "CONSENT_MISSING");
    await approve(trustees[1], emergency, doctor);
    expect((await ticket(doctor)).expiresAt).toBeLessThanOrEqual(emergency.until);
    await refused(ticket(doctor, "identity"), 403, "CONSENT_MISSING");
    await refused(
      doctor.session.readTicket(bo.owner.epochs[0]?.streamId as string, doctor.keys.signing),
      403,
      "CONSENT_MISSING",
    );
    for (const by of [stranger, trustees[0], trustees[1]]) {
      await refused(ticket(by), 403, "CONSENT_MISSING");
      await refused(by.emergency.open(emergencyId), 403, "EMERGENCY_NOT_YOURS");
      await refused(by.emergency.end(emergencyId), 403, "EMERGENCY_NOT_YOURS");
    }
    const released = await call(doctor, "GET", `/emergencies/${emergencyId}/keys`);
    expect(JSON.stringify(released)).toContain('"approvals"');
    for (const jws of (released as { epochs: string[] }).epochs) {
      expect(payloadOf(jws)).toMatchObject({ owner: idOf(ada), region: "medical" });
    }

    // Four minutes before the end a ticket lives four minutes.
    system.clock.advance(26 * MINUTE_MS);
    const last = await ticket(doctor);
    expect(last.expiresAt).toBeLessThanOrEqual(emergency.until);
    expect(last.expiresAt).toBeGreaterThan(emergency.until - 2000);
    system.clock.advance(4 * MINUTE_MS + 1);
    await scene.unchanged(async () => {
      await refused(ticket(doctor), 403, "CONSENT_MISSING");
      await refused(doctor.emergency.open(emergencyId), 410, "EMERGENCY_ENDED");
      await refused(approve(trustees[2], emergency, doctor), 410, "EMERGENCY_ENDED");
      await refused(doctor.emergency.end(emergencyId), 410, "EMERGENCY_ENDED");
    });
  });

  it("is ended by its patient at once, open or not, and by no other patient", async () => {
    const { ada, bo, prepared, trustees, open, approve, approvalOf, sendApproval } = scene;
    const emergency = await open(doctor);
    const { emergencyId } = emergency;
    await refused(call(bo, "POST", `/emergencies/${emergencyId}/end`), 403, "EMERGENCY_NOT_YOURS");
    await approve(trustees[0], emergency, doctor);
    await approve(trustees[1], emergency, doctor);
    await doctor.emergency.open(emergencyId);
    expect(await prepared.end(emergencyId)).toMatchObject({ phase: "ended" });
    const streamId = ada.owner.epochs.find(({ region }) => region === "medical")?.streamId as string;
    await scene.unchanged(async () => {
      await refused(doctor.emergency.open(emergencyId), 410, "EMERGENCY_ENDED");
      await refused(doctor.session.readTicket(streamId, doctor.keys.signing), 403, "CONSENT_MISSING");
      await refused(
        sendApproval(trustees[2], emergency, approvalOf(trustees[2], emergency, doctor)),
        410,
        "EMERGENCY_ENDED",
      );
    });
    const pending = await open(doctor);
    await prepared.end(pending.emergencyId);
    await refused(approve(trustees[0], pending, doctor), 410, "EMERGENCY_ENDED");
  });

  it("needs more than the requester leaves over", async () => {
    const { trustees, requestOf, send } = scene;
    const patient = await system.patient("small-finch", "Fi");
    await patient.owner.startEpoch("medical");
    await emergencyOf(system, patient).emergency.prepare({
      trustees: asTrustees([trustees[0], trustees[1]]),
      threshold: 2,
    });
    await scene.unchanged(async () => {
      const request = requestOf(trustees[0], { patient: "small-finch" });
      await refused(send(trustees[0], request), 409, "EMERGENCY_TRUSTEES_TOO_FEW");
    });
  });

  it("is not opened with shares of before, once the patient chose other trustees", async () => {
    const { trustees, approve } = scene;
    const patient = await system.patient("wary-lark", "La");
    await patient.owner.startEpoch("medical");
    const { emergency } = emergencyOf(system, patient);
    await emergency.prepare({ trustees: asTrustees([trustees[0], trustees[1]]), threshold: 2 });
    const requested = await doctor.emergency.request({ patient: "wary-lark", reason: REASON, minutes: 30 });
    await approve(trustees[0], requested, doctor);
    await emergency.prepare({ trustees: asTrustees([trustees[1], trustees[2]]), threshold: 2 });
    await scene.unchanged(async () => {
      await refused(approve(trustees[1], requested, doctor), 409, "EMERGENCY_SHARES_OUTDATED");
    });
    const anew = await doctor.emergency.request({ patient: "wary-lark", reason: REASON, minutes: 30 });
    await refused(approve(trustees[0], anew, doctor), 403, "EMERGENCY_NOT_TRUSTEE");
    await approve(trustees[1], anew, doctor);
    await approve(trustees[2], anew, doctor);
    expect((await doctor.emergency.open(anew.emergencyId)).streams).toHaveLength(1);
  });

  it("tells the patient before it gives anything out, even where a crash swallowed the notice", async () => {
    const { ada, trustees, open, approve } = scene;
    const emergency = await open(doctor);
    await approve(trustees[0], emergency, doctor);
    await approve(trustees[1], emergency, doctor);
    const notices = await system.stores.kdc.collection<{ _id: string; kind: string; object: string }>({
      name: "notices",
      indexes: [{ fields: { accountId: 1, at: 1 } }],
    } as never);
    const told = { kind: { $eq: "emergency.opened" }, object: { $eq: emergency.emergencyId } };
    const streamId = ada.owner.epochs.find(({ region }) => region === "medical")?.streamId as string;
    for (const use of [
      () => doctor.emergency.open(emergency.emergencyId),
      () => doctor.session.readTicket(streamId, doctor.keys.signing),
    ]) {
      expect(await notices.deleteMany(told)).toBe(1);
      await use();
      expect(await notices.countDocuments(told)).toBe(1);
    }
  });

  it("is deleted from the store once it is over, by time or by the patient", async () => {
    const { trustees, prepared, open, approve } = scene;
    const handedOn = async (emergencyId: string) => {
      const kept = (await documentsOf(system.stores.kdc, "emergencies")).find(
        ({ _id }) => _id === emergencyId,
      );
      return Object.values(
        kept?.approvals as Record<string, { statement: string; shares: string[] }>,
      ).flatMap(({ statement, shares }) => [statement, ...shares].filter((text) => text !== ""));
    };
    const [byPatient, byTime] = [await open(doctor), await open(doctor)];
    for (const { emergencyId } of [byPatient, byTime]) {
      await approve(trustees[0], { emergencyId } as typeof byTime, doctor);
      await approve(trustees[1], { emergencyId } as typeof byTime, doctor);
      expect(await handedOn(emergencyId)).toHaveLength(4);
    }
    await prepared.end(byPatient.emergencyId);
    expect(await handedOn(byPatient.emergencyId)).toEqual([]);
    system.clock.advance(31 * MINUTE_MS);
    await open(doctor);
    expect(await handedOn(byTime.emergencyId)).toEqual([]);
    // Who approved stays known.
    const past = (await prepared.list()).find(({ emergencyId }) => emergencyId === byTime.emergencyId);
    expect(past?.approvers.map(({ handle }) => handle).sort()).toEqual(["dr-heron", "dr-stork"]);
  });

  it("is in the audit step by step, and so is who tried what they may not", async () => {
    const { ada, trustees, stranger, requestOf, send, open, approve, approvalOf, sendApproval } = scene;
    const entries = async () =>
      (await documentsOf(system.stores.kdc, "audit")).sort((a, b) => Number(a.sequence) - Number(b.sequence));
    const before = (await entries()).length;
    const tooLong = requestOf(doctor, { until: system.clock.now() + 500 * MINUTE_MS });
    await refused(send(doctor, tooLong), 403, "EMERGENCY_TIME_LIMIT");
    const emergency = await open(doctor);
    const { emergencyId } = emergency;
    const [heron, stork] = trustees;
    const now = system.clock.now();
    const expired = { approvedAt: now - 2 * MINUTE_MS, expiresAt: now - MINUTE_MS };
    const attempts: [Staff, ReturnType<typeof approvalOf>, number, string][] = [
      [doctor, approvalOf(doctor, emergency, doctor), 403, "EMERGENCY_OWN_APPROVAL"],
      [stranger, approvalOf(stranger, emergency, doctor), 403, "EMERGENCY_NOT_TRUSTEE"],
      [heron, approvalOf(heron, emergency, doctor, expired), 403, "APPROVAL_EXPIRED"],
      [heron, approvalOf(heron, emergency, stranger), 403, "APPROVAL_MISMATCH"],
    ];
    for (const [by, approval, status, code] of attempts) {
      await refused(sendApproval(by, emergency, approval), status, code);
    }
    await approve(heron, emergency, doctor);
    await refused(approve(heron, emergency, doctor), 409, "EMERGENCY_APPROVED_ALREADY");
    await approve(stork, emergency, doctor);
    await doctor.emergency.open(emergencyId);
    await doctor.emergency.end(emergencyId);
    await refused(doctor.emergency.open(emergencyId), 410, "EMERGENCY_ENDED");

    const told = (await entries())
      .slice(before)
      // Emergencies of other tests end by a timer, whenever that is.
      .filter(({ action }) => String(action).startsWith("emergency.") && action !== "emergency.expire");
    expect(told.every(({ owner }) => owner === idOf(ada))).toBe(true);
    const steps = told
      .filter(({ action }) => action !== "emergency.fetch-share")
      .map(({ action, actor, code, object }) => [action, actor, code, object]);
    const [doc, other] = [idOf(doctor), idOf(stranger)];
    expect(steps).toEqual([
      ["emergency.request", doc, "EMERGENCY_TIME_LIMIT", null],
      ["emergency.request", doc, null, emergencyId],
      ["emergency.approve", doc, "EMERGENCY_OWN_APPROVAL", emergencyId],
      ["emergency.approve", other, "EMERGENCY_NOT_TRUSTEE", emergencyId],
      ["emergency.approve", idOf(heron), "APPROVAL_EXPIRED", emergencyId],
      ["emergency.approve", idOf(heron), "APPROVAL_MISMATCH", emergencyId],
      ["emergency.approve", idOf(heron), null, emergencyId],
      ["emergency.approve", idOf(heron), "EMERGENCY_APPROVED_ALREADY", emergencyId],
      ["emergency.approve", idOf(stork), null, emergencyId],
      ["emergency.release", doc, null, emergencyId],
      ["emergency.end", doc, null, emergencyId],
      ["emergency.release", doc, "EMERGENCY_ENDED", emergencyId],
    ]);
    expect(
      told.find(({ object, action }) => object === emergencyId && action === "emergency.request"),
    ).toMatchObject({
      details: { reason: REASON, until: emergency.until },
    });
  });

  it("keeps the patient's notices to the patient", async () => {
    const { ada, bo, trustees, open } = scene;
    const emergency = await open(doctor);
    const own = (await documentsOf(system.stores.kdc, "notices")).filter(
      ({ accountId, object }) => accountId === idOf(ada) && object === emergency.emergencyId,
    );
    const requested = own.find(({ kind }) => kind === "emergency.requested");
    const future = own.find(({ kind }) => kind === "emergency.ended");
    await scene.unchanged(async () => {
      for (const by of [bo, doctor, trustees[0]]) {
        await refused(call(by, "POST", `/notices/${requested?._id}/seen`), 404, "NOTICE_UNKNOWN");
      }
      // That it will end is no notice before it does.
      await refused(call(ada, "POST", `/notices/${future?._id}/seen`), 404, "NOTICE_UNKNOWN");
      expect(await call(bo, "GET", "/notices")).toEqual({ notices: [] });
    });
    await call(ada, "POST", `/notices/${requested?._id}/seen`);
    await call(ada, "POST", `/notices/${requested?._id}/seen`);
    const unseen = (await call(ada, "GET", "/notices?unseen=true")) as { notices: { noticeId: string }[] };
    expect(unseen.notices.map(({ noticeId }) => noticeId)).not.toContain(requested?._id);
    const all = (await call(ada, "GET", "/notices?limit=500")) as { notices: { noticeId: string }[] };
    expect(all.notices.map(({ noticeId }) => noticeId)).toContain(requested?._id);
    await refused(call(ada, "GET", "/notices?limit=0"), 400, "REQUEST_INVALID");
  });
});
