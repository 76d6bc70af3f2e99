import { describe, expect, it } from "vitest";
import { scoreOf, updateVitals, type Vitals } from "../../../host/analytics/index.ts";
import { vitalsText } from "../../../host/cli/vitals.ts";

const HOUR_MS = 3_600_000;
const at = (
  quantity: "heartRate" | "respiratoryRate" | "oxygenSaturation",
  time: number,
  value: number | null,
) => ({
  quantity,
  times: [time],
  values: [value],
});

describe("the vital signs of now", () => {
  it("leave out what is more than an hour older than the newest: it would be scored as if it were measured now", () => {
    const vitals: Vitals = {};
    updateVitals(vitals, [at("respiratoryRate", 0, 30), at("heartRate", 0, 80)]);
    expect(scoreOf(vitals).lowerBound).toBe(3);
    updateVitals(vitals, [at("heartRate", HOUR_MS, 80)]);
    expect(scoreOf(vitals).lowerBound).toBe(3);
    updateVitals(vitals, [at("heartRate", HOUR_MS + 1, 80)]);
    expect(scoreOf(vitals).lowerBound).toBe(0);
    expect(scoreOf(vitals).missing).toContain("respiratoryRate");
    expect(vitalsText(vitals)).toContain("RR   –");
  });

  it("keep the newest value, whatever order batches come in, and no gap instead of a value", () => {
    const vitals: Vitals = {};
    updateVitals(vitals, [at("heartRate", 5000, 90)]);
    updateVitals(vitals, [at("heartRate", 4000, 50)]);
    updateVitals(vitals, [at("heartRate", 6000, null)]);
    expect(vitals.heartRate).toEqual({ value: 90, time: 5000 });
  });

  it("score nothing when there is nothing", () => {
    expect(scoreOf({}).complete).toBe(false);
  });
});
