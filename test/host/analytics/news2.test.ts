import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Consciousness,
  NEWS2_PARAMETERS,
  type News2Observation,
  type News2Options,
  type News2Parameter,
  scoreNews2,
} from "../../../host/analytics/index.ts";

/** Scores 0 on either scale. */
const NORMAL = {
  respiratoryRate: 16,
  oxygenSaturation: 97,
  supplementalOxygen: false,
  systolicPressure: 120,
  pulse: 70,
  consciousness: "alert",
  temperature: 37,
} as const satisfies News2Observation;

const AIR_2: Partial<News2Observation> = { supplementalOxygen: false };
const OXYGEN_2: Partial<News2Observation> = { supplementalOxygen: true };

/** Royal College of Physicians 2017, chart 1: both values of every band edge, and values within the open ends, as value:points. */
const CHART: [News2Parameter, string, News2Options, Partial<News2Observation>, string][] = [
  [
    "respiratoryRate",
    "",
    {},
    {},
    "0:3 7:3 8:3 9:1 10:1 11:1 12:0 13:0 19:0 20:0 21:2 22:2 23:2 24:2 25:3 26:3",
  ],
  ["oxygenSaturation", "scale 1", {}, {}, "0:3 90:3 91:3 92:2 93:2 94:1 95:1 96:0 97:0 100:0"],
  ["oxygenSaturation", "scale 1 on oxygen", {}, OXYGEN_2, "91:3 92:2 95:1 96:0 100:0"],
  [
    "oxygenSaturation",
    "scale 2 on air",
    { spo2Scale: 2 },
    AIR_2,
    "82:3 83:3 84:2 85:2 86:1 87:1 88:0 92:0 93:0 94:0 95:0 96:0 97:0 100:0",
  ],
  [
    "oxygenSaturation",
    "scale 2 on oxygen",
    { spo2Scale: 2 },
    OXYGEN_2,
    "82:3 83:3 84:2 85:2 86:1 87:1 88:0 89:0 91:0 92:0 93:1 94:1 95:2 96:2 97:3 98:3 100:3",
  ],
  [
    "systolicPressure",
    "",
    {},
    {},
    "89:3 90:3 91:2 92:2 99:2 100:2 101:1 102:1 109:1 110:1 111:0 112:0 218:0 219:0 220:3 221:3",
  ],
  [
    "pulse",
    "",
    {},
    {},
    "0:3 39:3 40:3 41:1 42:1 49:1 50:1 51:0 52:0 89:0 90:0 91:1 92:1 109:1 110:1 111:2 112:2 129:2 130:2 131:3 132:3",
  ],
  [
    "temperature",
    "",
    {},
    {},
    "34.9:3 35:3 35.1:1 35.2:1 35.9:1 36:1 36.1:0 36.2:0 37.9:0 38:0 38.1:1 38.2:1 38.9:1 39:1 39.1:2 39.2:2",
  ],
  [
    "temperature",
    "rounded to 0.1 first, halves up",
    {},
    {},
    "35.04:3 35.05:1 36.049:1 36.05:0 38.04:0 38.05:1 39.04:1 39.05:2",
  ],
  ["pulse", "rounded to whole beats first", {}, {}, "90.4:0 90.5:1 130.49:2 130.5:3"],
];

describe("the chart of NEWS2", () => {
  for (const [parameter, note, options, also, rows] of CHART) {
    const pairs = rows.split(" ").map((row) => row.split(":").map(Number) as [number, number]);
    it.each(pairs)(`${parameter} ${note}: %d scores %d`, (value, points) => {
      const score = scoreNews2({ ...NORMAL, ...also, [parameter]: value }, options);
      expect(score.parameters[parameter]).toBe(points);
      expect(score.total).toBe(points + (also.supplementalOxygen === true ? 2 : 0));
      expect(score.redFlag).toBe(points === 3);
    });
  }

  it.each<[Consciousness, number]>([
    ["alert", 0],
    ["confusion", 3],
    ["voice", 3],
    ["pain", 3],
    ["unresponsive", 3],
  ])("consciousness %s scores %d", (consciousness, points) => {
    expect(scoreNews2({ ...NORMAL, consciousness }).parameters.consciousness).toBe(points);
  });

  it("counts supplemental oxygen with 2 on both scales", () => {
    expect(scoreNews2({ ...NORMAL, supplementalOxygen: true }).total).toBe(2);
    const target = { ...NORMAL, supplementalOxygen: true, oxygenSaturation: 90 };
    expect(scoreNews2(target, { spo2Scale: 2 }).total).toBe(2);
  });

  it("reaches 20 at the most", () => {
    const worst: News2Observation = {
      respiratoryRate: 40,
      oxygenSaturation: 70,
      supplementalOxygen: true,
      systolicPressure: 60,
      pulse: 180,
      consciousness: "unresponsive",
      temperature: 34,
    };
    expect(scoreNews2(worst)).toMatchObject({ total: 20, urgency: "high", redFlag: true, complete: true });
  });
});

/** The chart a second time, as runs of points over every value in turn, so that no band has a hole or a wrong middle. */
const RUNS: [News2Parameter, News2Options, Partial<News2Observation>, number, number, string][] = [
  ["respiratoryRate", {}, {}, 0, 1, "3x9 1x3 0x9 2x4 3x36"],
  ["oxygenSaturation", {}, {}, 0, 1, "3x92 2x2 1x2 0x5"],
  ["oxygenSaturation", {}, OXYGEN_2, 0, 1, "3x92 2x2 1x2 0x5"],
  ["oxygenSaturation", { spo2Scale: 2 }, AIR_2, 0, 1, "3x84 2x2 1x2 0x13"],
  ["oxygenSaturation", { spo2Scale: 2 }, OXYGEN_2, 0, 1, "3x84 2x2 1x2 0x5 1x2 2x2 3x4"],
  ["systolicPressure", {}, {}, 0, 1, "3x91 2x10 1x10 0x109 3x81"],
  ["pulse", {}, {}, 0, 1, "3x41 1x10 0x40 1x20 2x20 3x70"],
  ["temperature", {}, {}, 300, 0.1, "3x51 1x10 0x20 1x10 2x30"],
];

describe("every value of the chart", () => {
  it.each(RUNS)("%s %o %o from %d by %d: %s", (parameter, options, also, start, step, runs) => {
    const points = runs.split(" ").flatMap((run) => {
      const [value, times] = run.split("x").map(Number) as [number, number];
      return Array<number>(times).fill(value);
    });
    const scored = points.map((_, i) => {
      const value = step === 1 ? start + i : Number(((start + i) / 10).toFixed(1));
      return scoreNews2({ ...NORMAL, ...also, [parameter]: value }, options).parameters[parameter];
    });
    expect(scored).toEqual(points);
  });
});

describe("urgency", () => {
  it.each([
    [{}, 0, "low"],
    [{ respiratoryRate: 22, pulse: 115 }, 4, "low"],
    [{ pulse: 135 }, 3, "lowMedium"],
    [{ consciousness: "confusion" }, 3, "lowMedium"],
    [{ respiratoryRate: 22, pulse: 115, temperature: 38.5 }, 5, "medium"],
    [{ respiratoryRate: 22, pulse: 135, temperature: 38.5 }, 6, "medium"],
    [{ respiratoryRate: 22, pulse: 135, temperature: 39.5 }, 7, "high"],
  ] as const)("%o: total %d is %s", (change, total, urgency) => {
    expect(scoreNews2({ ...NORMAL, ...change })).toMatchObject({ total, urgency, urgencyAtLeast: urgency });
  });
});

describe("missing parameters", () => {
  it.each(NEWS2_PARAMETERS)("%s missing makes the set incomplete and never counts as 0", (parameter) => {
    for (const absent of [undefined, null]) {
      const score = scoreNews2({ ...NORMAL, [parameter]: absent });
      expect(score.complete).toBe(false);
      expect(score.total).toBeNull();
      expect(score.urgency).toBeNull();
      expect(score.parameters[parameter]).toBeNull();
      expect(score.missing).toEqual([parameter]);
    }
  });

  it("an empty set misses everything", () => {
    expect(scoreNews2({})).toMatchObject({ missing: NEWS2_PARAMETERS, lowerBound: 0, total: null });
  });

  it("gives the known points as a lower bound, with the urgency they force", () => {
    const score = scoreNews2({ respiratoryRate: 26, oxygenSaturation: 90, pulse: 112 });
    expect(score).toMatchObject({ lowerBound: 8, urgencyAtLeast: "high", redFlag: true, total: null });
  });

  it("cannot score a high saturation on scale 2 without knowing about oxygen", () => {
    const unknown = { ...NORMAL, supplementalOxygen: null };
    expect(scoreNews2({ ...unknown, oxygenSaturation: 93 }, { spo2Scale: 2 }).missing).toEqual([
      "oxygenSaturation",
      "supplementalOxygen",
    ]);
    expect(scoreNews2({ ...unknown, oxygenSaturation: 92 }, { spo2Scale: 2 }).missing).toEqual([
      "supplementalOxygen",
    ]);
  });
});

describe("refusals", () => {
  it.each([
    [{ ageYears: 15.9 }, "NEWS2_NOT_APPLICABLE", /paediatric/],
    [{ ageYears: 0 }, "NEWS2_NOT_APPLICABLE", /paediatric/],
    [{ pregnant: true }, "NEWS2_NOT_APPLICABLE", /obstetric/],
    [{ ageYears: -1 }, "NEWS2_VALUE", /ageYears/],
    [{ ageYears: Number.NaN }, "NEWS2_VALUE", /ageYears/],
  ])("%o", (eligibility, code, message) => {
    const attempt = () => scoreNews2(NORMAL, { eligibility });
    expect(attempt).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  it("accepts 16 years and a known absence of pregnancy", () => {
    expect(scoreNews2(NORMAL, { eligibility: { ageYears: 16, pregnant: false } }).total).toBe(0);
  });

  it.each([
    ["temperature", 98.6],
    ["temperature", 3.7],
    ["oxygenSaturation", 101],
    ["pulse", -1],
    ["systolicPressure", 401],
    ["respiratoryRate", Number.NaN],
    ["respiratoryRate", Number.POSITIVE_INFINITY],
  ])("a %s of %d is no measurement", (parameter, value) => {
    const attempt = () => scoreNews2({ ...NORMAL, [parameter]: value });
    expect(attempt).toThrow(expect.objectContaining({ code: "NEWS2_VALUE", details: { parameter } }));
  });

  it("an unknown level of consciousness is named, with the known ones", () => {
    const consciousness = "sleepy" as Consciousness;
    expect(() => scoreNews2({ ...NORMAL, consciousness })).toThrow(/alert, confusion, voice/);
  });
});

const anyObservation = fc.record({
  respiratoryRate: fc.integer({ min: 0, max: 60 }),
  oxygenSaturation: fc.integer({ min: 60, max: 100 }),
  supplementalOxygen: fc.boolean(),
  systolicPressure: fc.integer({ min: 40, max: 260 }),
  pulse: fc.integer({ min: 20, max: 220 }),
  consciousness: fc.constantFrom<Consciousness>("alert", "confusion", "voice", "pain", "unresponsive"),
  temperature: fc.integer({ min: 3300, max: 4200 }).map((hundredths) => hundredths / 100),
});
const anyScale = fc.constantFrom<1 | 2>(1, 2);

describe("properties", () => {
  it("a complete total lies between 0 and 20 and is the sum of its parameters", () => {
    fc.assert(
      fc.property(anyObservation, anyScale, (observation, spo2Scale) => {
        const score = scoreNews2(observation, { spo2Scale });
        const sum = Object.values(score.parameters).reduce<number>((a, b) => a + (b ?? 0), 0);
        expect(score.complete).toBe(true);
        expect(score.total).toBe(sum);
        expect(sum).toBeGreaterThanOrEqual(0);
        expect(sum).toBeLessThanOrEqual(20);
      }),
    );
  });

  it("leaving parameters out never raises the lower bound, and the bound holds", () => {
    const anySubset = fc.subarray([...NEWS2_PARAMETERS]);
    fc.assert(
      fc.property(anyObservation, anyScale, anySubset, (observation, spo2Scale, left) => {
        const whole = scoreNews2(observation, { spo2Scale });
        const absent = Object.fromEntries(left.map((name) => [name, null]));
        const part = scoreNews2({ ...observation, ...absent }, { spo2Scale });
        expect(part.lowerBound).toBeLessThanOrEqual(whole.total ?? Number.NaN);
        expect(part.complete).toBe(left.length === 0);
        expect(part.missing).toEqual(expect.arrayContaining(left));
      }),
    );
  });

  it.each([
    ["respiratoryRate", 12, 20],
    ["oxygenSaturation", 96, 100],
    ["systolicPressure", 111, 219],
    ["pulse", 51, 90],
    ["temperature", 36.1, 38],
  ] as const)("%s scores 0 within %d to %d and never less further away", (parameter, low, high) => {
    fc.assert(
      fc.property(anyObservation, fc.double({ min: 0, max: 30, noNaN: true }), fc.boolean(), (o, far, up) => {
        const most = parameter === "oxygenSaturation" ? 100 : Number.POSITIVE_INFINITY;
        const points = (distance: number) => {
          const value = Math.min(most, up ? high + distance : low - distance);
          const bounded =
            parameter === "temperature" ? Math.min(50, Math.max(10, value)) : Math.max(0, value);
          return scoreNews2({ ...o, [parameter]: bounded }).parameters[parameter] as number;
        };
        expect(points(0)).toBe(0);
        expect(points(far)).toBeGreaterThanOrEqual(points(far / 2));
      }),
    );
  });
});
