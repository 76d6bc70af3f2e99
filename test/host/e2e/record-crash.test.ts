import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOwner, type RecordView } from "../../../host/client/index.ts";
import type { PatientRecord } from "../../../host/patient-record/index.ts";
import { lineThatBreaks } from "../../support/broken-line.ts";
import { type Disk, overLine, recordOwnerOf, recordReaderOf, shareRecord } from "../../support/records.ts";
import { backendsOfLongRuns } from "../../support/stores.ts";
import { type Doctor, type Patient, type System, startSystem } from "../../support/system.ts";
import { documentsOf } from "../http/attack.ts";

const OLD: PatientRecord = { mothersMaidenName: "Old", birthYear: 1950, notes: [{ text: "old" }] };
const NEW: PatientRecord = { mothersMaidenName: "New", birthYear: 1960, notes: [{ text: "new" }] };

const recordOf = (year: number): PatientRecord => ({
  mothersMaidenName: `Name ${year}`,
  birthYear: year,
  notes: [{ text: `of ${year}` }],
});

describe.each(backendsOfLongRuns())("saving a record on the $name store", (backend) => {
  let system: System;
  let patients = 0;
  beforeAll(async () => {
    system = await startSystem(backend);
  });
  afterAll(() => system?.stop());

  const begin = async (): Promise<{ patient: Patient; doctor: Doctor; disk: Disk }> => {
    const number = ++patients;
    const patient = await system.patient(`otter-${number}`, "");
    const disk: Disk = { epochs: [], seen: {} };
    await recordOwnerOf(system, patient, disk).save(OLD, {});
    const doctor = await system.doctor(`dr-${number}`);
    await shareRecord(system, patient, doctor, ["identity", "profile", "medical"], disk);
    return { patient, doctor, disk };
  };
  const viewOf = async (doctor: Doctor): Promise<RecordView> => {
    const { streams } = await doctor.reader.shared();
    const [view] = await recordReaderOf(system, doctor).read(streams);
    return view as RecordView;
  };

  it.each(["request", "answer"] as const)(
    "leaves a readable record wherever it is cut off, and goes on from there (lost: the %s)",
    async (lost) => {
      const { patient, doctor, disk } = await begin();
      const line = lineThatBreaks(lost);
      const away = await overLine(system, patient, line.fetch);
      let before = OLD;
      let mixed = 0;
      let cuts = 0;
      for (let after = 0; ; after++) {
        const version = after + 1;
        const base = { identity: version, profile: version, medical: version };
        const record = recordOf(1960 + after);
        line.breakAfter(after);
        const outcome = await recordOwnerOf(system, away, disk, line.fetch)
          .save(record, base)
          .then(
            () => "done",
            ({ code }) => code,
          );
        if (!line.broke()) {
          expect(outcome).toBe("done");
          break;
        }
        cuts++;
        expect(outcome).toBe("SERVICE_UNREACHABLE");
        const between = await viewOf(doctor);
        expect(between.regions.map(({ status }) => status)).toEqual(["read", "read", "read"]);
        const fields = ["mothersMaidenName", "birthYear", "notes"] as const;
        for (const field of fields) {
          expect([before[field], record[field]]).toContainEqual(between.record[field]);
        }
        mixed += between.record.mothersMaidenName !== before.mothersMaidenName ? 1 : 0;
        // The same call on the next day, with what the machine kept.
        const saved = await recordOwnerOf(system, patient, disk).save(record, base);
        expect(saved.map((region) => region.version)).toEqual([version + 1, version + 1, version + 1]);
        expect((await viewOf(doctor)).record).toEqual(record);
        before = record;
      }
      // What is due and what counts now are asked for; then for each region a ticket to read, the part, a ticket to
      // write, the bytes, the statement.
      expect(cuts).toBeGreaterThanOrEqual(2 + 3 * 5);
      expect(mixed).toBeGreaterThan(0);
    },
    60_000,
  );

  it("begins epochs where there are none, and finds them again after a crash", async () => {
    // What is due and what counts now; then for each region the epoch, a ticket, the bytes, the statement.
    for (let after = 0; after < 2 + 3 * 4; after++) {
      const patient = await system.patient(`wren-${after}`, "");
      const disk: Disk = { epochs: [], seen: {} };
      const line = lineThatBreaks("request");
      const away = await overLine(system, patient, line.fetch);
      line.breakAfter(after);
      await expect(recordOwnerOf(system, away, disk, line.fetch).save(NEW, {})).rejects.toMatchObject({
        code: "SERVICE_UNREACHABLE",
      });
      await recordOwnerOf(system, patient, disk).save(NEW, {});
      expect((await recordOwnerOf(system, patient, disk).load()).record).toEqual(NEW);
      expect(disk.epochs).toHaveLength(3);
    }
  });

  it("does not overwrite what another machine saved meanwhile", async () => {
    const { patient, disk } = await begin();
    const one = recordOwnerOf(system, patient, { ...disk });
    const two = recordOwnerOf(system, patient, { ...disk });
    const { versions } = await two.load();
    await one.save(NEW, versions);
    const changed = { ...OLD, birthYear: 1970 };
    const before = await documentsOf(system.stores.cloud, "record_parts");
    await expect(two.save(changed, versions)).rejects.toMatchObject({ code: "RECORD_STALE" });
    expect(await documentsOf(system.stores.cloud, "record_parts")).toEqual(before);
    expect((await two.load()).record).toEqual(NEW);
  });

  it("lets one of two machines win each region when they save at once, and loses no readable record", async () => {
    for (let round = 0; round < 3; round++) {
      const { patient, doctor, disk } = await begin();
      const base = { identity: 1, profile: 1, medical: 1 };
      const records = [1901, 1902, 1903].map((birthYear) => ({
        mothersMaidenName: `M${birthYear}`,
        birthYear,
        notes: [{ text: `n${birthYear}` }],
      }));
      const outcomes = await Promise.allSettled(
        records.map((record) => recordOwnerOf(system, patient, { ...disk }).save(record, base)),
      );
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") {
          expect(outcome.reason).toMatchObject({ code: "RECORD_STALE" });
        }
      }
      const view = await viewOf(doctor);
      expect(view.regions.map(({ status }) => status)).toEqual(["read", "read", "read"]);
      const [winner, ...others] = outcomes.flatMap(({ status }, i) =>
        status === "fulfilled" ? [records[i]] : [],
      );
      expect(others).toEqual([]);
      if (winner !== undefined) {
        expect(view.record).toEqual(winner);
      }
    }
  });

  it("seals to a new epoch what has not changed, so that the old key opens the past alone", async () => {
    const { patient, disk } = await begin();
    const owner = createOwner({
      ...patient,
      suite: system.suite,
      clock: system.clock,
      name: "",
      epochs: disk.epochs,
      keepEpochs: async (epochs) => {
        disk.epochs = epochs;
      },
    });
    await owner.startEpoch("medical");
    const base = { identity: 1, profile: 1, medical: 1 };
    const saved = await recordOwnerOf(system, patient, disk).save(OLD, base);
    expect(saved.map(({ status, version }) => [status, version])).toEqual([
      ["unchanged", 1],
      ["unchanged", 1],
      ["saved", 2],
    ]);
  });

  it("shows a KDC that goes back in time to whoever has seen more", async () => {
    const { patient, doctor, disk } = await begin();
    const memory: Pick<Disk, "seen"> = { seen: {} };
    await recordOwnerOf(system, patient, disk).save(NEW, { identity: 1, profile: 1, medical: 1 });
    const { streams } = await doctor.reader.shared();
    expect((await recordReaderOf(system, doctor, memory).read(streams))[0]?.record).toEqual(NEW);

    const kept = await system.stores.kdc.collection<{ _id: string }>({ name: "record_parts", indexes: [] });
    const id = patient.session.account.accountId;
    expect(await kept.deleteOne({ _id: { $eq: `${id}:medical:2` } })).toBe(1);
    expect(await kept.deleteMany({ _id: { $in: [`${id}:identity:1`, `${id}:identity:2`] } })).toBe(2);
    const [view] = await recordReaderOf(system, doctor, memory).read((await doctor.reader.shared()).streams);
    expect(view?.regions.map((read) => (read.status === "refused" ? read.error.code : read.status))).toEqual([
      "RECORD_ROLLED_BACK",
      "read",
      "RECORD_ROLLED_BACK",
    ]);
    await expect(recordOwnerOf(system, patient, disk).load()).rejects.toMatchObject({
      code: "RECORD_ROLLED_BACK",
    });
  });
});
