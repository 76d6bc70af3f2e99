import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assessBatch,
  nextReportMode,
  REGULAR_MODE,
  REPORT_POLICY,
  type ReportMode,
} from "../../../host/analytics/index.ts";
import type { ReadingColumn } from "../../../host/sealing/index.ts";

const START = Date.UTC(2026, 0, 5, 8);
const MINUTE = 60_000;

/** Pulse and saturation that have exactly so many points, up to 6, with a pressure up to 9. */
function reading(points: number, at: number): ReadingColumn[] {
  const pulse = points >= 3 ? 135 : [70, 95, 115][points];
  const saturation = points >= 6 ? 90 : [97, 95, 93][Math.max(0, Math.min(points, 5) - 3)];
  const pressure = points >= 9 ? 85 : [120, 105, 95][Math.max(0, points - 6)];
  const column = (quantity: ReadingColumn["quantity"], value: number | undefined): ReadingColumn => ({
    quantity,
    times: [at],
    values: [value ?? null],
  });
  return [
    column("heartRate", pulse),
    column("oxygenSaturation", saturation),
    column("systolicPressure", pressure),
  ];
}

interface Slice {
  readonly minute: number;
  readonly points: number;
  readonly fall?: boolean;
  readonly measured?: boolean;
}
function step(mode: ReportMode, { minute, points, fall = false, measured = true }: Slice): ReportMode {
  const at = START + minute * MINUTE;
  const assessment = assessBatch(reading(points, at));
  expect(assessment.latest.lowerBound).toBe(points);
  return nextReportMode(mode, { at, assessment, fall, measured });
}
const modeAfter = (...slices: Slice[]) => slices.reduce(step, REGULAR_MODE);
const course = (points: number, from: number, to: number): Slice[] =>
  Array.from({ length: 6 * (to - from) + 1 }, (_, i) => ({ minute: from + i / 6, points }));

describe("how a wearable reports", () => {
  it.each([
    [6, "regular"],
    [7, "emergency"],
    [9, "emergency"],
  ] as const)("%d points: %s", (points, mode) => {
    expect(modeAfter({ minute: 0, points }).mode).toBe(mode);
  });

  it("a fall is an emergency with the best of readings", () => {
    expect(modeAfter({ minute: 0, points: 0, fall: true })).toMatchObject({
      mode: "emergency",
      cause: "fall",
    });
  });

  it("ends after ten minutes of calm, and not a moment earlier", () => {
    const grave = { minute: 0, points: 8 };
    expect(modeAfter(grave, ...course(2, 1, 10.9)).mode).toBe("emergency");
    expect(modeAfter(grave, ...course(2, 1, 11))).toEqual(REGULAR_MODE);
  });

  it("does not flutter between 5 and 7, and begins to count anew after each rise", () => {
    expect(modeAfter({ minute: 0, points: 7 }, ...course(5, 1, 60)).mode).toBe("emergency");
    expect(
      modeAfter(
        { minute: 0, points: 7 },
        ...course(4, 1, 9),
        { minute: 9.5, points: 6 },
        ...course(4, 10, 19),
      ).mode,
    ).toBe("emergency");
  });

  it("a rise in the middle of a slice interrupts the calm, though its end is calm", () => {
    let mode = modeAfter({ minute: 0, points: 7 });
    for (let minute = 1; minute < 60; minute++) {
      const at = START + minute * MINUTE;
      const risen = reading(6, at);
      const calm = reading(1, at + 1000);
      const columns = risen.map(({ quantity, times, values }, i) => ({
        quantity,
        times: [...times, ...(calm[i]?.times ?? [])],
        values: [...values, ...(calm[i]?.values ?? [])],
      }));
      mode = nextReportMode(mode, { at: at + 1000, assessment: assessBatch(columns) });
    }
    expect(mode.mode).toBe("emergency");
  });

  it("after a fall it lasts half an hour, and longer after a second one", () => {
    const fall = { minute: 0, points: 0, fall: true };
    expect(modeAfter(fall, ...course(0, 1, 29.9)).mode).toBe("emergency");
    expect(modeAfter(fall, ...course(0, 1, 30)).mode).toBe("regular");
    expect(modeAfter(fall, { minute: 20, points: 0, fall: true }, ...course(0, 21, 49)).mode).toBe(
      "emergency",
    );
  });

  it("a sensor that came off is no recovery", () => {
    const grave = modeAfter({ minute: 0, points: 9 });
    expect(grave.mustKnow).toEqual(["oxygenSaturation", "systolicPressure", "pulse"]);
    let mode = grave;
    for (let minute = 1; minute < 60; minute++) {
      const at = START + minute * MINUTE;
      const assessment = assessBatch(reading(0, at).slice(0, 2));
      mode = nextReportMode(mode, { at, assessment });
    }
    expect(mode.mode).toBe("emergency");
    const gaps = course(0, 1, 60).map((slice) => ({ ...slice, measured: false }));
    expect(modeAfter({ minute: 0, points: 9 }, ...gaps).mode).toBe("emergency");
    expect(modeAfter({ minute: 0, points: 9 }, ...course(0, 1, 11)).mode).toBe("regular");
  });

  it("never leaves an emergency without the calm it asks for, whatever comes", () => {
    const slices = fc.array(
      fc.record({
        points: fc.integer({ min: 0, max: 9 }),
        pause: fc.integer({ min: 1, max: 40 }),
        fall: fc.boolean(),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(slices, (all) => {
        let mode = REGULAR_MODE;
        let minute = 0;
        let lastBad = Number.NEGATIVE_INFINITY;
        for (const { points, pause, fall } of all) {
          minute += pause / 10;
          const fell = fall && points % 3 === 0;
          const next = step(mode, { minute, points, fall: fell });
          if (points > REPORT_POLICY.leavePoints || fell) {
            lastBad = minute;
          }
          if (points >= REPORT_POLICY.enterPoints || fell) {
            expect(next.mode).toBe("emergency");
          }
          if (mode.mode === "emergency" && next.mode === "regular") {
            expect((minute - lastBad) * MINUTE).toBeGreaterThanOrEqual(REPORT_POLICY.calmMs);
          }
          expect(JSON.parse(JSON.stringify(next))).toEqual(next);
          mode = next;
        }
      }),
    );
  });
});
