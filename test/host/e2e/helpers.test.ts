import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../host/audit/index.ts";
import {
  createAuditClient,
  createNoticeBoard,
  goOnDuty,
  type OpenedStream,
} from "../../../host/client/index.ts";
import { ACKNOWLEDGEMENT } from "../../../host/emergency/live/index.ts";
import { batchDigest, parseBatch, signStatement } from "../../../host/sealing/index.ts";
import { createPhysiology, createReporter } from "../../../host/wearable/index.ts";
import { asTrustees, emergencyOf, type Staff, staffOf } from "../../support/emergency.ts";
import { createLine, createTestHelper, gatewayOf, helperOf } from "../../support/helpers.ts";
import { flatten } from "../../support/leaks.ts";
import { backends } from "../../support/stores.ts";
import { dumpOf, eventually, type System, startSystem } from "../../support/system.ts";
import { createScene } from "../community/scene.ts";

const CODES = ["asthma", "diabetes", "hypertension", "epilepsy"];

describe.each(backends())("a fall with the line to the cloud cut, on the $name store", (backend) => {
  const line = createLine();
  let system: System;
  beforeAll(async () => {
    system = await startSystem(backend, { cloudletFetch: line.fetch, expiriesEveryMs: 100 });
    await eventually(async () =>
      (await dumpOf(system.stores.cloudlet)).some(({ collection }) => collection === "cloud_keys"),
    );
  });
  afterAll(() => system?.stop());

  const heartRates = async ({ reader }: Staff, stream: OpenedStream) => {
    const seen: (number | null)[] = [];
    for await (const { batch } of reader.read(stream)) {
      if (batch.status === "opened") {
        seen.push(...(batch.columns.find(({ quantity }) => quantity === "heartRate")?.values ?? []));
      }
    }
    return seen;
  };

  it("reaches the doctor through two helpers, one of whom lies, by two approvals; the patient's log tells it all", async () => {
    const { clock } = system;
    const patient = await system.patient("quiet-otter", "Ada Quillfeather");
    await patient.owner.startEpoch("medical");
    const { device, pairing } = await system.device(patient);
    const trustees = [await staffOf(system, "dr-heron"), await staffOf(system, "dr-stork")] as const;
    await emergencyOf(system, patient).emergency.prepare({ trustees: asTrustees(trustees), threshold: 2 });
    const doctor = await staffOf(system, "dr-swift");
    await goOnDuty({ session: doctor.session, keys: doctor.keys, clock, minutes: 600 });

    // A community with a hospital; three of its members walk by, two of them alike.
    const scene = await createScene(system, { moderator: await system.person("moderator", "mod") });
    await scene.publish();
    const community = (await scene.call("GET", scene.path, undefined)).json.statement as string;
    const honest = await createTestHelper(system, scene, CODES);
    const stranger = await createTestHelper(system, scene, ["gout"]);
    const liar = await createTestHelper(system, scene, CODES);
    // It keeps the frame to itself and makes the cloud's word up.
    const lying = helperOf(system, liar.self, async (url, init) => {
      if (!url.endsWith("/relayed-batches")) {
        return fetch(url, init);
      }
      const bytes = new Uint8Array(init.body as Uint8Array<ArrayBuffer>);
      const { deviceId, sequence } = parseBatch(bytes).header;
      const cloudlet = system.cloudletAccount.accountId;
      const word = { deviceId, sequence, digest: batchDigest(bytes), cloudlet, at: clock.now() };
      const acknowledgement = await signStatement(ACKNOWLEDGEMENT, word, liar.key);
      return new Response(JSON.stringify({ status: "stored", acknowledgement }), { status: 201 });
    });

    line.cut(system.cloud.url);
    const reporter = createReporter();
    const body = createPhysiology({ seed: 3, startTime: clock.now() });
    const report = reporter.take(body.nextBatch(10), { fall: true });
    expect(report?.priority).toBe("emergency");
    const sealed = await device.record(report?.columns ?? [], report?.priority ?? "regular");
    await device.flush();
    const gateway = await gatewayOf(system, pairing, { community, codes: CODES, threshold: 3 });
    const { callId, kdc } = await gateway.call("fall", 30);
    expect(kdc).toBe("opened");
    for (const program of [lying, honest.helper, stranger.helper]) {
      expect(await program.round()).toMatchObject({ answered: 1, relayed: 0 });
    }
    expect(await gateway.tend()).toMatchObject({ helpers: 2 });
    // The cloudlet has tried by itself and failed; now its helpers are asked.
    await eventually(async () => system.logLines.some((text) => text.includes("uplink_waits")));

    expect(await stranger.helper.round()).toMatchObject({ relayed: 0 });
    expect(await lying.round()).toMatchObject({ relayed: 0, troubles: ["ACKNOWLEDGEMENT_INVALID"] });
    expect(await honest.helper.round()).toMatchObject({
      relayed: 1,
      bytes: sealed.bytes.length,
      troubles: [],
    });
    const spooled = (await dumpOf(system.stores.cloudlet)).filter(({ collection }) => collection === "spool");
    expect(spooled.map(({ document }) => document.state)).toEqual(["forwarded"]);

    // The doctor on duty has a request in their name, which two trustees decide.
    const [pending] = await doctor.emergency.pending();
    expect(pending).toMatchObject({ own: true, device: pairing.deviceId, request: { emergencyId: callId } });
    await expect(doctor.emergency.open(callId)).rejects.toMatchObject({ code: "EMERGENCY_PENDING" });
    for (const trustee of trustees) {
      await trustee.emergency.approve({ emergencyId: callId, expectedFingerprint: doctor.fingerprint });
    }
    const opened = await doctor.emergency.open(callId);
    const seen = await heartRates(doctor, opened.streams[0] as OpenedStream);
    expect(seen.length).toBeGreaterThan(0);

    await gateway.end();
    line.mend();
    clock.advance(31 * 60_000);
    await expect(doctor.emergency.open(callId)).rejects.toMatchObject({ code: "EMERGENCY_ENDED" });
    const log = createAuditClient(patient.session);
    const mine = async () =>
      ((await log.mine({ after: 0, limit: 1000 })).entries as AuditEntry[]).filter(
        ({ object, outcome }) => object === callId && outcome === "success",
      );
    await eventually(async () => (await mine()).some(({ action }) => action === "emergency.expire"));
    const told = await mine();
    expect(told.map(({ action }) => action)).toEqual([
      "emergency.call",
      "emergency.call-report",
      "emergency.fetch-share",
      "emergency.approve",
      "emergency.fetch-share",
      "emergency.approve",
      "emergency.release",
      "emergency.call-report",
      "emergency.expire",
    ]);
    expect(told[0]).toMatchObject({
      actor: pairing.deviceId,
      actorRole: "device",
      details: { cause: "fall", outcome: "opened" },
    });
    expect(told[1]?.details).toEqual({ helpers: 2, ended: "no" });
    expect(told[7]?.details).toEqual({ helpers: 2, ended: "yes" });
    expect(told[8]?.details).toMatchObject({ opened: "yes" });
    const notices = (await createNoticeBoard(patient.session).list()).filter(
      ({ object }) => object === callId,
    );
    expect(notices.map(({ kind }) => kind).sort()).toEqual([
      "emergency.approved",
      "emergency.approved",
      "emergency.called",
      "emergency.ended",
      "emergency.opened",
      "emergency.requested",
    ]);
    // Helping is no attack: the intrusion detection of none of the three found anything.
    for (const store of Object.values(system.stores)) {
      const found = (await dumpOf(store)).filter(({ collection }) => collection === "ids_alerts");
      expect(found.map(({ document }) => document.rule)).toEqual([]);
    }
    const known = (await dumpOf(system.stores.cloudlet)).map(({ document }) => flatten(document)).join("\n");
    for (const secret of ["Ada Quillfeather", "quiet-otter", ...CODES]) {
      expect(known).not.toContain(secret);
    }
  });
});
