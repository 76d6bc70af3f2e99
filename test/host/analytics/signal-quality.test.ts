import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assessBatch, gateSignal, noteMeasured, silencesAt } from "../../../host/analytics/index.ts";
import type { Quantity, ReadingColumn } from "../../../host/sealing/index.ts";

const START = Date.UTC(2026, 0, 5, 8);
const SECOND = 1000;
const MINUTE = 60_000;
const column = (quantity: Quantity, values: readonly (number | null)[], every = SECOND): ReadingColumn => ({
  quantity,
  times: values.map((_, i) => START + i * every),
  values,
});
/** A heart that beats like one: it never stands still and never leaps. */
const beating = (n: number) =>
  Array.from({ length: n }, (_, i) => 70 + (i % 3) + Math.round(3 * Math.sin(i / 20)));

describe("signal quality gate", () => {
  it("lets a clean minute through whole", () => {
    const clean = column("heartRate", beating(60));
    const { quality, column: gated, faults } = gateSignal(clean, { from: START, to: START + MINUTE });
    expect(quality).toBe(1);
    expect(gated).toEqual(clean);
    expect(faults).toEqual({ missing: 0, range: 0, jump: 0, flat: 0 });
  });

  it("drops what is out of range and single leaps, and counts gaps", () => {
    const values: (number | null)[] = beating(60);
    [values[10], values[20], values[30], values[40]] = [0, 180, 300, null];
    const {
      quality,
      column: gated,
      faults,
    } = gateSignal(column("heartRate", values), {
      from: START,
      to: START + MINUTE,
    });
    expect(faults).toEqual({ missing: 1, range: 2, jump: 1, flat: 0 });
    expect(gated.values.filter((value) => value === null)).toHaveLength(4);
    expect(quality).toBeCloseTo(56 / 60, 9);
  });

  it.each([
    ["heartRate", 20, 250],
    ["oxygenSaturation", 50, 100],
    ["bodyTemperature", 30, 43],
    ["systolicPressure", 40, 280],
  ] as const)("believes a %s of %d and of %d, and nothing beyond", (quantity, least, most) => {
    for (const [value, believed] of [
      [least, 1],
      [most, 1],
      [least - 0.1, 0],
      [most + 0.1, 0],
    ] as const) {
      expect(gateSignal(column(quantity, [value])).quality).toBe(believed);
    }
  });

  it("does not take a real rise for a leap", () => {
    const rise = [...Array(20).fill(70), ...Array(20).fill(130)].map((value, i) => value + (i % 2));
    expect(gateSignal(column("heartRate", rise)).faults.jump).toBe(0);
  });

  it("drops a line that is flat for too long, not a saturation that stays good", () => {
    const hanging = gateSignal(column("heartRate", Array(700).fill(80)));
    expect(hanging).toMatchObject({ quality: 0, faults: { flat: 700 } });
    expect(gateSignal(column("heartRate", Array(600).fill(80))).quality).toBe(1);
    expect(gateSignal(column("oxygenSaturation", Array(3600).fill(98))).quality).toBe(1);
  });

  it("knows that nothing came at all", () => {
    const { quality, faults } = gateSignal(column("heartRate", []), { from: START, to: START + MINUTE });
    expect(quality).toBe(0);
    expect(faults.missing).toBe(60);
  });

  it("accounts for every sample, invents none, and is done after once", () => {
    const any = fc.array(fc.option(fc.integer({ min: -50, max: 400 })), { maxLength: 120 });
    fc.assert(
      fc.property(any, (values) => {
        const gated = gateSignal(column("heartRate", values));
        const { missing, range, jump, flat } = gated.faults;
        const good = gated.column.values.filter((value) => value !== null).length;
        expect(good + missing + range + jump + flat).toBe(gated.expected);
        expect(Math.min(missing, range, jump, flat)).toBeGreaterThanOrEqual(0);
        expect(gated.quality).toBeGreaterThanOrEqual(0);
        expect(gated.quality).toBeLessThanOrEqual(1);
        for (const [i, value] of gated.column.values.entries()) {
          expect(value === null || value === values[i]).toBe(true);
        }
      }),
    );
  });

  it("silences no dying patient: NEWS2 sees the flat line that the gate drops", () => {
    const arrest = [column("heartRate", Array(700).fill(0)), column("oxygenSaturation", Array(700).fill(70))];
    expect(arrest.map((each) => gateSignal(each).quality)).toEqual([0, 1]);
    expect(assessBatch(arrest)).toMatchObject({ priority: "abnormal", latest: { lowerBound: 6 } });
  });
});

describe("missing data", () => {
  const seen = noteMeasured({}, [column("heartRate", [70, 71, null]), column("systolicPressure", [120])]);

  it("counts from the last value, not from the last gap", () => {
    expect(seen).toEqual({ heartRate: START + SECOND, systolicPressure: START });
    expect(noteMeasured(seen, [column("heartRate", [null]), column("systolicPressure", [])])).toEqual(seen);
  });

  it("tells what is silent for longer than its limit, by the clock, on both sides of it", () => {
    const limit = START + SECOND + 5 * MINUTE;
    expect(silencesAt(seen, limit)).toEqual([]);
    expect(silencesAt(seen, limit + 1)).toEqual([
      { quantity: "heartRate", sinceMs: START + SECOND, silentMs: 5 * MINUTE + 1 },
    ]);
    expect(silencesAt(seen, START + 91 * MINUTE).map(({ quantity }) => quantity)).toEqual([
      "systolicPressure",
      "heartRate",
    ]);
    expect(silencesAt({}, limit)).toEqual([]);
  });

  it("an old batch that comes late does not take a measurement back", () => {
    expect(noteMeasured({ heartRate: START + MINUTE }, [column("heartRate", [70])])).toEqual({
      heartRate: START + MINUTE,
    });
  });
});
