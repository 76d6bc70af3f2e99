import { describe, expect, it } from "vitest";
import { judgeMonitor, readRecordings } from "../../../../host/analytics/evaluation/monitor.ts";

const HEAD = ["rec", "t_s", "HR", "PULSE", "RESP", "SpO2"];
/** Two minutes of a person; the optical pulse leaps about in the second one. */
const rows = (rec: string, noisy: boolean) =>
  Array.from({ length: 120 }, (_, t) => {
    const pulse = noisy && t >= 60 ? 80 + (t % 2) * 30 : 80 + (t % 2);
    return [
      rec,
      String(t),
      String(80 + (t % 2)),
      t === 7 ? "NaN" : String(pulse),
      "",
      t === 50 ? "85" : "97",
    ];
  });

describe("a monitor's numerics", () => {
  const recordings = readRecordings([...rows("1", false), ...rows("2", true)], HEAD);

  it("are read with gaps as gaps", () => {
    expect(recordings.map(({ patient }) => patient)).toEqual(["1", "2"]);
    const [heart, pulse, breath] = recordings[0]?.columns ?? [];
    expect([heart?.quantity, pulse?.quantity]).toEqual(["heartRate", "pulseRate"]);
    expect(pulse?.values[7]).toBeNull();
    expect(breath?.values.every((value) => value === null)).toBe(true);
    expect(heart?.times[119]).toBe(119_000);
  });

  it("are judged by sample, by half minute and by hour", () => {
    const { hours, quality, disagreement, alarmsPerHour } = judgeMonitor(recordings, 20);
    expect(hours).toBeCloseTo(240 / 3600, 9);
    const saturation = quality.find(({ quantity }) => quantity === "oxygenSaturation");
    expect(saturation?.jump).toBeCloseTo(2 / 240, 9);
    expect(disagreement).toMatchObject({ windows: 8, bad: 2 });
    expect(disagreement.byStep.value).toBe(1);
    // One sample of 85 alarms on each of two patients; behind the gate it does not.
    expect(alarmsPerHour.singleLimits.value).toBeCloseTo(30, 9);
    expect(alarmsPerHour.singleLimitsGated.value).toBe(0);
  });
});
