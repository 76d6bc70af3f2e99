import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { priorityOf } from "../../../host/analytics/index.ts";
import { utf8 } from "../../../host/base/index.ts";
import type { ReadingColumn } from "../../../host/sealing/index.ts";
import { readVitalsCsv } from "../../../host/wearable/index.ts";
import { evaluationFile } from "../../support/data.ts";
import { flatten, spellings } from "../../support/leaks.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, dumpOf, eventually, PASSWORD, type System, startSystem } from "../../support/system.ts";

const bidmc = evaluationFile("physio/bidmc_numerics.csv");
/** The BIDMC patient with the most missing values: 208 of them. */
const RECORD = "19";
const PATIENT_NAME = "Ada Quillfeather";
const COLUMN_NAMES = {
  HR: "heartRate",
  PULSE: "pulseRate",
  RESP: "respiratoryRate",
  SpO2: "oxygenSaturation",
};

/** The file read with nothing but split: what the doctor must end up with. */
async function expectedOf(file: string, record: string) {
  const [header, ...lines] = (await readFile(file, "utf8")).trimEnd().split("\n");
  const names = (header as string).split(",");
  const rows = lines.map((line) => line.split(",")).filter((cells) => cells[0] === record);
  return Object.entries(COLUMN_NAMES).map(([column, quantity]) => ({
    quantity,
    rows: rows.map((cells) => {
      const text = cells[names.indexOf(column)] as string;
      return { second: Number(cells[1]), value: text === "" || text === "NaN" ? null : Number(text) };
    }),
  }));
}

describe.each(backends())("the main job on the $name store", (backend) => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem(backend);
  });
  afterAll(() => system?.stop());

  it.skipIf(bidmc === null)(
    "carries a whole BIDMC patient to the doctor, every value and every gap, and leaves nothing readable behind",
    async () => {
      const file = bidmc as string;
      const startTime = system.clock.now() - DAY_MS;
      const patient = await system.patient("quiet-otter", PATIENT_NAME);
      await patient.owner.startEpoch("medical");
      const doctor = await system.doctor("dr-heron");
      const { device, pairing } = await system.device(patient);
      await patient.owner.share(termsFor(system, doctor));

      let sent = 0;
      for await (const batch of readVitalsCsv(file, { patient: RECORD, startTime, batchSeconds: 30 })) {
        await device.record(batch.columns, priorityOf(batch.columns));
        sent++;
      }
      expect(sent).toBeGreaterThan(10);
      await device.flush();
      expect(await device.waiting()).toBe(0);

      const { streams, refused } = await doctor.reader.shared();
      expect(refused).toEqual([]);
      expect(streams).toHaveLength(1);
      const stream = streams[0] as (typeof streams)[number];
      expect(stream.ownerName).toBe(PATIENT_NAME);

      const columns: ReadingColumn[] = [];
      await eventually(async () => {
        columns.length = 0;
        let seen = 0;
        for await (const { batch } of doctor.reader.read(stream)) {
          if (batch.status === "refused") {
            throw batch.error;
          }
          columns.push(...batch.columns);
          seen++;
        }
        return seen === sent;
      });

      let gaps = 0;
      for (const { quantity, rows } of await expectedOf(file, RECORD)) {
        const received = columns
          .filter((column) => column.quantity === quantity)
          .flatMap(({ times, values }) => times.map((time, i) => ({ time, value: values[i] })))
          .sort((a, b) => a.time - b.time);
        expect(received).toEqual(
          rows.map(({ second, value }) => ({ time: startTime + second * 1000, value })),
        );
        expect(rows.length).toBeGreaterThan(400);
        gaps += rows.filter(({ value }) => value === null).length;
      }
      expect(gaps).toBe(208);

      const secrets = [
        ...patient.secrets,
        ...doctor.secrets,
        ...patient.owner.epochs.map(({ privateKey }) => privateKey),
        Uint8Array.from(Buffer.from(pairing.signingSeed, "hex")),
        utf8(PATIENT_NAME),
        utf8("Quillfeather"),
        utf8(PASSWORD),
      ].flatMap(spellings);
      for (const [service, store] of Object.entries(system.stores)) {
        const documents = await dumpOf(store);
        expect(documents.length, service).toBeGreaterThan(0);
        const haystack = documents.map(({ document }) => flatten(document)).join("\n");
        for (const secret of secrets) {
          expect(haystack.includes(secret), `${service} holds a secret`).toBe(false);
        }
        // A reading would lie there under its codes or as a run of numbers; neither form may occur.
        for (const code of ["8867-4", "8889-8", "9279-1", "59408-5", "heartRate", "oxygenSaturation"]) {
          for (const spelling of spellings(utf8(code))) {
            expect(haystack.includes(spelling), `${service} holds ${code}`).toBe(false);
          }
        }
        for (const run of readingRuns(columns)) {
          expect(haystack.includes(run), `${service} holds readings`).toBe(false);
        }
      }
      const logs = system.logLines.join("\n");
      expect(logs.length).toBeGreaterThan(100);
      for (const secret of secrets) {
        expect(logs.includes(secret)).toBe(false);
      }
      expect(logs).not.toContain("eyJ");
      expect(logs).not.toContain(pairing.deviceId);
      expect(logs).not.toContain(pairing.streamId);
    },
  );

  it("tells a doctor who follows about each new batch as it arrives", async () => {
    const patient = await system.patient("brave-wren", "Bo Lantern");
    await patient.owner.startEpoch("medical");
    const doctor = await system.doctor("dr-stork");
    const { device } = await system.device(patient);
    const now = system.clock.now();
    await patient.owner.share(termsFor(system, doctor));
    const [stream] = (await doctor.reader.shared()).streams;
    const abort = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { batch } of doctor.reader.follow(
        stream as NonNullable<typeof stream>,
        abort.signal,
      )) {
        seen.push(batch.status === "opened" ? batch.header.sequence : -1);
      }
    })();
    for (let i = 0; i < 3; i++) {
      await device.record([{ quantity: "heartRate", times: [now + i], values: [60 + i] }], "regular");
      await device.flush();
      await eventually(async () => seen.length > i);
    }
    abort.abort();
    await following;
    expect(seen).toEqual([0, 1, 2]);
  });
});

/** Stretches of readings as a careless server might have kept them: JSON, CSV, bytes, 16-bit and 64-bit numbers. */
function readingRuns(columns: readonly ReadingColumn[]): string[] {
  return columns
    .filter(({ values }) => values.filter((value) => value !== null).length >= 12)
    .slice(0, 8)
    .flatMap(({ values }) => {
      const run = values.filter((value) => value !== null).slice(0, 12);
      const binary = [new Uint8Array(run), new Int16Array(run), new Float32Array(run), new Float64Array(run)];
      return [
        run.join(","),
        run.join(" "),
        ...binary.flatMap((typed) => spellings(new Uint8Array(typed.buffer))),
      ];
    });
}
