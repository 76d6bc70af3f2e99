import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { MedcloudletError } from "../../../host/base/index.ts";
import type { Emergency, KnownEmergency } from "../../../host/client/index.ts";
import {
  EMERGENCY_APPROVAL,
  EMERGENCY_REQUEST,
  type EmergencyApproval,
  type EmergencyRequest,
  type SigningKey,
  signStatement,
} from "../../../host/sealing/index.ts";
import { asTrustees, emergencyOf, REASON, type Staff, staffOf } from "../../support/emergency.ts";
import { backends } from "../../support/stores.ts";
import { type Patient, type Person, type System, startSystem } from "../../support/system.ts";
import { documentsOf, leavesNoTrace, payloadOf, someId } from "../http/attack.ts";

const MINUTE_MS = 60_000;
const idOf = ({ session }: Person) => session.account.accountId;

describe.each(backends())("an emergency, on the $name store", (backend) => {
  let system: System;
  let ada: Patient;
  let bo: Patient;
  let prepared: Emergency;
  let trustees: [Staff, Staff, Staff];
  let stranger: Staff;
  let doctor: Staff;
  let names = 0;

  const call = (by: Person, method: "GET" | "POST" | "DELETE", path: string, json?: unknown) =>
    by.session.call(z.unknown(), { method, path, ...(json === undefined ? {} : { json }) });

  /** Every refusal has a status and a stable code, and leaves nothing behind. */
  const refused = async (attempt: Promise<unknown>, status: number, code: string) => {
    await expect(attempt, code).rejects.toMatchObject({ status, code });
  };

  const requestOf = (by: Person, changes: Partial<EmergencyRequest> = {}): EmergencyRequest => ({
    emergencyId: someId(),
    requester: idOf(by),
    patient: "quiet-otter",
    reason: REASON,
    requestedAt: system.clock.now(),
    until: system.clock.now() + 30 * MINUTE_MS,
    ...changes,
  });
  const send = async (by: Person, request: EmergencyRequest, key: SigningKey = by.keys.signing) =>
    call(by, "POST", "/emergencies", { statement: await signStatement(EMERGENCY_REQUEST, request, key) });

  const open = (by: Staff = doctor) =>
    by.emergency.request({ patient: "quiet-otter", reason: REASON, minutes: 30 });
  const approve = (by: Staff, { emergencyId }: KnownEmergency, of: Staff = doctor) =>
    by.emergency.approve({ emergencyId, expectedFingerprint: of.fingerprint });

  /** An approval in whatever form; what it hands on is garbage, which the KDC cannot know. */
  const approvalOf = (
    by: Person,
    emergency: KnownEmergency,
    changes: Partial<EmergencyApproval> = {},
  ): EmergencyApproval => ({
    emergencyId: emergency.emergencyId,
    approver: idOf(by),
    requester: idOf(doctor),
    requesterFingerprint: doctor.fingerprint,
    setId: prepared.plan?.setId as string,
    epochs: emergency.epochIds.map((epochId) => ({
      epochId,
      enc: "A".repeat(1283),
      ciphertext: "A".repeat(66),
    })),
    approvedAt: system.clock.now(),
    expiresAt: system.clock.now() + 10 * MINUTE_MS,
    ...changes,
  });
  const sendApproval = async (
    by: Person,
    { emergencyId }: Pick<KnownEmergency, "emergencyId">,
    approval: EmergencyApproval,
    key: SigningKey = by.keys.signing,
  ) =>
    call(by, "POST", `/emergencies/${emergencyId}/approvals`, {
      statement: await signStatement(EMERGENCY_APPROVAL, approval, key),
    });

  beforeAll(async () => {
    system = await startSystem(backend);
    ada = await system.patient("quiet-otter", "Ada");
    bo = await system.patient("brave-wren", "Bo");
    await ada.owner.startEpoch("identity");
    await ada.owner.startEpoch("medical");
    await bo.owner.startEpoch("medical");
    trustees = [
      await staffOf(system, "dr-heron"),
      await staffOf(system, "dr-stork"),
      await staffOf(system, "officer-crane", "security-officer"),
    ];
    stranger = await staffOf(system, "dr-magpie");
    prepared = emergencyOf(system, ada).emergency;
    await prepared.prepare({ trustees: asTrustees(trustees), threshold: 2 });
  });
  // One doctor may request twenty times an hour: each test has its own.
  beforeEach(async () => {
    doctor = await staffOf(system, `dr-swift-${names++}`);
  });
  afterAll(() => system?.stop());

  it("is requested by a doctor alone, in their own name, and for now", async () => {
    const now = system.clock.now();
    await leavesNoTrace(system, async () => {
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
    await leavesNoTrace(system, async () => {
      for (const minutes of [1, 4, 241, 60 * 24 * 365]) {
        const until = system.clock.now() + minutes * MINUTE_MS;
        await refused(send(doctor, requestOf(doctor, { until })), 403, "EMERGENCY_TIME_LIMIT");
      }
    });
  });

  it("needs a patient who prepared, and does not tell who is a patient here", async () => {
    const answers: unknown[] = [];
    await leavesNoTrace(system, async () => {
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
    const statement = await signStatement(EMERGENCY_REQUEST, requestOf(doctor), doctor.keys.signing);
    await leavesNoTrace(system, async () => {
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
    const request = requestOf(doctor);
    await send(doctor, request);
    await leavesNoTrace(system, async () => {
      await refused(send(doctor, request), 409, "EMERGENCY_EXISTS");
      await refused(
        send(stranger, requestOf(stranger, { emergencyId: request.emergencyId })),
        409,
        "EMERGENCY_EXISTS",
      );
    });
  });

  it("is not approved by its requester, a stranger, somebody of another role, or anybody twice", async () => {
    const emergency = await open();
    await leavesNoTrace(system, async () => {
      await refused(
        sendApproval(doctor, emergency, approvalOf(doctor, emergency)),
        403,
        "EMERGENCY_OWN_APPROVAL",
      );
      await refused(
        sendApproval(stranger, emergency, approvalOf(stranger, emergency)),
        403,
        "EMERGENCY_NOT_TRUSTEE",
      );
      for (const by of [doctor, stranger]) {
        const share = call(by, "GET", `/emergencies/${emergency.emergencyId}/share`);
        await refused(share, 403, "EMERGENCY_NOT_TRUSTEE");
      }
      for (const by of [ada, system.operator]) {
        await refused(sendApproval(by, emergency, approvalOf(by, emergency)), 403, "ROLE_FORBIDDEN");
      }
    });
    await approve(trustees[0], emergency);
    await leavesNoTrace(system, async () => {
      await refused(approve(trustees[0], emergency), 409, "EMERGENCY_APPROVED_ALREADY");
      await refused(doctor.emergency.open(emergency.emergencyId), 403, "EMERGENCY_PENDING");
    });
  });

  it("is not approved by its requester though the patient made them a trustee", async () => {
    const emergency = await open(trustees[0]);
    await leavesNoTrace(system, async () => {
      await refused(
        sendApproval(trustees[0], emergency, approvalOf(trustees[0], emergency)),
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

  it("takes no approval that is for something else, expired, too long, or signed by another", async () => {
    const emergency = await open();
    const other = await open();
    const [trustee] = trustees;
    const now = system.clock.now();
    const attempt = (changes: Partial<EmergencyApproval>) =>
      sendApproval(trustee, emergency, approvalOf(trustee, emergency, changes));
    const [epoch] = approvalOf(trustee, emergency).epochs;
    await leavesNoTrace(system, async () => {
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
      const own = approvalOf(trustee, emergency);
      await refused(sendApproval(trustee, emergency, own, stranger.keys.signing), 400, "STATEMENT_INVALID");
      await refused(sendApproval(trustee, { emergencyId: someId() }, own), 404, "EMERGENCY_UNKNOWN");
    });
  });

  it("does not open when the first approval had expired before the second came", async () => {
    const { emergencyId } = await doctor.emergency.request({
      patient: "quiet-otter",
      reason: REASON,
      minutes: 60,
    });
    const [emergency] = (await doctor.emergency.pending()).map((pending) => pending.emergency);
    expect(emergency?.emergencyId).toBe(emergencyId);
    await approve(trustees[0], emergency as KnownEmergency);
    system.clock.advance(16 * MINUTE_MS);
    await approve(trustees[1], emergency as KnownEmergency);
    await refused(doctor.emergency.open(emergencyId), 403, "EMERGENCY_PENDING");
    await approve(trustees[0], emergency as KnownEmergency);
    expect((await doctor.emergency.open(emergencyId)).streams).toHaveLength(1);
  });

  it("lets an approver withdraw as long as it is pending, and not after", async () => {
    const emergency = await open();
    await refused(trustees[0].emergency.withdraw(emergency.emergencyId), 404, "APPROVAL_UNKNOWN");
    await approve(trustees[0], emergency);
    await trustees[0].emergency.withdraw(emergency.emergencyId);
    await approve(trustees[1], emergency);
    await refused(doctor.emergency.open(emergency.emergencyId), 403, "EMERGENCY_PENDING");
    await approve(trustees[0], emergency);
    await leavesNoTrace(system, async () => {
      await refused(trustees[0].emergency.withdraw(emergency.emergencyId), 409, "EMERGENCY_OPEN");
      await refused(stranger.emergency.withdraw(emergency.emergencyId), 403, "EMERGENCY_NOT_TRUSTEE");
    });
  });

  it("gives keys and tickets to its requester alone, no longer than it lasts, and for nothing but medical data", async () => {
    const emergency = await open();
    const { emergencyId } = emergency;
    const streamOf = (region: string) =>
      ada.owner.epochs.find((epoch) => epoch.region === region)?.streamId as string;
    const ticket = (by: Staff, region = "medical") =>
      by.session.readTicket(streamOf(region), by.keys.signing);
    await refused(ticket(doctor), 403, "CONSENT_MISSING");
    await approve(trustees[0], emergency);
    await refused(ticket(doctor), 403, "CONSENT_MISSING");
    await approve(trustees[1], emergency);
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
    await leavesNoTrace(system, async () => {
      await refused(ticket(doctor), 403, "CONSENT_MISSING");
      await refused(doctor.emergency.open(emergencyId), 410, "EMERGENCY_ENDED");
      await refused(approve(trustees[2], emergency), 410, "EMERGENCY_ENDED");
      await refused(doctor.emergency.end(emergencyId), 410, "EMERGENCY_ENDED");
    });
  });

  it("is ended by its patient at once, open or not, and by no other patient", async () => {
    const emergency = await open();
    const { emergencyId } = emergency;
    await refused(call(bo, "POST", `/emergencies/${emergencyId}/end`), 403, "EMERGENCY_NOT_YOURS");
    await approve(trustees[0], emergency);
    await approve(trustees[1], emergency);
    await doctor.emergency.open(emergencyId);
    expect(await prepared.end(emergencyId)).toMatchObject({ phase: "ended" });
    const streamId = ada.owner.epochs.find(({ region }) => region === "medical")?.streamId as string;
    await leavesNoTrace(system, async () => {
      await refused(doctor.emergency.open(emergencyId), 410, "EMERGENCY_ENDED");
      await refused(doctor.session.readTicket(streamId, doctor.keys.signing), 403, "CONSENT_MISSING");
      await refused(
        sendApproval(trustees[2], emergency, approvalOf(trustees[2], emergency)),
        410,
        "EMERGENCY_ENDED",
      );
    });
    const pending = await open();
    await prepared.end(pending.emergencyId);
    await refused(approve(trustees[0], pending), 410, "EMERGENCY_ENDED");
  });

  it("needs more than the requester leaves over", async () => {
    const patient = await system.patient("small-finch", "Fi");
    await patient.owner.startEpoch("medical");
    await emergencyOf(system, patient).emergency.prepare({
      trustees: asTrustees([trustees[0], trustees[1]]),
      threshold: 2,
    });
    await leavesNoTrace(system, async () => {
      const request = requestOf(trustees[0], { patient: "small-finch" });
      await refused(send(trustees[0], request), 409, "EMERGENCY_TRUSTEES_TOO_FEW");
    });
  });

  it("is not opened with shares of before, once the patient chose other trustees", async () => {
    const patient = await system.patient("wary-lark", "La");
    await patient.owner.startEpoch("medical");
    const { emergency } = emergencyOf(system, patient);
    await emergency.prepare({ trustees: asTrustees([trustees[0], trustees[1]]), threshold: 2 });
    const requested = await doctor.emergency.request({ patient: "wary-lark", reason: REASON, minutes: 30 });
    await approve(trustees[0], requested);
    await emergency.prepare({ trustees: asTrustees([trustees[1], trustees[2]]), threshold: 2 });
    await leavesNoTrace(system, async () => {
      await refused(approve(trustees[1], requested), 409, "EMERGENCY_SHARES_OUTDATED");
    });
    const anew = await doctor.emergency.request({ patient: "wary-lark", reason: REASON, minutes: 30 });
    await refused(approve(trustees[0], anew), 403, "EMERGENCY_NOT_TRUSTEE");
    await approve(trustees[1], anew);
    await approve(trustees[2], anew);
    expect((await doctor.emergency.open(anew.emergencyId)).streams).toHaveLength(1);
  });

  it("tells the patient before it gives anything out, even where a crash swallowed the notice", async () => {
    const emergency = await open();
    await approve(trustees[0], emergency);
    await approve(trustees[1], emergency);
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

  it("keeps the patient's notices to the patient", async () => {
    const emergency = await open();
    const own = (await documentsOf(system.stores.kdc, "notices")).filter(
      ({ accountId, object }) => accountId === idOf(ada) && object === emergency.emergencyId,
    );
    const requested = own.find(({ kind }) => kind === "emergency.requested");
    const future = own.find(({ kind }) => kind === "emergency.ended");
    await leavesNoTrace(system, async () => {
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

  it.runIf(backend.name === "embedded")(
    "counts nobody twice, however many approvals come at once",
    async () => {
      const emergency = await open();
      const alone = await Promise.allSettled(
        Array.from({ length: 12 }, () =>
          sendApproval(trustees[0], emergency, approvalOf(trustees[0], emergency)),
        ),
      );
      expect(alone.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      await refused(doctor.emergency.open(emergency.emergencyId), 403, "EMERGENCY_PENDING");

      const second = await open();
      const together = await Promise.allSettled(
        trustees.flatMap((trustee) =>
          Array.from({ length: 4 }, () => sendApproval(trustee, second, approvalOf(trustee, second))),
        ),
      );
      expect(together.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
      const [kept] = (await documentsOf(system.stores.kdc, "emergencies")).filter(
        ({ _id }) => _id === second.emergencyId,
      );
      expect(Object.keys(kept?.approvals as object).sort()).toEqual(trustees.map(idOf).sort());
      expect(kept?.openedAt).not.toBeNull();

      // Ending and approving at once: whichever comes first, nothing is released after the end.
      const third = await open();
      await approve(trustees[0], third);
      await Promise.allSettled([approve(trustees[1], third), prepared.end(third.emergencyId)]);
      await refused(doctor.emergency.open(third.emergencyId), 410, "EMERGENCY_ENDED");
    },
  );
});
