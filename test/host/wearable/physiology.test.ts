import { describe, expect, it } from "vitest";
import { assessBatch, priorityOf } from "../../../host/analytics/index.ts";
import { encodeReadings, type Quantity, type ReadingColumn } from "../../../host/sealing/index.ts";
import { createPhysiology, PHYSIOLOGICAL_BOUNDS } from "../../../host/wearable/index.ts";

const MIDNIGHT = Date.UTC(2026, 2, 2);
const HOUR = 3600;
const DAY = 24 * HOUR;
const SEEDS = [1, 2, 3, 4, 5];

function columnOf(batch: readonly ReadingColumn[], quantity: Quantity): ReadingColumn {
  return batch.find((column) => column.quantity === quantity) ?? { quantity, times: [], values: [] };
}

function measured(column: ReadingColumn): number[] {
  return column.values.filter((value) => value !== null);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function correlation(pairs: readonly (readonly [number, number])[]): number {
  const meanA = mean(pairs.map(([a]) => a));
  const meanB = mean(pairs.map(([, b]) => b));
  let [ab, aa, bb] = [0, 0, 0];
  for (const [a, b] of pairs) {
    ab += (a - meanA) * (b - meanB);
    aa += (a - meanA) ** 2;
    bb += (b - meanB) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Values with the hour of the day they belong to. */
function inHours({ times, values }: ReadingColumn, from: number, to: number): number[] {
  return values.filter((value, i): value is number => {
    const hour = (((times[i] as number) - MIDNIGHT) / 3_600_000) % 24;
    return value !== null && hour >= from && hour < to;
  });
}

describe("reproducibility", () => {
  const simulate = (seed: number) => createPhysiology({ seed, startTime: MIDNIGHT + 9 * HOUR * 1000 });

  it("the same seed gives the same bytes, another seed others", () => {
    const bytes = encodeReadings(simulate(7).nextBatch(2 * HOUR));
    expect(encodeReadings(simulate(7).nextBatch(2 * HOUR))).toEqual(bytes);
    expect(encodeReadings(simulate(8).nextBatch(2 * HOUR))).not.toEqual(bytes);
  });

  it("does not depend on how the time is cut into batches", () => {
    const whole = simulate(7).nextBatch(HOUR);
    const pieces = simulate(7);
    const parts = [1, 59, 61, 479, 3000].map((seconds) => pieces.nextBatch(seconds));
    for (const { quantity, times, values } of whole) {
      expect(parts.flatMap((part) => columnOf(part, quantity).times)).toEqual(times);
      expect(parts.flatMap((part) => columnOf(part, quantity).values)).toEqual(values);
    }
    expect(pieces.now()).toBe(MIDNIGHT + 10 * HOUR * 1000);
  });

  it("a slower sensor sees the same body", () => {
    const startTime = MIDNIGHT;
    const dense = columnOf(createPhysiology({ seed: 3, startTime }).nextBatch(600), "heartRate");
    const sparse = createPhysiology({ seed: 3, startTime, intervals: { heartRate: 5 } }).nextBatch(600);
    expect(columnOf(sparse, "heartRate").values).toEqual(dense.values.filter((_, i) => i % 5 === 0));
  });
});

describe("sampling", () => {
  const batch = createPhysiology({ seed: 11, startTime: MIDNIGHT }).nextBatch(DAY);

  it.each([
    ["heartRate", DAY],
    ["pulseRate", DAY],
    ["respiratoryRate", DAY],
    ["oxygenSaturation", DAY],
    ["bodyTemperature", DAY / 60],
    ["steps", DAY / 60 - 1],
  ] as const)("%s: %d samples a day, evenly spaced", (quantity, count) => {
    const { times, values } = columnOf(batch, quantity);
    expect(times).toHaveLength(count);
    expect(values).toHaveLength(count);
    const spacing = new Set(times.slice(1).map((time, i) => time - (times[i] as number)));
    expect(spacing.size).toBe(1);
  });

  it("measures the pressure every 15 to 30 minutes, both values at once", () => {
    const systolic = columnOf(batch, "systolicPressure");
    const diastolic = columnOf(batch, "diastolicPressure");
    expect(diastolic.times).toEqual(systolic.times);
    for (const [i, time] of systolic.times.slice(1).entries()) {
      const minutes = (time - (systolic.times[i] as number)) / 60_000;
      expect(minutes).toBeGreaterThanOrEqual(15);
      expect(minutes).toBeLessThanOrEqual(30);
    }
    for (const [i, value] of systolic.values.entries()) {
      const other = diastolic.values[i] ?? null;
      expect(other === null).toBe(value === null);
      expect(value ?? 1).toBeGreaterThan(other ?? 0);
    }
  });

  it("has the resolution of real devices", () => {
    for (const column of batch) {
      const factor = column.quantity === "bodyTemperature" ? 10 : 1;
      const finer = measured(column).filter((value) => Math.round(value * factor) / factor !== value);
      expect(finer).toEqual([]);
    }
  });

  it("gives a batch without a column for what was not due", () => {
    const physiology = createPhysiology({ seed: 1, startTime: MIDNIGHT });
    physiology.nextBatch(10);
    expect(physiology.nextBatch(10).map(({ quantity }) => quantity)).toEqual([
      "heartRate",
      "pulseRate",
      "respiratoryRate",
      "oxygenSaturation",
    ]);
  });
});

describe("a healthy person", () => {
  const days = SEEDS.map((seed) => createPhysiology({ seed, startTime: MIDNIGHT }).nextBatch(DAY));

  it("stays within physiological bounds", () => {
    for (const column of days.flat()) {
      const [least, most] = column.quantity === "steps" ? [0, 200] : boundsOf(column.quantity);
      const outside = measured(column).filter((value) => value < least || value > most);
      expect(outside).toEqual([]);
    }
  });

  it("is of regular priority in every minute, walks included", () => {
    const physiology = createPhysiology({ seed: 21, startTime: MIDNIGHT });
    const minutes = Array.from({ length: 24 * 60 }, () => priorityOf(physiology.nextBatch(60)));
    expect(new Set(minutes)).toEqual(new Set(["regular"]));
  });

  it("is coldest in the early morning and warmest in the late afternoon", () => {
    for (const day of days) {
      const temperature = columnOf(day, "bodyTemperature");
      const coldest = mean(inHours(temperature, 3.5, 5.5));
      const warmest = mean(inHours(temperature, 15.5, 17.5));
      expect(warmest - coldest).toBeGreaterThan(0.4);
      expect(warmest - coldest).toBeLessThan(1.3);
      const hourly = Array.from({ length: 12 }, (_, i) => mean(inHours(temperature, 2 * i, 2 * i + 2)));
      expect([0, 1, 2, 3]).toContain(hourly.indexOf(Math.min(...hourly)));
    }
  });

  it("sleeps with a slower heart, slower breath, lower pressure, and hardly a step", () => {
    for (const day of days) {
      const nightAndDay = (quantity: Quantity) => {
        const column = columnOf(day, quantity);
        return [mean(inHours(column, 1, 6)), mean(inHours(column, 10, 20))] as const;
      };
      for (const [quantity, dip] of [
        ["heartRate", 8],
        ["respiratoryRate", 1],
        ["systolicPressure", 5],
        ["steps", 5],
      ] as const) {
        const [night, awake] = nightAndDay(quantity);
        expect(awake - night).toBeGreaterThan(dip);
      }
      expect(mean(inHours(columnOf(day, "steps"), 2, 6))).toBeLessThan(0.1);
    }
  });

  it("follows the local clock", () => {
    const options = { seed: 4, startTime: MIDNIGHT };
    const east = createPhysiology({ ...options, profile: { utcOffsetMinutes: 12 * 60 } }).nextBatch(DAY);
    const steps = columnOf(east, "steps");
    expect(mean(inHours(steps, 0, 8))).toBeGreaterThan(5 * mean(inHours(steps, 13, 18)));
  });

  it("has a heart that follows the steps, and a breath that follows the heart", () => {
    for (const day of days) {
      const heart = columnOf(day, "heartRate");
      const breath = columnOf(day, "respiratoryRate");
      const minuteMean = (column: ReadingColumn, end: number) => {
        const second = (end - MIDNIGHT) / 1000;
        return mean(measured({ ...column, values: column.values.slice(second - 60, second) }));
      };
      const steps = columnOf(day, "steps");
      const awake = steps.times.flatMap((end, i) => {
        const row = [steps.values[i] ?? 0, minuteMean(heart, end), minuteMean(breath, end)] as const;
        const hour = (end - MIDNIGHT) / 3_600_000;
        return hour > 8 && hour < 22 && row.every(Number.isFinite) ? [row] : [];
      });
      expect(correlation(awake.map(([taken, beats]) => [taken, beats]))).toBeGreaterThan(0.6);
      expect(correlation(awake.map(([, beats, breaths]) => [beats, breaths]))).toBeGreaterThan(0.5);
    }
  });

  it("has a heart rate that does not jump", () => {
    for (const day of days) {
      const values = measured(columnOf(day, "heartRate"));
      const neighbours = values.slice(1).map((value, i) => [values[i] as number, value] as const);
      expect(correlation(neighbours)).toBeGreaterThan(0.95);
    }
  });

  it("has gaps, more of them in the saturation when moving", () => {
    for (const day of days) {
      const saturation = columnOf(day, "oxygenSaturation");
      expect(saturation.values).toContain(null);
      expect(columnOf(day, "pulseRate").values).toContain(null);
      const steps = columnOf(day, "steps");
      const moving = new Set(steps.times.filter((_, i) => (steps.values[i] ?? 0) > 60));
      const gaps = { moving: 0, still: 0, movingAll: 0, stillAll: 0 };
      for (const [i, time] of saturation.times.entries()) {
        const state = moving.has(Math.floor(time / 60_000) * 60_000 + 60_000) ? "moving" : "still";
        gaps[`${state}All`] += 1;
        gaps[state] += saturation.values[i] === null ? 1 : 0;
      }
      expect(gaps.moving / gaps.movingAll).toBeGreaterThan(5 * (gaps.still / gaps.stillAll));
      expect(gaps.still / gaps.stillAll).toBeLessThan(0.02);
    }
  });
});

describe("an episode", () => {
  const kinds = ["sepsis", "hypoxia"] as const;

  it.each(kinds)("%s crosses 5 points and then 7 within hours, and not before its onset", (kind) => {
    for (const seed of SEEDS) {
      const onsetSeconds = 2 * HOUR;
      const startTime = MIDNIGHT + 9 * HOUR * 1000;
      const physiology = createPhysiology({ seed, startTime, episode: { kind, onsetSeconds } });
      const minutes = Array.from({ length: 10 * 60 }, () => assessBatch(physiology.nextBatch(60)));
      const points = minutes.map(({ worst }) => worst?.score.lowerBound ?? 0);
      const five = points.findIndex((sum) => sum >= 5);
      const seven = points.findIndex((sum) => sum >= 7);
      expect(five).toBeGreaterThanOrEqual(2 * 60);
      expect(seven).toBeGreaterThan(five);
      expect(seven).toBeLessThan(8 * 60);
      const lastHours = points.slice(8 * 60);
      expect(mean(lastHours)).toBeGreaterThan(6);
    }
  });

  it.each(kinds)("%s moves every vital sign in its direction", (kind) => {
    const options = { seed: 6, startTime: MIDNIGHT + 9 * HOUR * 1000 };
    const well = createPhysiology(options).nextBatch(10 * HOUR);
    const ill = createPhysiology({ ...options, episode: { kind, onsetSeconds: 0 } }).nextBatch(10 * HOUR);
    const end = (batch: readonly ReadingColumn[], quantity: Quantity) => {
      const values = measured(columnOf(batch, quantity));
      return mean(values.slice(Math.floor(0.8 * values.length)));
    };
    const change = (quantity: Quantity) => end(ill, quantity) - end(well, quantity);
    expect(change("heartRate")).toBeGreaterThan(25);
    expect(change("respiratoryRate")).toBeGreaterThan(8);
    expect(change("oxygenSaturation")).toBeLessThan(-4);
    expect(change("bodyTemperature")).toBeGreaterThan(0.1);
    expect(change("systolicPressure")).toBeLessThan(-8);
    expect(change("steps")).toBeLessThan(0);
  });

  it("can be compressed by a time factor, the cuff hurrying along", () => {
    const startTime = MIDNIGHT + 9 * HOUR * 1000;
    const episode = { kind: "sepsis", onsetSeconds: 60, timeFactor: 72 } as const;
    const physiology = createPhysiology({ seed: 2, startTime, episode });
    expect(priorityOf(physiology.nextBatch(60))).toBe("regular");
    const course = physiology.nextBatch(300);
    expect(columnOf(course, "systolicPressure").times.length).toBeGreaterThan(5);
    expect(priorityOf(physiology.nextBatch(60))).toBe("emergency");
  });

  it("stays within bounds for a frail person", () => {
    const profile = { systolicPressure: 85, diastolicPressure: 50, oxygenSaturation: 78, heartRate: 180 };
    const episode = { kind: "hypoxia", onsetSeconds: 0, durationSeconds: 600 } as const;
    const batch = createPhysiology({ seed: 1, startTime: MIDNIGHT, profile, episode }).nextBatch(2 * HOUR);
    for (const column of batch.filter(({ quantity }) => quantity !== "steps")) {
      const [least, most] = boundsOf(column.quantity);
      expect(Math.min(...measured(column))).toBeGreaterThanOrEqual(least);
      expect(Math.max(...measured(column))).toBeLessThanOrEqual(most);
    }
  });
});

describe("refusals", () => {
  const options = { seed: 1, startTime: MIDNIGHT };

  it.each([
    [{ seed: -1 }, /seed/],
    [{ seed: 0.5 }, /seed/],
    [{ startTime: Number.NaN }, /startTime/],
    [{ intervals: { heartRate: 0 } }, /intervals.heartRate/],
    [{ intervals: { cuffShortest: 90, cuffLongest: 60 } }, /cuffLongest/],
    [{ episode: { kind: "sepsis", onsetSeconds: -1 } }, /onsetSeconds/],
    [{ episode: { kind: "sepsis", onsetSeconds: 0, timeFactor: 0 } }, /timeFactor/],
  ] as const)("%o", (wrong, message) => {
    expect(() => createPhysiology({ ...options, ...wrong })).toThrow(
      expect.objectContaining({ code: "WEARABLE_SIMULATION", message: expect.stringMatching(message) }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN])("a batch of %d seconds", (seconds) => {
    expect(() => createPhysiology(options).nextBatch(seconds)).toThrow(/positive integer/);
  });
});

function boundsOf(quantity: Quantity): readonly [number, number] {
  const bounds: Partial<Record<Quantity, readonly [number, number]>> = {
    ...PHYSIOLOGICAL_BOUNDS,
    pulseRate: PHYSIOLOGICAL_BOUNDS.heartRate,
  };
  return bounds[quantity] as readonly [number, number];
}
