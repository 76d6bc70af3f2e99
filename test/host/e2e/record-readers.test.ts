import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../../host/base/index.ts";
import {
  createHttpClient,
  createRecordOwner,
  createRecordReader,
  createSeenParts,
} from "../../../host/client/index.ts";
import { exportBundle, importBundle } from "../../../host/fhir/index.ts";
import { splitRecord } from "../../../host/patient-record/index.ts";
import { evaluationFile } from "../../support/data.ts";
import { asTrustees, emergencyOf, REASON, staffOf } from "../../support/emergency.ts";
import { flatten, spellings } from "../../support/leaks.ts";
import { recordOwnerOf, recordReaderOf, shareRecord } from "../../support/records.ts";
import { backends } from "../../support/stores.ts";
import { dumpOf, type Patient, type System, startSystem } from "../../support/system.ts";
import { FULL_RECORD } from "../patient-record/records.ts";

const synthea = evaluationFile(
  "records/synthea_fhir/Desmond_Gutmann_d49945ce-9f8c-4974-80e3-0b38054dd45d.json",
);
const ALL = ["identity", "profile", "medical"] as const;

describe.each(backends())("who reads a record, on the $name store", (backend) => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem(backend);
  });
  afterAll(() => system?.stop());

  const codesOf = (regions: readonly { region: string; status: string; error?: { code: string } }[]) =>
    Object.fromEntries(regions.map(({ region, status, error }) => [region, error?.code ?? status]));

  /** A patient whose own machine starts its epochs in the patient's `owner`, so that consents can be revoked there. */
  const patientWithRecord = async (handle: string): Promise<Patient> => {
    const patient = await system.patient(handle, "Ada");
    for (const region of ALL) {
      await patient.owner.startEpoch(region);
    }
    await recordOwnerOf(system, patient).save(FULL_RECORD, {});
    return patient;
  };

  it.skipIf(synthea === null)(
    "a Synthea patient goes in, is sealed, kept, shared, read and given out as FHIR, and is the same record",
    async () => {
      const { record } = importBundle(JSON.parse(await readFile(synthea as string, "utf8")));
      const patient = await system.patient("quiet-otter", "");
      for (const region of ALL) {
        await patient.owner.startEpoch(region);
      }
      const saved = await recordOwnerOf(system, patient).save(record, {});
      // 330 KB of FHIR are some kilobytes: the medical part is compressed before it is sealed.
      expect(saved.find(({ region }) => region === "medical")?.size).toBeLessThan(20_000);
      const doctor = await system.doctor("dr-heron");
      await shareRecord(system, patient, doctor, ALL);
      const { streams } = await doctor.reader.shared();
      const [view] = await recordReaderOf(system, doctor).read(streams);
      const bundle = exportBundle(view?.record ?? {}, { pseudonym: view?.ownerId ?? "", at: 0 });
      expect(importBundle(JSON.parse(JSON.stringify(bundle))).record).toEqual(record);

      const words = [
        ...(record.names ?? []).map(({ given, family }) => `${given?.join(" ")} ${family}`),
        ...(record.addresses ?? []).flatMap(({ lines }) => lines ?? []),
        ...(record.identifiers ?? []).map(({ value }) => value),
        ...(record.contacts ?? []).map(({ value }) => value),
        ...(record.conditions ?? []).map(({ code }) => code.text),
        ...(record.conditions ?? []).map(({ code }) => code.codings?.[0]?.code),
        // What is shorter lies in random bytes by chance.
      ].filter((word) => word !== undefined && word.length >= 8) as string[];
      expect(words.length).toBeGreaterThan(10);
      const needles = words.flatMap((word) => spellings(utf8(word)));
      for (const [service, store] of Object.entries(system.stores)) {
        const haystack = (await dumpOf(store)).map(({ document }) => flatten(document)).join("\n");
        expect(
          needles.filter((needle) => haystack.includes(needle)),
          service,
        ).toEqual([]);
      }
    },
  );

  it("nobody from the moment their consent is revoked, and those who remain go on", async () => {
    const patient = await patientWithRecord("brave-wren");
    const gone = await system.doctor("dr-gone");
    const stays = await system.doctor("dr-stays");
    await shareRecord(system, patient, gone, ["medical"]);
    await shareRecord(system, patient, stays, ["medical"]);
    const { streams: held } = await gone.reader.shared();
    const before = await recordReaderOf(system, gone).read(held);
    expect(codesOf(before[0]?.regions ?? [])).toEqual({ medical: "read" });

    const [given] = (await patient.owner.consents()).filter(
      ({ consent }) => consent.reader === gone.session.account.accountId,
    );
    await patient.owner.revoke(given?.consent.consentId ?? "");
    const after = await recordReaderOf(system, gone).read(held);
    expect(codesOf(after[0]?.regions ?? [])).toEqual({ medical: "CONSENT_MISSING" });

    // What is saved now is sealed to the new epoch: the old keys do not open it, whoever hands out the bytes.
    const owner = recordOwnerOf(system, patient);
    const { versions } = await owner.load();
    const saved = await owner.save(FULL_RECORD, versions);
    expect(saved.map(({ region, status }) => [region, status])).toEqual([
      ["identity", "unchanged"],
      ["profile", "unchanged"],
      ["medical", "saved"],
    ]);
    const { streams } = await stays.reader.shared();
    const [view] = await recordReaderOf(system, stays).read(streams);
    expect(view?.record).toEqual(splitRecord(FULL_RECORD).medical);
    const [old] = await recordReaderOf(system, stays).read(held);
    expect(codesOf(old?.regions ?? [])).toEqual({ medical: "EPOCH_UNKNOWN" });
  });

  it("nobody whose consent ended by its date opens what is saved afterwards, and trustees hear of the new epoch", async () => {
    const patient = await patientWithRecord("swift-otter");
    const doctor = await system.doctor("dr-late");
    const stays = await system.doctor("dr-later");
    const now = system.clock.now();
    const consent = { regions: ["medical"] as const, purpose: "treatment" as const, from: now };
    const of = ({ handle, fingerprint }: typeof doctor) => ({
      reader: handle,
      expectedFingerprint: fingerprint,
    });
    await patient.owner.share({ ...consent, ...of(doctor), until: now + 60_000 });
    await patient.owner.share({ ...consent, ...of(stays), until: now + 3_600_000 });
    const { streams: held } = await doctor.reader.shared();
    system.clock.advance(61_000);

    let told = 0;
    const owner = createRecordOwner({
      ...patient,
      suite: system.suite,
      clock: system.clock,
      http: createHttpClient({ clock: system.clock }),
      cloudUrl: system.cloud.url,
      seen: createSeenParts({}, async () => {}),
      onEpochs: async () => {
        told++;
      },
    });
    const record = { ...FULL_RECORD, notes: [{ text: "after the end" }] };
    await owner.save(record, { identity: 1, profile: 1, medical: 1 });
    expect(told).toBe(1);
    const epochId = patient.owner.epochs.findLast(({ region }) => region === "medical")?.epochId ?? "";
    expect(held[0]?.epochs.has(epochId)).toBe(false);
    expect(codesOf((await recordReaderOf(system, doctor).read(held))[0]?.regions ?? [])).toEqual({
      medical: "CONSENT_MISSING",
    });
    const { streams } = await stays.reader.shared();
    const [view] = await recordReaderOf(system, stays).read(streams);
    expect(view?.record.notes).toEqual(record.notes);
    await owner.save(record, { identity: 1, profile: 1, medical: 2 });
    expect(told).toBe(1);
  });

  it("a doctor in an emergency: the medical part, as long as it is open, and no other region", async () => {
    const patient = await patientWithRecord("still-heron");
    const trustees = [await staffOf(system, "dr-one"), await staffOf(system, "dr-two")];
    const { emergency } = emergencyOf(system, patient);
    await emergency.prepare({ trustees: asTrustees(trustees), threshold: 2 });
    const doctor = await staffOf(system, "dr-swift");
    const { emergencyId } = await doctor.emergency.request({
      patient: "still-heron",
      reason: REASON,
      minutes: 30,
    });
    for (const trustee of trustees) {
      await trustee.emergency.approve({ emergencyId, expectedFingerprint: doctor.fingerprint });
    }
    const { streams } = await doctor.emergency.open(emergencyId);
    const { session, keys } = doctor;
    const reader = createRecordReader({
      http: createHttpClient({ clock: system.clock }),
      session,
      keys,
      cloudUrl: system.cloud.url,
      seen: createSeenParts({}, async () => {}),
    });
    const [view] = await reader.read(streams);
    expect(codesOf(view?.regions ?? [])).toEqual({ medical: "read" });
    expect(view?.record).toEqual(splitRecord(FULL_RECORD).medical);
    system.clock.advance(31 * 60_000);
    const [ended] = await reader.read(streams);
    expect(codesOf(ended?.regions ?? [])).toEqual({ medical: "CONSENT_MISSING" });
  });

  it("nobody who only knows a stream's id", async () => {
    const patient = await patientWithRecord("lone-finch");
    const stranger = await system.doctor("dr-stranger");
    const fellow = await system.patient("calm-robin", "");
    for (const { session, keys } of [stranger, fellow]) {
      for (const { streamId, region } of [
        ...patient.owner.epochs,
        { streamId: "0".repeat(32), region: "" },
      ]) {
        const stream = {
          streamId,
          region: "medical" as const,
          ownerId: patient.session.account.accountId,
          ownerName: "",
          ownerFingerprint: "",
          ownerKey: new Uint8Array(32),
          epochs: new Map(),
          devices: new Map(),
        };
        const reader = recordReaderOf(system, { ...stranger, session, keys });
        const [view] = await reader.read([stream]);
        expect(codesOf(view?.regions ?? []), region).toEqual({ medical: "CONSENT_MISSING" });
      }
    }
  });
});
