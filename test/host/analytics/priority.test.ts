import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assessBatch, priorityOf, priorityOfScore, scoreNews2 } from "../../../host/analytics/index.ts";
import type { Quantity, ReadingColumn } from "../../../host/sealing/index.ts";

const START = Date.UTC(2026, 0, 5, 8);

/** A column with one sample a second. */
function column(quantity: Quantity, ...values: (number | null)[]): ReadingColumn {
  return { quantity, times: values.map((_, i) => START + i * 1000), values };
}

const WELL = [
  column("heartRate", 70, 71, 72),
  column("respiratoryRate", 14, 14, 15),
  column("oxygenSaturation", 98, 97, 98),
];

describe("priority of a batch", () => {
  it("is regular for healthy readings, without readings, and with gaps only", () => {
    expect(priorityOf(WELL)).toBe("regular");
    expect(priorityOf([])).toBe("regular");
    expect(priorityOf([column("heartRate", null, null)])).toBe("regular");
    expect(assessBatch([])).toMatchObject({ worst: null, latest: { lowerBound: 0 } });
  });

  it.each([
    ["4 points", [column("heartRate", 115), column("respiratoryRate", 22)], "regular"],
    ["a single 3", [column("oxygenSaturation", 91)], "abnormal"],
    [
      "5 points without a 3",
      [column("heartRate", 115), column("respiratoryRate", 22), column("bodyTemperature", 38.5)],
      "abnormal",
    ],
    ["6 points", [column("heartRate", 135), column("oxygenSaturation", 91)], "abnormal"],
    [
      "7 points",
      [column("heartRate", 135), column("oxygenSaturation", 91), column("systolicPressure", 105)],
      "emergency",
    ],
  ] as const)("%s", (_, columns, priority) => {
    expect(priorityOf(columns)).toBe(priority);
  });

  it("does not lose a deterioration in the middle", () => {
    const batch = [
      column("heartRate", 70, 70, 135, 70, 70),
      column("respiratoryRate", 14, 14, 26, 14, 14),
      column("oxygenSaturation", 98, 98, 90, 98, 98),
    ];
    const assessment = assessBatch(batch);
    expect(assessment.priority).toBe("emergency");
    expect(assessment.latest.lowerBound).toBe(0);
    expect(assessment.worst).toMatchObject({ time: START + 2000, score: { lowerBound: 9 } });
  });

  it("adds up only what was known at one moment", () => {
    const batch = [
      column("heartRate", 135, 70, 70),
      column("respiratoryRate", 14, 26, 14),
      column("oxygenSaturation", 98, 98, 90),
    ];
    expect(assessBatch(batch)).toMatchObject({ priority: "abnormal", worst: { score: { lowerBound: 3 } } });
  });

  it("holds a value over gaps and over the long pauses of a cuff", () => {
    const batch = [
      column("systolicPressure", 88),
      column("heartRate", 70, null, 135),
      column("respiratoryRate", 14, 22, null),
    ];
    expect(assessBatch(batch)).toMatchObject({ priority: "emergency", latest: { lowerBound: 8 } });
  });

  it("prefers the electrical heart rate, and takes the pulse where it is missing", () => {
    expect(priorityOf([column("heartRate", 70), column("pulseRate", 140)])).toBe("regular");
    expect(priorityOf([column("pulseRate", 140), column("heartRate", null)])).toBe("abnormal");
  });

  it("takes what cannot be a measurement for a gap", () => {
    const batch = [column("bodyTemperature", 0, 98.6, -17.8), column("oxygenSaturation", 101)];
    expect(assessBatch(batch)).toMatchObject({ priority: "regular", latest: { lowerBound: 0 } });
  });

  it("leaves consciousness and oxygen missing, unless a person has observed them", () => {
    expect(assessBatch(WELL).latest).toMatchObject({ complete: false, total: null });
    expect(assessBatch(WELL).latest.missing).toContain("consciousness");
    expect(priorityOf(WELL, { observed: { consciousness: "voice" } })).toBe("abnormal");
    const complete = assessBatch([...WELL, column("bodyTemperature", 37), column("systolicPressure", 120)], {
      observed: { consciousness: "alert", supplementalOxygen: true },
    });
    expect(complete.latest).toMatchObject({ complete: true, total: 2 });
  });

  it("passes the scale on, and refuses whom NEWS2 does not fit", () => {
    const low = [column("oxygenSaturation", 89)];
    expect(priorityOf(low)).toBe("abnormal");
    expect(priorityOf(low, { spo2Scale: 2 })).toBe("regular");
    expect(() => priorityOf(low, { eligibility: { ageYears: 9 } })).toThrow(/not valid under 16/);
  });
});

const anyValues = (least: number, most: number) =>
  fc.array(fc.option(fc.integer({ min: least, max: most }), { freq: 5 }), { minLength: 1, maxLength: 12 });
const anyBatch = fc
  .record({ pulse: anyValues(30, 180), breath: anyValues(5, 35), saturation: anyValues(80, 100) })
  .map(({ pulse, breath, saturation }) => [
    column("heartRate", ...pulse),
    column("respiratoryRate", ...breath),
    column("oxygenSaturation", ...saturation),
  ]);
const RANK = { regular: 0, abnormal: 1, emergency: 2 };

describe("properties", () => {
  it("the worst moment is at least as bad as the last, and decides", () => {
    fc.assert(
      fc.property(anyBatch, (batch) => {
        const { priority, latest, worst } = assessBatch(batch);
        expect(RANK[priority]).toBeGreaterThanOrEqual(RANK[priorityOfScore(latest)]);
        expect(priority).toBe(worst === null ? "regular" : priorityOfScore(worst.score));
      }),
    );
  });

  it("agrees with scoring every moment on its own", () => {
    fc.assert(
      fc.property(anyBatch, (batch) => {
        const last = (quantity: Quantity, upTo: number) =>
          batch
            .find((c) => c.quantity === quantity)
            ?.values.slice(0, upTo + 1)
            .findLast((value) => value !== null);
        const scores = Array.from({ length: 12 }, (_, moment) =>
          scoreNews2({
            pulse: last("heartRate", moment),
            respiratoryRate: last("respiratoryRate", moment),
            oxygenSaturation: last("oxygenSaturation", moment),
          }),
        );
        const worst = Math.max(...scores.map((score) => RANK[priorityOfScore(score)]));
        expect(RANK[priorityOf(batch)]).toBe(worst);
      }),
    );
  });
});
