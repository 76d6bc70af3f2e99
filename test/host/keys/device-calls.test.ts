import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { fromHex } from "../../../host/base/index.ts";
import {
  createAccountClient,
  createHttpClient,
  createKdcClient,
  goOnDuty,
} from "../../../host/client/index.ts";
import type { Emergency } from "../../../host/keys/emergency-record.ts";
import {
  EMERGENCY_CALL,
  EMERGENCY_CALL_REPORT,
  EMERGENCY_DUTY,
  EMERGENCY_REQUEST,
  type EmergencyCall,
  generateSigningSeed,
  importSigningKey,
  type SigningKey,
  signStatement,
} from "../../../host/sealing/index.ts";
import type { Pairing } from "../../../host/wearable/index.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Patient, type System, startSystem } from "../../support/system.ts";
import { someId } from "../http/attack.ts";
import { auditedOf, createScene, idOf, MINUTE_MS, refused, type Scene } from "./emergency-scene.ts";

describe.each(backends())("emergencies that a wearable calls, on the $name store", (backend) => {
  let system: System;
  let scene: Scene;
  let pairing: Pairing;
  let key: SigningKey;

  const wearable = async (patient: Patient) => {
    const made = (await system.device(patient)).pairing;
    return { pairing: made, key: await importSigningKey(fromHex(made.signingSeed)) };
  };
  beforeAll(async () => {
    system = await startSystem(backend, { expiriesEveryMs: 100 });
    scene = await createScene(system);
    ({ pairing, key } = await wearable(scene.ada));
  });
  afterAll(() => system?.stop());

  const kdc = () => createKdcClient({ http: createHttpClient({ clock: system.clock }), url: system.kdc.url });
  const callOf = (changes: Partial<EmergencyCall> = {}, by = key) =>
    signStatement(
      EMERGENCY_CALL,
      {
        callId: someId(),
        deviceId: pairing.deviceId,
        cause: "news2",
        request: null,
        at: system.clock.now(),
        until: system.clock.now() + 30 * MINUTE_MS,
        ...changes,
      },
      by,
    );
  const send = (statement: string, by = key) =>
    kdc().call(z.object({ emergency: z.string(), outcome: z.string() }), {
      method: "POST",
      path: "/emergency-calls",
      json: { statement },
      key: by,
    });
  /** Signed by one key, sent under the proof of another. */
  const callAs = async (changes: Partial<EmergencyCall> = {}, signer = key, sender = signer) =>
    send(await callOf(changes, signer), sender);
  const entries = (action: string, object: string) => auditedOf(system, action, object);
  const duty = (doctor: Parameters<Scene["open"]>[0], minutes: number) =>
    goOnDuty({ session: doctor.session, keys: doctor.keys, clock: system.clock, minutes });

  it("are refused unless the very device signed and sent them, for a time", async () => {
    const { stranger } = scene;
    const cloudlet = system.cloudletAccount.key;
    await scene.unchanged(async () => {
      // A cloudlet that makes an emergency up: with its own key, and with a call that it once passed on.
      await refused(callAs({}, cloudlet), 403, "DEVICE_KEY_MISMATCH");
      await refused(callAs({}, key, cloudlet), 403, "DEVICE_KEY_MISMATCH");
      await refused(callAs({}, cloudlet, key), 400, "STATEMENT_INVALID");
      await refused(callAs({}, key, stranger.keys.signing), 403, "DEVICE_KEY_MISMATCH");
      await refused(callAs({ deviceId: someId() }), 403, "DEVICE_UNKNOWN");
      const now = system.clock.now();
      await refused(callAs({ until: now + DAY_MS }), 403, "EMERGENCY_TIME_LIMIT");
      await refused(callAs({ until: now + MINUTE_MS }), 403, "EMERGENCY_TIME_LIMIT");
      await refused(callAs({ at: now - 60 * MINUTE_MS, until: now - 1 }), 403, "CALL_STALE");
    });
    const gone = await wearable(scene.ada);
    await scene.ada.owner.revokeDevice(gone.pairing.deviceId);
    await refused(callAs({ deviceId: gone.pairing.deviceId }, gone.key), 403, "DEVICE_REVOKED");
  });

  it("tell the patient, and open nothing where nobody is on duty or nothing was prepared", async () => {
    const callId = someId();
    expect(await send(await callOf({ callId }))).toEqual({ emergency: "", outcome: "nobody-on-duty" });
    const told = z.object({ notices: z.array(z.looseObject({ kind: z.string(), object: z.string() })) });
    const { notices } = await scene.ada.session.call(told, { method: "GET", path: "/notices?unseen=true" });
    expect(notices.filter(({ object }) => object === callId).map(({ kind }) => kind)).toEqual([
      "emergency.called",
    ]);
    const bo = await wearable(scene.bo);
    const byBo = await callOf({ deviceId: bo.pairing.deviceId }, bo.key);
    expect(await send(byBo, bo.key)).toEqual({ emergency: "", outcome: "unprepared" });
  });

  it("open one request in the name of who is on duty, whose keys take two approvals as ever", async () => {
    const doctor = await scene.newDoctor();
    await duty(doctor, 60);
    const callId = someId();
    const statement = await callOf({ callId });
    expect(await send(statement)).toEqual({ emergency: callId, outcome: "opened" });
    // Again, and another call of the same patient: nothing more.
    expect(await send(statement)).toEqual({ emergency: callId, outcome: "opened" });
    expect(await send(await callOf())).toEqual({ emergency: callId, outcome: "opened" });
    const [mine] = await doctor.emergency.pending();
    expect(mine).toMatchObject({
      own: true,
      device: pairing.deviceId,
      request: {
        emergencyId: callId,
        patient: "quiet-otter",
        reason: "Called by the wearable: NEWS2 of 7 or more",
      },
    });
    await refused(doctor.emergency.open(callId), 403, "EMERGENCY_PENDING");
    const [one, two] = scene.trustees;
    const [pending] = await one.emergency.pending();
    const emergency = pending?.emergency as NonNullable<typeof pending>["emergency"];
    await scene.approve(one, emergency, doctor);
    await refused(doctor.emergency.open(callId), 403, "EMERGENCY_PENDING");
    await refused(scene.approve(one, emergency, doctor), 409, "EMERGENCY_APPROVED_ALREADY");
    expect((await scene.approve(two, emergency, doctor)).phase).toBe("open");
    expect((await doctor.emergency.open(callId)).streams).toHaveLength(1);
    // What the wearable says of it is in the log, and only of its own call.
    const report = async (by: SigningKey, about = callId) =>
      kdc().call(z.unknown(), {
        method: "POST",
        path: `/emergency-calls/${callId}/reports`,
        json: {
          statement: await signStatement(
            EMERGENCY_CALL_REPORT,
            { callId: about, deviceId: pairing.deviceId, helpers: 2, ended: true, at: system.clock.now() },
            by,
          ),
        },
        key: by,
      });
    await report(key);
    await refused(report(system.cloudletAccount.key), 403, "DEVICE_KEY_MISMATCH");
    await refused(report(key, someId()), 403, "CALL_MISMATCH");
    const [entry] = await entries("emergency.call-report", callId);
    expect(entry?.document).toMatchObject({
      actor: pairing.deviceId,
      actorRole: "device",
      owner: idOf(scene.ada),
      details: { helpers: 2, ended: "yes" },
    });
    expect((await entries("emergency.call", callId)).map(({ document }) => document.details)).toContainEqual({
      cause: "news2",
      outcome: "opened",
      emergency: callId,
      requester: idOf(doctor),
    });
    await doctor.emergency.end(callId);
    await duty(doctor, 0);
    expect(await entries("emergency.expire", callId)).toEqual([]);
  });

  it("are nothing to trustees' machines where the KDC made them up", async () => {
    const doctor = await scene.newDoctor();
    await duty(doctor, 60);
    const callId = someId();
    await send(await callOf({ callId }));
    const emergencies = await system.stores.kdc.collection<Emergency>({
      name: "emergencies",
      indexes: [
        { fields: { owner: 1, requestedAt: 1 } },
        { fields: { requester: 1, until: 1 } },
        { fields: { until: 1 } },
        { fields: { holdsShares: 1, until: 1 } },
      ],
    });
    const { _id, ...true_ } = (await emergencies.findOne({ _id: { $eq: callId } })) as Emergency;
    const [trustee] = scene.trustees;
    const own = await importSigningKey(generateSigningSeed());
    const shift = (changes: object, by: SigningKey) => {
      const from = system.clock.now();
      const payload = { doctor: idOf(doctor), from, until: from + 60 * MINUTE_MS, ...changes };
      return signStatement(EMERGENCY_DUTY, payload, by);
    };
    const bo = await wearable(scene.bo);
    const call = true_.call as NonNullable<Emergency["call"]>;
    const past = system.clock.now() - 3 * 60 * MINUTE_MS;
    for (const [what, lie] of [
      [
        "a call by no device of the patient's",
        { statement: await callOf({ callId, until: true_.until }, own) },
      ],
      ["another time", { until: true_.until + MINUTE_MS }],
      ["another reason", { reason: "Found unconscious, and nobody there" }],
      ["a shift that the doctor did not sign", { call: { ...call, duty: await shift({}, own) } }],
      [
        "a shift that is over",
        {
          call: { ...call, duty: await shift({ from: past, until: past + MINUTE_MS }, doctor.keys.signing) },
        },
      ],
      [
        "another doctor's shift",
        { call: { ...call, duty: await shift({ doctor: someId() }, doctor.keys.signing) } },
      ],
      ["another patient's device", { call: { ...call, enrolment: bo.pairing.deviceId } }],
    ] as const) {
      await emergencies.updateOne(
        { _id: { $eq: callId } },
        { $set: { ...true_, ...lie, version: 1 } as never },
      );
      await expect(trustee.emergency.pending(), what).rejects.toMatchObject({
        code: expect.stringMatching(/^(EMERGENCY_INVALID|STATEMENT_INVALID)$/),
      });
    }
    // A call that is shown as a doctor's own request is none either.
    await emergencies.updateOne(
      { _id: { $eq: callId } },
      { $set: { ...true_, call: null, version: 1 } as never },
    );
    await refused(trustee.emergency.pending(), 400, "STATEMENT_INVALID");
    await emergencies.updateOne({ _id: { $eq: callId } }, { $set: { ...true_, version: 1 } as never });
    expect(await trustee.emergency.pending()).toHaveLength(1);
    await doctor.emergency.end(callId);
    await duty(doctor, 0);
  });

  it("ask another doctor where the one who was asked is closed or off duty, and leave what is open", async () => {
    const [first, second, third, fourth] = [
      await scene.newDoctor(),
      await scene.newDoctor(),
      await scene.newDoctor(),
      await scene.newDoctor(),
    ];
    const officer = createAccountClient(scene.trustees[2].session);
    const phases = async () =>
      Object.fromEntries((await scene.prepared.list()).map(({ emergencyId, phase }) => [emergencyId, phase]));
    const [a, b, c, d] = [someId(), someId(), someId(), someId()];
    const callA = await callOf({ callId: a });
    const watch = await wearable(scene.ada);
    const other = async (callId: string) =>
      send(await callOf({ callId, deviceId: watch.pairing.deviceId }, watch.key), watch.key);

    await duty(first, 60);
    expect(await send(callA)).toEqual({ emergency: a, outcome: "opened" });
    await officer.suspend(first.handle, true);
    // Nobody else is there: the device is told so and asks again.
    const callB = await callOf({ callId: b });
    expect(await send(callB)).toEqual({ emergency: "", outcome: "nobody-on-duty" });
    await duty(second, 60);
    expect(await send(callB)).toEqual({ emergency: b, outcome: "opened" });
    expect(await phases()).toMatchObject({ [a]: "ended", [b]: "pending" });
    const logged = (await entries("emergency.call", b)).map(({ document }) => document.details);
    expect(logged).toContainEqual(expect.objectContaining({ requester: idOf(second), givenUp: a }));
    expect(await send(callB)).toEqual({ emergency: b, outcome: "opened" });
    expect(await send(callA)).toEqual({ emergency: b, outcome: "opened" });

    await duty(second, 0);
    await duty(third, 60);
    expect(await other(c)).toEqual({ emergency: c, outcome: "opened" });
    expect(await phases()).toMatchObject({ [b]: "ended", [c]: "pending" });
    expect((await third.emergency.pending()).map(({ request }) => request.emergencyId)).toContain(c);

    // A request's own call cannot open it again.
    const callD = await callOf({ callId: d });
    await third.emergency.end(c);
    expect(await send(callD)).toEqual({ emergency: d, outcome: "opened" });
    await duty(fourth, 60);
    await duty(third, 0);
    expect(await send(callD)).toEqual({ emergency: "", outcome: "over" });
    expect(await send(callD)).toEqual({ emergency: "", outcome: "over" });

    // Once trustees opened it, it stays whoever is on duty.
    const e = someId();
    expect(await other(e)).toEqual({ emergency: e, outcome: "opened" });
    const [one, two] = scene.trustees;
    const known = (await one.emergency.pending()).find(({ emergency }) => emergency.emergencyId === e)
      ?.emergency as NonNullable<Awaited<ReturnType<typeof one.emergency.pending>>[0]>["emergency"];
    await scene.approve(one, known, fourth);
    await scene.approve(two, known, fourth);
    await duty(second, 60);
    await duty(fourth, 0);
    expect(await send(await callOf())).toEqual({ emergency: e, outcome: "opened" });
    expect(await phases()).toMatchObject({ [e]: "open" });
    await fourth.emergency.end(e);

    // What a doctor requested by themselves, on duty or not, no call ends, even under its id.
    const { emergencyId } = await scene.open(third);
    expect(await send(await callOf({ callId: emergencyId }))).toMatchObject({ emergency: emergencyId });
    expect(await phases()).toMatchObject({ [emergencyId]: "pending" });
    await third.emergency.end(emergencyId);
    await duty(second, 0);
  });

  it("are counted by device, so that one wearable does not use up the others' calls", async () => {
    const cy = await system.patient("calm-tern", "Cy");
    await cy.owner.startEpoch("medical");
    const callBy = async ({ pairing: { deviceId }, key: by }: Awaited<ReturnType<typeof wearable>>) =>
      callOf({ deviceId }, by);
    const [stolen, own] = [await wearable(cy), await wearable(cy)];
    const first = await callBy(stolen);
    await send(first, stolen.key);
    for (let i = 1; i < 20; i++) {
      await send(await callBy(stolen), stolen.key);
    }
    const beyond = await callBy(stolen);
    const sent = await Promise.allSettled([1, 2, 3].map(() => send(beyond, stolen.key)));
    expect(sent.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    await refused(send(beyond, stolen.key), 429, "RATE_LIMITED");
    // What was taken before can be sent again, and the other wearable calls as if nothing were.
    expect(await send(first, stolen.key)).toEqual({ emergency: "", outcome: "unprepared" });
    const again = await callBy(own);
    for (let i = 0; i < 25; i++) {
      await send(again, own.key);
    }
    for (let i = 1; i < 20; i++) {
      await send(await callBy(own), own.key);
    }
    await refused(
      callBy(own).then((call) => send(call, own.key)),
      429,
      "RATE_LIMITED",
    );
    // All of them together have a bound, too.
    for (let device = 0; device < 3; device++) {
      const more = await wearable(cy);
      for (let i = 0; i < 20; i++) {
        await send(await callBy(more), more.key);
      }
    }
    const last = await wearable(cy);
    await refused(
      callBy(last).then((call) => send(call, last.key)),
      429,
      "RATE_LIMITED",
    );
  });

  it("let no one be on duty for another, for long, or by an old word", async () => {
    const [doctor, other] = [await scene.newDoctor(), await scene.newDoctor()];
    const put = async (by: typeof doctor, payload: object, signer = by.keys.signing) => {
      const from = system.clock.now();
      const whole = { doctor: idOf(by), from, until: from + MINUTE_MS, ...payload };
      const statement = await signStatement(EMERGENCY_DUTY, whole, signer);
      return by.session.call(z.unknown(), { method: "PUT", path: "/emergency-duty", json: { statement } });
    };
    await refused(put(doctor, { doctor: idOf(other) }), 403, "EMERGENCY_REQUESTER_MISMATCH");
    await refused(put(doctor, {}, other.keys.signing), 400, "STATEMENT_INVALID");
    const from = system.clock.now() - 10 * MINUTE_MS;
    await refused(put(doctor, { from, until: from + DAY_MS }), 403, "DUTY_STALE");
    await expect(put(doctor, { until: system.clock.now() + 2 * DAY_MS })).rejects.toThrow();
    const request = await signStatement(EMERGENCY_REQUEST, scene.requestOf(doctor), doctor.keys.signing);
    const path = "/emergency-duty";
    await refused(
      doctor.session.call(z.unknown(), { method: "PUT", path, json: { statement: request } }),
      400,
      "STATEMENT_INVALID",
    );
  });
});
