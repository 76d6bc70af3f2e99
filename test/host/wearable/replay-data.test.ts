import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Quantity } from "../../../host/sealing/index.ts";
import { type ReplayOptions, readVitalsCsv } from "../../../host/wearable/index.ts";

/** Public recordings made by others, never copied into the repository: see MEDCLOUDLET_DATA. */
const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const DATA = join(process.env.MEDCLOUDLET_DATA ?? resolve(REPOSITORY, "../shared/data"), "physio");
const START = Date.UTC(2026, 0, 5, 8);

if (!existsSync(DATA)) {
  process.stderr.write(
    `SKIPPED: replay of real recordings. There is no ${DATA}; set MEDCLOUDLET_DATA to the folder that holds physio/.\n`,
  );
}

interface Summary {
  samples: Partial<Record<Quantity, number>>;
  gaps: number;
  patients: Set<string>;
}

async function summaryOf(name: string, options: ReplayOptions = {}): Promise<Summary> {
  const summary: Summary = { samples: {}, gaps: 0, patients: new Set() };
  for await (const { patient, columns } of readVitalsCsv(join(DATA, name), options)) {
    summary.patients.add(patient);
    for (const { quantity, values } of columns) {
      summary.samples[quantity] = (summary.samples[quantity] ?? 0) + values.length;
      summary.gaps += values.filter((value) => value === null).length;
    }
  }
  return summary;
}

/** Rows of a file without quotes, header first. */
function rowsOf(name: string): string[][] {
  const text = readFileSync(join(DATA, name), "utf8");
  return text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(","));
}

describe.skipIf(!existsSync(DATA))("real recordings", () => {
  it("BIDMC numerics come out as they are written, field by field", async () => {
    const expected = new Map<string, (number | null)[][]>();
    for (const [rec = "", time, ...vitals] of rowsOf("bidmc_numerics.csv").slice(1)) {
      const row = [START + Number(time) * 1000];
      const values = vitals.map((text) => (text === "" || text === "NaN" ? null : Number(text)));
      expected.set(rec, [...(expected.get(rec) ?? []), [...row, ...values]]);
    }
    const order: Quantity[] = ["heartRate", "pulseRate", "respiratoryRate", "oxygenSaturation"];
    const replayed = new Map<string, (number | null)[][]>();
    const path = join(DATA, "bidmc_numerics.csv");
    for await (const { patient, columns } of readVitalsCsv(path, { startTime: START })) {
      expect(columns.map(({ quantity }) => quantity)).toEqual(order);
      const times = columns[0]?.times ?? [];
      for (const column of columns) {
        expect(column.times).toEqual(times);
      }
      const rows = times.map((time, i) => [time, ...columns.map(({ values }) => values[i] ?? null)]);
      replayed.set(patient, [...(replayed.get(patient) ?? []), ...rows]);
    }
    expect(expected.size).toBeGreaterThan(0);
    expect(replayed).toEqual(expected);
  });

  it("one BIDMC patient can be chosen", async () => {
    const patient = rowsOf("bidmc_numerics.csv").at(-1)?.[0] ?? "";
    const { patients } = await summaryOf("bidmc_numerics.csv", { startTime: START, patient });
    expect([...patients]).toEqual([patient]);
  });

  it.each<[string, ReplayOptions, Quantity[]]>([
    ["stresspredict_e4_hr_temp.csv", {}, ["heartRate"]],
    ["stresspredict_hr_resp_label.csv", {}, ["heartRate", "respiratoryRate"]],
    ["welltory_blood_pressure.csv", {}, ["systolicPressure", "diastolicPressure"]],
    ["fitbit_heartrate_seconds_1user.csv", { map: { Value: "heartRate" } }, ["heartRate"]],
  ])("%s is read whole", async (name, options, quantities) => {
    const rows = rowsOf(name).slice(1);
    const { samples, patients } = await summaryOf(name, options);
    expect(samples).toEqual(Object.fromEntries(quantities.map((quantity) => [quantity, rows.length])));
    expect(patients).toEqual(new Set(rows.map(([patient]) => patient)));
  });

  it("the long file of CinC 2012 is read for the parameters that are known", async () => {
    const rows = rowsOf("cinc2012_vitals.csv");
    const count = (parameter: string) => rows.filter((row) => row[2] === parameter).length;
    const { samples } = await summaryOf("cinc2012_vitals.csv", { startTime: START });
    expect(samples).toEqual({
      heartRate: count("HR"),
      respiratoryRate: count("RespRate"),
      bodyTemperature: count("Temp"),
      systolicPressure: count("NISysABP"),
      diastolicPressure: count("NIDiasABP"),
    });
  });

  it("the Fitbit file asks what its values are", async () => {
    await expect(summaryOf("fitbit_heartrate_seconds_1user.csv")).rejects.toMatchObject({
      code: "WEARABLE_CSV_COLUMNS",
      message: expect.stringContaining("Id, Time, Value"),
    });
  });
});
