import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeAlarm, onsetsOf } from "../../../../host/analytics/evaluation/alarms.ts";
import { rocPoints } from "../../../../host/analytics/evaluation/chart.ts";
import { FEATURES, featuresAt } from "../../../../host/analytics/evaluation/features.ts";
import { casesOf, forecast, isTraining, patientsOf } from "../../../../host/analytics/evaluation/forecast.ts";
import { fitLogistic, predict } from "../../../../host/analytics/evaluation/logistic.ts";
import { momentsOf, readStays } from "../../../../host/analytics/evaluation/stay.ts";
import { createRandom } from "../../../../host/base/index.ts";
import { rankArea } from "../../../../host/statistics/index.ts";

const HOUR = 3_600_000;
/** A row of the challenge's files. */
const row = (hour: number, parameter: string, value: number, patient = "1") => [
  patient,
  `${String(Math.floor(hour)).padStart(2, "0")}:${String(Math.round((hour % 1) * 60)).padStart(2, "0")}`,
  parameter,
  String(value),
];
const ADULT = new Map([["1", 60]]);
/** Hourly charts: 0 points, or 8 in the hours that are bad. */
const charts = (hours: number, bad: (hour: number) => boolean, patient = "1") =>
  Array.from({ length: hours }, (_, hour) => [
    row(hour, "HR", bad(hour) ? 140 : 80, patient),
    row(hour, "NISysABP", bad(hour) ? 80 : 120, patient),
    row(hour, "Temp", bad(hour) ? 39.5 : 37, patient),
  ]).flat();

describe("charts of intensive care", () => {
  it("are read with what cannot be a measurement left out", () => {
    const [stay] = readStays(
      [
        row(0, "HR", 80),
        row(0.5, "HR", 0),
        row(1, "NISysABP", 0),
        row(1, "SysABP", 110),
        row(2, "Temp", -17.8),
        row(2, "GCS", 15),
        row(2, "GCS", 1),
        row(3, "Glucose", 140),
        ["1", "xx", "HR", "80"],
      ],
      ADULT,
    );
    expect(stay?.charted.map(({ parameter, value }) => [parameter, value])).toEqual([
      ["pulse", 80],
      ["systolicPressure", 110],
      ["coma", 15],
    ]);
  });

  it("count a value for four hours, and a coma scale below 15 as not alert", () => {
    const [stay] = readStays([row(0, "HR", 140), row(4, "GCS", 15), row(4.1, "GCS", 14)], ADULT);
    const moments = momentsOf(stay ?? { patient: "", ageYears: null, charted: [] });
    expect(moments.map(({ score }) => score.lowerBound)).toEqual([3, 3, 3]);
    expect(moments[2]?.score.parameters).toMatchObject({ pulse: null, consciousness: 3 });
  });

  it("are judged of adults only", () => {
    const rows = ["1", "2", "3"].flatMap((patient) => charts(3, () => false, patient));
    const ages = new Map([
      ["1", 15],
      ["2", 16],
    ]);
    expect(patientsOf(readStays(rows, ages)).map(({ id }) => id)).toEqual(["2"]);
  });
});

describe("a forecast", () => {
  const patientOf = (hours: number, bad: (hour: number) => boolean) =>
    patientsOf(readStays(charts(hours, bad), ADULT))[0] as ReturnType<typeof patientsOf>[number];

  it("asks at the end of each hour outside of the event, whether it comes within six hours", () => {
    const cases = casesOf(patientOf(30, (hour) => hour >= 20 && hour < 22));
    expect(cases.every(({ moment }) => moment.time < 20 * HOUR || moment.time >= 22 * HOUR)).toBe(true);
    expect(cases[0]?.moment.time).toBe(4 * HOUR);
    const events = cases.filter(({ event }) => event).map(({ moment }) => moment.time / HOUR);
    expect(events).toEqual([14, 15, 16, 17, 18, 19]);
  });

  it("never looks ahead: what is charted later changes no feature", () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 25 }), fc.func(fc.boolean()), (cut, later) => {
        // Half of the pasts are good throughout, so that a glance at a bad future would show.
        const same = (hour: number) => cut % 2 === 0 && hour % 7 === 3;
        const a = patientOf(30, same);
        const b = patientOf(30, (hour) => (hour <= cut ? same(hour) : later(hour)));
        for (let i = 0; i <= cut; i++) {
          expect(featuresAt(b.moments, i)).toEqual(featuresAt(a.moments, i));
        }
      }),
      { numRuns: 20 },
    );
    expect(featuresAt(patientOf(3, () => false).moments, 2)).toHaveLength(FEATURES.length);
  });

  it("keeps every patient in one half, and finds what can be found", () => {
    // Bad hours come in runs, and two milder hours announce them.
    const random = createRandom(4, 1);
    const rows: string[][] = [];
    const ages = new Map<string, number>();
    for (let id = 1; id <= 60; id++) {
      const onset = 8 + Math.floor(random.between(0, 25));
      ages.set(String(id), 50);
      for (let hour = 0; hour < 40; hour++) {
        const near = hour >= onset ? 2 : hour >= onset - 6 ? 1 : 0;
        rows.push(row(hour, "HR", [80, 105, 140][near] as number, String(id)));
        rows.push(row(hour, "NISysABP", near === 2 ? 80 : 120 + Math.round(random.normal() * 8), String(id)));
        rows.push(row(hour, "Temp", near === 2 ? 39.5 : 37, String(id)));
      }
    }
    const patients = patientsOf(readStays(rows, ages));
    const judged = forecast(patients, 50);
    expect(judged.training.patients + judged.test.patients).toBe(60);
    expect(judged.test.patients).toBe(patients.filter((patient) => !isTraining(patient)).length);
    const area = Object.fromEntries(judged.results.map(({ name, area: interval }) => [name, interval.value]));
    expect(area["NEWS2 with trends"]).toBeGreaterThan(0.97);
    expect(area["single limits"]).toBeLessThan(0.6);
    expect(forecast(patients, 50)).toEqual(judged);
  });
});

describe("an alarm", () => {
  it("is judged by what came within six hours after it, and by how long before it sounded", () => {
    const patients = patientsOf(
      readStays(
        charts(48, (hour) => hour === 20 || hour === 40),
        ADULT,
      ),
    );
    expect(onsetsOf(patients[0] as (typeof patients)[number])).toEqual([20 * HOUR, 40 * HOUR]);
    const alarm = {
      name: "by the clock",
      course: () => ({ starts: [2, 16, 30].map((h) => h * HOUR), active: [2, 16, 30].map((h) => h * HOUR) }),
    };
    const { perDay, warned, useful, leadMinutes } = judgeAlarm(patients, alarm, 20);
    expect(perDay.value).toBeCloseTo(3 / (47 / 24), 9);
    expect(warned.value).toBe(0.5);
    expect(useful.value).toBeCloseTo(1 / 3, 9);
    expect(leadMinutes.median.value).toBe(240);
  });

  it("at the event itself is no warning", () => {
    const patients = patientsOf(
      readStays(
        charts(48, (hour) => hour === 20),
        ADULT,
      ),
    );
    const alarm = { name: "late", course: () => ({ starts: [20 * HOUR], active: [20 * HOUR] }) };
    expect(judgeAlarm(patients, alarm, 5)).toMatchObject({ warned: { value: 0 }, useful: { value: 0 } });
  });
});

describe("logistic regression", () => {
  it("finds the weights that made the data, and shrinks without", () => {
    const random = createRandom(9, 2);
    const rows = Array.from({ length: 4000 }, () => [
      random.normal() * 3 + 10,
      random.normal(),
      random.normal(),
    ]);
    const events = rows.map(([a = 0, b = 0]) => random.uniform() < 1 / (1 + Math.exp(-(0.5 * (a - 10) - b))));
    const model = fitLogistic(rows, events, 0);
    const slopes = model.weights.slice(1).map((weight, j) => weight / (model.scales[j] as number));
    expect(slopes[0]).toBeCloseTo(0.5, 0);
    expect(slopes[1]).toBeCloseTo(-1, 0);
    expect(Math.abs(slopes[2] as number)).toBeLessThan(0.1);
    const shrunk = fitLogistic(rows, events, 1e6);
    expect(Math.max(...shrunk.weights.slice(1).map(Math.abs))).toBeLessThan(0.01);
    const mean = rows.reduce((sum, one) => sum + predict(model, one), 0) / rows.length;
    expect(mean).toBeCloseTo(events.filter(Boolean).length / rows.length, 6);
  });

  it("survives features that are constant or the same", () => {
    const rows = Array.from({ length: 50 }, (_, i) => [1, i, i]);
    const model = fitLogistic(
      rows,
      rows.map((_, i) => i > 25),
    );
    expect(model.weights.every(Number.isFinite)).toBe(true);
    expect(predict(model, [1, 49, 49])).toBeGreaterThan(predict(model, [1, 0, 0]));
  });
});

describe("a curve", () => {
  it("has under it the area that the ranks say", () => {
    const judged = fc.array(fc.record({ score: fc.integer({ min: 0, max: 5 }), event: fc.boolean() }), {
      minLength: 4,
      maxLength: 60,
    });
    fc.assert(
      fc.property(judged, (all) => {
        const area = rankArea(all, ({ event }) => event);
        fc.pre(!Number.isNaN(area));
        const points = rocPoints(all);
        const under = points.slice(1).reduce((sum, [x, y], i) => {
          const [x0, y0] = points[i] as readonly [number, number];
          return sum + ((x - x0) * (y + y0)) / 2;
        }, 0);
        expect(under).toBeCloseTo(area, 9);
      }),
    );
  });
});
