import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { MedcloudletError } from "../../../host/base/index.ts";
import { createAccountClient, type KnownEmergency } from "../../../host/client/index.ts";
import { EMERGENCY_REQUEST, type EmergencyApproval, signStatement } from "../../../host/sealing/index.ts";
import { asTrustees, emergencyOf, REASON, type Staff, staffOf, twinOf } from "../../support/emergency.ts";
import { backends } from "../../support/stores.ts";
import { type System, startSystem } from "../../support/system.ts";
import { documentsOf, someId } from "../http/attack.ts";
import { call, createScene, idOf, MINUTE_MS, refused, type Scene } from "./emergency-scene.ts";

describe.each(backends())("an emergency, on the $name store", (backend) => {
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

  it("is requested by a doctor alone, in their own name, and for now", async () => {
    const { ada, trustees, stranger, requestOf, send } = scene;
    const now = system.clock.now();
    await scene.unchanged(async () => {
      for (const by of [ada, trustees[2], system.operator]) {
        await refused(send(by, requestOf(by)), 403, "ROLE_FORBIDDEN");
      }
      await refused(send(doctor, requestOf(doctor), stranger.keys.signing), 400, "STATEMENT_INVALID");
      await refused(send(doctor, requestOf(stranger)), 403, "EMERGENCY_REQUESTER_MISMATCH");
      for (const requestedAt of [now - 5 * MINUTE_MS, now + 5 * MINUTE_MS]) {
        const until = requestedAt + 30 * MINUTE_MS;
        await refused(
          send(doctor, requestOf(doctor, { requestedAt, until })),
          403,
          "EMERGENCY_REQUEST_STALE",
        );
      }
    });
  });

  it("lasts five minutes to four hours", async () => {
    const { requestOf, send } = scene;
    await scene.unchanged(async () => {
      for (const minutes of [1, 4, 241, 60 * 24 * 365]) {
        const until = system.clock.now() + minutes * MINUTE_MS;
        await refused(send(doctor, requestOf(doctor, { until })), 403, "EMERGENCY_TIME_LIMIT");
      }
    });
  });

  it("needs a patient who prepared, and does not tell who is a patient here", async () => {
    const { requestOf, send } = scene;
    const answers: unknown[] = [];
    await scene.unchanged(async () => {
      for (const patient of ["brave-wren", "nobody-at-all", "dr-heron", "operator"]) {
        const error = (await send(doctor, requestOf(doctor, { patient })).catch(
          (refusal) => refusal,
        )) as MedcloudletError;
        answers.push({
          code: error.code,
          message: error.message.replace(patient, "…"),
          status: error.status,
        });
      }
    });
    expect(answers[0]).toMatchObject({ code: "EMERGENCY_UNPREPARED", status: 404 });
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it("takes nothing but a statement, whatever else is sent", async () => {
    const { ada, requestOf } = scene;
    const statement = await signStatement(EMERGENCY_REQUEST, requestOf(doctor), doctor.keys.signing);
    await scene.unchanged(async () => {
      for (const json of [
        {},
        { statement: { $gt: "" } },
        { statement, owner: idOf(ada) },
        { statement: [statement] },
        { statement: "x".repeat(10_000) },
      ]) {
        await refused(call(doctor, "POST", "/emergencies", json), 400, "REQUEST_INVALID");
      }
      for (const id of ["x", "%24gt", "0".repeat(31), "A".repeat(32)]) {
        await refused(call(doctor, "GET", `/emergencies/${id}/keys`), 400, "REQUEST_INVALID");
      }
      await refused(call(doctor, "GET", `/emergencies/${someId()}/keys`), 404, "EMERGENCY_UNKNOWN");
    });
  });

  it("has one request of an id", async () => {
    const { stranger, requestOf, send } = scene;
    const request = requestOf(doctor);
    await send(doctor, request);
    await scene.unchanged(async () => {
      await refused(send(doctor, request), 409, "EMERGENCY_EXISTS");
      await refused(
        send(stranger, requestOf(stranger, { emergencyId: request.emergencyId })),
        409,
        "EMERGENCY_EXISTS",
      );
    });
  });

  it("stands in the audit with the longest reason there can be", async () => {
    const { requestOf, send } = scene;
    const reason = "x".repeat(500);
    const request = requestOf(doctor, { reason });
    await send(doctor, request);
    const entries = await documentsOf(system.stores.kdc, "audit");
    expect(entries.filter(({ object }) => object === request.emergencyId)).toMatchObject([
      { action: "emergency.request", outcome: "success", details: { reason } },
    ]);
  });

  it("counts no approval of an account that was closed since, and opens to no closed account", async () => {
    // Closing an account ends its sessions: these people are for this test alone.
    const staff = [
      await staffOf(system, "dr-cuckoo"),
      await staffOf(system, "dr-dunnock"),
      await staffOf(system, "officer-owl", "security-officer"),
    ] as const;
    const [stolen, second, officer] = staff;
    const [asking, left] = [await staffOf(system, "dr-teal"), await staffOf(system, "dr-wigeon")];
    const patient = await system.patient("small-dormouse", "Do");
    await patient.owner.startEpoch("medical");
    await emergencyOf(system, patient).emergency.prepare({ trustees: asTrustees(staff), threshold: 2 });
    const request = { patient: "small-dormouse", reason: REASON, minutes: 30 };
    const { suspend } = createAccountClient(officer.session);
    const emergency = await asking.emergency.request(request);
    await scene.approve(stolen, emergency, asking);
    await suspend(stolen.handle, true);
    await scene.approve(second, emergency, asking);
    await refused(asking.emergency.open(emergency.emergencyId), 403, "EMERGENCY_PENDING");
    await scene.approve(officer, emergency, asking);
    expect((await asking.emergency.open(emergency.emergencyId)).streams).toHaveLength(1);
    const late = await left.emergency.request(request);
    await suspend(left.handle, true);
    await refused(scene.approve(officer, late, left), 403, "EMERGENCY_REQUESTER_CLOSED");
  });

  it("is not approved by its requester, a stranger, somebody of another role, or anybody twice", async () => {
    const { ada, trustees, stranger, open, approve, approvalOf, sendApproval } = scene;
    const emergency = await open(doctor);
    await scene.unchanged(async () => {
      await refused(
        sendApproval(doctor, emergency, approvalOf(doctor, emergency, doctor)),
        403,
        "EMERGENCY_OWN_APPROVAL",
      );
      await refused(
        sendApproval(stranger, emergency, approvalOf(stranger, emergency, doctor)),
        403,
        "EMERGENCY_NOT_TRUSTEE",
      );
      for (const by of [doctor, stranger]) {
        const share = call(by, "GET", `/emergencies/${emergency.emergencyId}/share`);
        await refused(share, 403, "EMERGENCY_NOT_TRUSTEE");
      }
      for (const by of [ada, system.operator]) {
        await refused(sendApproval(by, emergency, approvalOf(by, emergency, doctor)), 403, "ROLE_FORBIDDEN");
      }
    });
    await approve(trustees[0], emergency, doctor);
    await scene.unchanged(async () => {
      await refused(approve(trustees[0], emergency, doctor), 409, "EMERGENCY_APPROVED_ALREADY");
      await refused(doctor.emergency.open(emergency.emergencyId), 403, "EMERGENCY_PENDING");
    });
  });

  it("is not approved by its requester though the patient made them a trustee", async () => {
    const { trustees, open, approve, approvalOf, sendApproval } = scene;
    const emergency = await open(trustees[0]);
    await scene.unchanged(async () => {
      await refused(
        sendApproval(trustees[0], emergency, approvalOf(trustees[0], emergency, doctor)),
        403,
        "EMERGENCY_OWN_APPROVAL",
      );
    });
    await approve(trustees[1], emergency, trustees[0]);
    await refused(trustees[0].emergency.open(emergency.emergencyId), 403, "EMERGENCY_PENDING");
    await approve(trustees[2], emergency, trustees[0]);
    expect((await trustees[0].emergency.open(emergency.emergencyId)).streams).toHaveLength(1);
    await trustees[0].emergency.end(emergency.emergencyId);
    await refused(trustees[0].emergency.open(emergency.emergencyId), 410, "EMERGENCY_ENDED");
  });

  it("is not approved by its requester under another name", async () => {
    const twin = await twinOf(system, doctor, "dr-swift-again");
    const patient = await system.patient("sharp-kestrel", "Ke");
    await patient.owner.startEpoch("medical");
    const { emergency } = emergencyOf(system, patient);
    const [heron, stork] = scene.trustees;
    await emergency.prepare({ trustees: asTrustees([heron, stork, twin]), threshold: 2 });
    const requested = await doctor.emergency.request({
      patient: "sharp-kestrel",
      reason: REASON,
      minutes: 30,
    });
    await scene.approve(heron, requested, doctor);
    await scene.unchanged(async () => {
      await refused(scene.approve(twin, requested, doctor), 403, "EMERGENCY_OWN_APPROVAL");
    });
    // Nor can a patient take one person for two.
    const heronAgain = await twinOf(system, heron, "dr-heron-again");
    const attempt = emergency.prepare({ trustees: asTrustees([heron, heronAgain]), threshold: 2 });
    await refused(attempt, 400, "EMERGENCY_THRESHOLD");
  });

  it("takes no approval that is for something else, expired, too long, or signed by another", async () => {
    const { trustees, stranger, open, approvalOf, sendApproval } = scene;
    const emergency = await open(doctor);
    const other = await open(doctor);
    const [trustee] = trustees;
    const now = system.clock.now();
    const attempt = (changes: Partial<EmergencyApproval>) =>
      sendApproval(trustee, emergency, approvalOf(trustee, emergency, doctor, changes));
    const [epoch] = approvalOf(trustee, emergency, doctor).epochs;
    await scene.unchanged(async () => {
      for (const changes of [
        { emergencyId: other.emergencyId },
        { approver: idOf(trustees[1]) },
        { requester: idOf(stranger) },
        { requesterFingerprint: stranger.fingerprint },
        { setId: someId() },
        { epochs: [{ ...epoch, epochId: someId() } as EmergencyApproval["epochs"][number]] },
        { epochs: [epoch, { ...epoch, epochId: someId() }] as EmergencyApproval["epochs"] },
      ]) {
        await refused(attempt(changes), 403, "APPROVAL_MISMATCH");
      }
      const past = { approvedAt: now - 12 * MINUTE_MS, expiresAt: now - 1000 };
      await refused(attempt(past), 403, "APPROVAL_EXPIRED");
      await refused(attempt({ expiresAt: now + 16 * MINUTE_MS }), 403, "APPROVAL_LIFETIME");
      const future = { approvedAt: now + 5 * MINUTE_MS, expiresAt: now + 15 * MINUTE_MS };
      await refused(attempt(future), 403, "APPROVAL_LIFETIME");
      const own = approvalOf(trustee, emergency, doctor);
      await refused(sendApproval(trustee, emergency, own, stranger.keys.signing), 400, "STATEMENT_INVALID");
      await refused(sendApproval(trustee, { emergencyId: someId() }, own), 404, "EMERGENCY_UNKNOWN");
    });
  });

  it("does not open when the first approval had expired before the second came", async () => {
    const { trustees, approve } = scene;
    const { emergencyId } = await doctor.emergency.request({
      patient: "quiet-otter",
      reason: REASON,
      minutes: 60,
    });
    const [emergency] = (await doctor.emergency.pending()).map((pending) => pending.emergency);
    expect(emergency?.emergencyId).toBe(emergencyId);
    await approve(trustees[0], emergency as KnownEmergency, doctor);
    system.clock.advance(16 * MINUTE_MS);
    await approve(trustees[1], emergency as KnownEmergency, doctor);
    await refused(doctor.emergency.open(emergencyId), 403, "EMERGENCY_PENDING");
    await approve(trustees[0], emergency as KnownEmergency, doctor);
    expect((await doctor.emergency.open(emergencyId)).streams).toHaveLength(1);
  });

  it("lets an approver withdraw as long as it is pending, and not after", async () => {
    const { trustees, stranger, open, approve } = scene;
    const emergency = await open(doctor);
    await refused(trustees[0].emergency.withdraw(emergency.emergencyId), 404, "APPROVAL_UNKNOWN");
    await approve(trustees[0], emergency, doctor);
    await trustees[0].emergency.withdraw(emergency.emergencyId);
    await approve(trustees[1], emergency, doctor);
    await refused(doctor.emergency.open(emergency.emergencyId), 403, "EMERGENCY_PENDING");
    await approve(trustees[0], emergency, doctor);
    await scene.unchanged(async () => {
      await refused(trustees[0].emergency.withdraw(emergency.emergencyId), 409, "EMERGENCY_OPEN");
      await refused(stranger.emergency.withdraw(emergency.emergencyId), 403, "EMERGENCY_NOT_TRUSTEE");
    });
  });
});
