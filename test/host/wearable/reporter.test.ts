import { describe, expect, it } from "vitest";
import type { ReadingColumn } from "../../../host/sealing/index.ts";
import { createPhysiology, createReporter, type Report } from "../../../host/wearable/index.ts";

const START = Date.UTC(2026, 0, 5, 8);
const SECOND = 1000;
const slice = (i: number, pulse: number, saturation: number, pressure?: number): ReadingColumn[] => {
  const column = (quantity: ReadingColumn["quantity"], value: number): ReadingColumn => ({
    quantity,
    times: [START + i * 10 * SECOND],
    values: [value],
  });
  return [
    column("heartRate", pulse),
    column("oxygenSaturation", saturation),
    ...(pressure === undefined ? [] : [column("systolicPressure", pressure)]),
  ];
};
const well = (i: number) => slice(i, 70, 97, 120);
/** Seven points. */
const grave = (i: number) => slice(i, 135, 91, 105);
const span = ({ columns }: Report) => columns[0]?.times.map((time) => (time - START) / SECOND);

describe("reports of a wearable", () => {
  it("are once a minute in ordinary times, with all that was measured", () => {
    const reporter = createReporter();
    const reports = Array.from({ length: 13 }, (_, i) => reporter.take(well(i)));
    expect(reports.map((report) => report !== null)).toEqual(
      Array.from({ length: 13 }, (_, i) => i === 5 || i === 11),
    );
    expect(reports[5]).toMatchObject({ priority: "regular", mode: "regular" });
    expect(span(reports[5] as Report)).toEqual([0, 10, 20, 30, 40, 50]);
    expect(span(reporter.rest() as Report)).toEqual([120]);
    expect(reporter.rest()).toBeNull();
  });

  it("leave at once when it becomes grave, with what had been gathered, and then every ten seconds", () => {
    const reporter = createReporter();
    expect(reporter.take(well(0))).toBeNull();
    const first = reporter.take(grave(1)) as Report;
    expect(first).toMatchObject({ priority: "emergency", mode: "emergency" });
    expect(span(first)).toEqual([0, 10]);
    for (let i = 2; i < 20; i++) {
      const report = reporter.take(grave(i)) as Report;
      expect(report.priority).toBe("emergency");
      expect(span(report)).toEqual([10 * i]);
    }
  });

  it("stay frequent while the patient calms, and are a minute apart again afterwards", () => {
    const reporter = createReporter();
    reporter.take(grave(0));
    const reports = Array.from({ length: 130 }, (_, i) => reporter.take(well(i + 1)));
    // Calm from the first slice on: ten minutes are sixty slices.
    expect(reports.slice(0, 60).every((report) => report?.priority === "emergency")).toBe(true);
    expect(reporter.mode().mode).toBe("regular");
    const later = reports.slice(61).filter((report) => report !== null);
    expect(later.every(({ priority }) => priority === "regular")).toBe(true);
    expect(later.map((report) => span(report)?.length)).toEqual(Array(11).fill(6));
  });

  it("a fall leaves at once, and one in a slice without samples with the next that has some", () => {
    const reporter = createReporter();
    expect(reporter.take(well(0), { fall: true })).toMatchObject({ priority: "emergency" });
    const other = createReporter();
    expect(other.take([], { fall: true })).toBeNull();
    expect(other.take(well(1))).toMatchObject({ priority: "emergency" });
    expect(other.mode()).toMatchObject({ cause: "fall", fallAt: START + 10 * SECOND });
  });

  it("keep the worst priority of their slices", () => {
    const reporter = createReporter();
    const reports = [0, 1, 2, 3, 4, 5].map((i) => reporter.take(i === 2 ? slice(i, 135, 97) : well(i)));
    expect(reports[5]).toMatchObject({ priority: "abnormal", mode: "regular" });
  });

  it("go on in an emergency after a restart that remembers it", () => {
    const reporter = createReporter();
    reporter.take(grave(0));
    const again = createReporter({ mode: JSON.parse(JSON.stringify(reporter.mode())) });
    expect(again.take(well(1))).toMatchObject({ priority: "emergency" });
  });

  it("lose and invent no sample of a simulated patient who falls ill", () => {
    const options = { seed: 2, startTime: START } as const;
    const episode = { kind: "sepsis", onsetSeconds: 600, durationSeconds: 3000 } as const;
    const whole = createPhysiology({ ...options, episode }).nextBatch(5400);
    const sliced = createPhysiology({ ...options, episode });
    const reporter = createReporter();
    const reports: Report[] = [];
    for (let i = 0; i < 540; i++) {
      const report = reporter.take(sliced.nextBatch(10));
      reports.push(...(report === null ? [] : [report]));
    }
    const rest = reporter.rest();
    reports.push(...(rest === null ? [] : [rest]));
    for (const column of whole) {
      const sent = reports.flatMap(({ columns }) =>
        columns.filter(({ quantity }) => quantity === column.quantity),
      );
      expect(sent.flatMap(({ times }) => times)).toEqual(column.times);
      expect(sent.flatMap(({ values }) => values)).toEqual(column.values);
    }
    expect(reports.filter(({ mode }) => mode === "emergency").length).toBeGreaterThan(60);
    expect(reports[0]?.mode).toBe("regular");
  });

  it("refuse slices that do not fit", () => {
    expect(() => createReporter({ sliceSeconds: 61 })).toThrow(
      expect.objectContaining({ code: "WEARABLE_REPORTS" }),
    );
  });
});
