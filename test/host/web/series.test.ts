import "../../support/property-seed.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSeriesStore } from "../../../host/web/worker/series.ts";

const pulse = (times: number[], values: (number | null)[]) => [
  { quantity: "heartRate" as const, times, values },
];

describe("the series of a stream", () => {
  it("gives everything, then only what came since", () => {
    const store = createSeriesStore();
    store.add(pulse([1, 2], [70, null]));
    expect(store.all()).toEqual([
      {
        quantity: "heartRate",
        whole: true,
        times: Float64Array.of(1, 2),
        values: Float64Array.of(70, Number.NaN),
      },
    ]);
    expect(store.news()).toEqual([]);
    store.add(pulse([3], [72]));
    expect(store.news()).toEqual([
      { quantity: "heartRate", whole: false, times: Float64Array.of(3), values: Float64Array.of(72) },
    ]);
    expect(store.news()).toEqual([]);
    expect(store.samples).toBe(3);
  });

  it("puts a late reading where it belongs, and gives it alone", () => {
    const store = createSeriesStore();
    store.add(pulse([10, 30], [1, 3]));
    store.all();
    store.add(pulse([20], [2]));
    expect(store.news()).toEqual([
      { quantity: "heartRate", whole: false, times: Float64Array.of(20), values: Float64Array.of(2) },
    ]);
    expect(store.all()[0]?.values).toEqual(Float64Array.of(1, 2, 3));
    expect(store.between(15, 30)).toEqual([{ quantity: "heartRate", times: [20], values: [2] }]);
  });

  it("grows without losing a sample", () => {
    const store = createSeriesStore();
    for (let i = 0; i < 50; i++) {
      store.add(
        pulse(
          Array.from({ length: 100 }, (_, j) => i * 100 + j),
          Array.from({ length: 100 }, (_, j) => j),
        ),
      );
    }
    const [all] = store.all();
    expect(all?.times.length).toBe(5000);
    expect(all?.times.every((time, i) => time === i)).toBe(true);
  });

  it("shows the last hour in few points, gaps as gaps", () => {
    const store = createSeriesStore();
    store.add(pulse([0, 5000, 6000, 7000], [50, 60, null, 62]));
    expect(store.recent("heartRate", 2000, 60)).toEqual([60, null, 62]);
    expect(store.recent("heartRate", 10_000, 2).length).toBe(2);
    expect(store.recent("bodyTemperature", 2000, 60)).toEqual([]);
  });

  it("shows never more points than asked for, and nothing beyond the newest", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4000 }), fc.integer({ min: 1, max: 100 }), (count, most) => {
        const store = createSeriesStore();
        const places = Array.from({ length: count }, (_, i) => i);
        store.add(pulse(places, places));
        const shown = store.recent("heartRate", count, most);
        expect(shown.length).toBe(Math.min(count, most));
        expect(shown.every((value) => typeof value === "number")).toBe(true);
        expect(shown).toEqual([...shown].sort((a, b) => Number(a) - Number(b)));
      }),
    );
  });
});
