import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../../host/base/index.ts";
import { createNoticeBoard, type OpenedStream } from "../../../host/client/index.ts";
import { EMERGENCY_SHARE, openEmergencyShare, verifyStatement } from "../../../host/sealing/index.ts";
import { asTrustees, emergencyOf, REASON, type Staff, staffOf } from "../../support/emergency.ts";
import { flatten, spellings } from "../../support/leaks.ts";
import { backends } from "../../support/stores.ts";
import { dumpOf, eventually, type System, startSystem } from "../../support/system.ts";
import { documentsOf } from "../http/attack.ts";

const MINUTE_MS = 60_000;

describe.each(backends())("break-glass on the $name store", (backend) => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem(backend);
  });
  afterAll(() => system?.stop());

  const heartRates = async (reader: Staff, stream: OpenedStream) => {
    const seen: (number | null)[] = [];
    for await (const { batch } of reader.reader.read(stream)) {
      if (batch.status === "opened") {
        seen.push(...batch.columns.flatMap(({ values }) => values));
      }
    }
    return seen;
  };

  it("opens a patient's live readings to a doctor whom two trustees let, tells the patient, and ends by itself", async () => {
    const { clock } = system;
    const patient = await system.patient("quiet-otter", "Ada Quillfeather");
    await patient.owner.startEpoch("identity");
    await patient.owner.startEpoch("medical");
    const { device } = await system.device(patient);
    const trustees = [
      await staffOf(system, "dr-heron"),
      await staffOf(system, "dr-stork"),
      await staffOf(system, "officer-crane", "security-officer"),
    ] as const;
    const doctor = await staffOf(system, "dr-swift");
    const { emergency } = emergencyOf(system, patient);
    expect(await emergency.prepare({ trustees: asTrustees(trustees), threshold: 2 })).toEqual({ epochs: 1 });

    // A second epoch, as after a revocation: the trustees get shares of it as well.
    await patient.owner.startEpoch("medical");
    expect(await emergency.catchUp()).toEqual({ epochs: 1 });
    expect(await emergency.catchUp()).toEqual({ epochs: 0 });

    const record = async (value: number) => {
      const times = [clock.now()];
      await device.record([{ quantity: "heartRate", times, values: [value] }], "regular");
      await device.flush();
    };
    await record(141);

    expect((await doctor.reader.shared()).streams).toEqual([]);
    const { emergencyId } = await doctor.emergency.request({
      patient: "quiet-otter",
      reason: REASON,
      minutes: 30,
    });
    const notices = createNoticeBoard(patient.session);
    const ofIt = async () => (await notices.list()).filter(({ object }) => object === emergencyId);
    const kinds = async () => (await ofIt()).map(({ kind, who }) => `${kind} ${who}`).sort();
    expect(await kinds()).toEqual(["emergency.requested dr-swift"]);
    expect(await ofIt()).toMatchObject([{ reason: REASON, seenAt: null }]);
    await expect(doctor.emergency.open(emergencyId)).rejects.toMatchObject({ code: "EMERGENCY_PENDING" });

    for (const trustee of [trustees[2], trustees[0]]) {
      expect((await trustee.notices.list()).map(({ kind }) => kind)).toContain("emergency.approval-needed");
      const [pending] = await trustee.emergency.pending();
      expect(pending).toMatchObject({
        own: false,
        approved: false,
        request: { reason: REASON, patient: "quiet-otter", emergencyId },
        requesterFingerprint: doctor.fingerprint,
      });
      const expectedFingerprint = doctor.fingerprint;
      await trustee.emergency.approve({ emergencyId, expectedFingerprint });
    }
    const opened = await doctor.emergency.open(emergencyId);
    expect(opened.liars).toEqual([]);
    expect(opened.streams).toHaveLength(1);
    const stream = opened.streams[0] as OpenedStream;
    expect([...stream.epochs.keys()].sort()).toEqual(
      patient.owner.epochs
        .filter(({ region }) => region === "medical")
        .map(({ epochId }) => epochId)
        .sort(),
    );
    await eventually(async () => (await heartRates(doctor, stream)).length === 1);

    // Live: what is measured now reaches the doctor now.
    const abort = new AbortController();
    const live: (number | null)[] = [];
    const following = (async () => {
      for await (const { batch } of doctor.reader.follow(stream, abort.signal)) {
        live.push(...(batch.status === "opened" ? batch.columns.flatMap(({ values }) => values) : []));
      }
    })();
    await eventually(async () => live.length === 1);
    await record(37);
    await eventually(async () => live.length === 2);
    abort.abort();
    await following;
    expect(live).toEqual([141, 37]);

    // Nothing of the keys and shares lies open at the KDC, and the others know nothing at all.
    const sealedShares = await documentsOf(system.stores.kdc, "emergency_shares");
    expect(sealedShares).toHaveLength(2);
    const shares: Uint8Array[] = [];
    for (const set of sealedShares) {
      for (const { trustee, statement } of set.shares as { trustee: string; statement: string }[]) {
        const own = trustees.find(({ session }) => session.account.accountId === trustee) as Staff;
        const share = await verifyStatement(EMERGENCY_SHARE, statement, patient.keys.signing.publicKey);
        shares.push(await openEmergencyShare(own.keys.receiving, share));
      }
    }
    expect(shares).toHaveLength(6);
    const secrets = [
      ...patient.owner.epochs.map(({ privateKey }) => privateKey),
      ...shares.flatMap((share) => [share, share.slice(0, 32)]),
      ...[patient, doctor, ...trustees].flatMap((person) => person.secrets),
      utf8("Ada Quillfeather"),
    ].flatMap((secret) => spellings(new Uint8Array(secret)));
    for (const [service, store] of Object.entries(system.stores)) {
      const haystack = (await dumpOf(store)).map(({ document }) => flatten(document)).join("\n");
      for (const secret of secrets) {
        expect(haystack.includes(secret), `${service} holds a secret`).toBe(false);
      }
    }
    expect(system.logLines.join("\n")).not.toContain(REASON);

    // It ends by itself: no key, no new ticket; a ticket of before ended with it.
    clock.advance(31 * MINUTE_MS);
    await expect(doctor.emergency.open(emergencyId)).rejects.toMatchObject({ code: "EMERGENCY_ENDED" });
    await expect(heartRates(doctor, stream)).rejects.toMatchObject({ code: "CONSENT_MISSING" });
    expect(await doctor.emergency.pending()).toEqual([]);
    expect(await kinds()).toEqual([
      "emergency.approved dr-heron",
      "emergency.approved officer-crane",
      "emergency.ended null",
      "emergency.opened dr-swift",
      "emergency.requested dr-swift",
    ]);

    // What was read stays read; what comes now is sealed to a new epoch, which the trustees have shares of.
    const { emergencies, epoch } = await emergency.afterwards();
    expect(emergencies.map((past) => past.emergencyId)).toEqual([emergencyId]);
    expect(epoch?.number).toBe(3);
    expect(await documentsOf(system.stores.kdc, "emergency_shares")).toHaveLength(3);
    expect(await emergency.afterwards()).toEqual({ emergencies: [], epoch: null });
    expect(stream.epochs.has(epoch?.epochId as string)).toBe(false);
  });
});
