import { describe, expect, it } from "vitest";
import { signsOf } from "../../../host/web/readings/signs.ts";

const MINUTE_MS = 60_000;
const NOW = 1_800_000_000_000;
const at = (value: number, minutesAgo = 0) => ({ value, time: NOW - minutesAgo * MINUTE_MS });
const of = (vitals: Parameters<typeof signsOf>[0], short: string) =>
  signsOf(vitals).find((sign) => sign.short === short);

describe("the newest values side by side", () => {
  it("have an age where they are well older than the newest, and are unusual for an hour only", () => {
    const vitals = {
      heartRate: at(104),
      oxygenSaturation: at(97, 4),
      systolicPressure: at(92, 12),
      diastolicPressure: at(60, 11),
      bodyTemperature: at(39.2, 61),
    };
    expect(of(vitals, "HR")).toMatchObject({ value: "104", lagging: false, unusual: true });
    expect(of(vitals, "SpO₂")).toMatchObject({ value: "97", lagging: false, unusual: false });
    expect(of(vitals, "BP")).toMatchObject({
      value: "92/60",
      time: NOW - 12 * MINUTE_MS,
      lagging: true,
      unusual: true,
    });
    expect(of(vitals, "T")).toMatchObject({ value: "39.2", lagging: true, unusual: false });
    expect(of(vitals, "RR")).toMatchObject({ value: "–", time: null, lagging: false, unusual: false });
  });

  it("are judged as they are shown, and a pulse stands for a heart rate", () => {
    expect(of({ pulseRate: at(90.4) }, "HR")).toMatchObject({ value: "90", unusual: false });
    expect(of({ pulseRate: at(90.6) }, "HR")).toMatchObject({ value: "91", unusual: true });
    expect(signsOf({}).every(({ value, unusual }) => value === "–" && !unusual)).toBe(true);
  });
});
