import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scoreNews2, scoreNews2Line } from "../../../host/analytics/index.ts";

const WELL = {
  respiratoryRate: 16,
  spo2: 97,
  oxygen: false,
  systolic: 120,
  pulse: 70,
  consciousness: "A",
  temperature: 37,
  age: 50,
};
const score = (change: Record<string, unknown>, line = 1) =>
  scoreNews2Line(JSON.stringify({ ...WELL, ...change }), line);

describe("a line of observations", () => {
  it("is answered by score, level and parts under the names of the line", () => {
    expect(score({})).toEqual({
      score: 0,
      level: "low",
      parts: {
        respiratoryRate: 0,
        spo2: 0,
        oxygen: 0,
        systolic: 0,
        pulse: 0,
        consciousness: 0,
        temperature: 0,
      },
    });
    expect(score({ consciousness: "C" })).toMatchObject({ score: 3, level: "low-medium" });
    expect(score({ spo2: 95, oxygen: true, scale: 2 })).toMatchObject({
      score: 4,
      parts: { spo2: 2, oxygen: 2 },
    });
    expect(score({ respiratoryRate: 26, systolic: 88, pulse: 101 })).toMatchObject({
      score: 7,
      level: "high",
    });
  });

  it.each([
    ["a", 0],
    ["ALERT", 0],
    ["c", 3],
    ["Confusion", 3],
    ["V", 3],
    ["P", 3],
    ["unresponsive", 3],
  ])("knows consciousness %s", (consciousness, points) => {
    expect(score({ consciousness })).toMatchObject({ score: points });
  });

  it("names what is missing, and the points that are certain", () => {
    expect(score({ temperature: null, pulse: 131 })).toEqual({ incomplete: ["temperature"], atLeast: 3 });
    expect(score({ age: null })).toEqual({ incomplete: ["age"], atLeast: 0 });
    // The saturation was measured: the oxygen is what is not known.
    expect(score({ scale: 2, oxygen: null })).toEqual({ incomplete: ["oxygen"], atLeast: 0 });
    expect(scoreNews2Line("{}", 1)).toMatchObject({ incomplete: expect.arrayContaining(["spo2", "age"]) });
  });

  it("is refused under 16 and in pregnancy, whatever is missing", () => {
    expect(score({ age: 15.99 })).toEqual({ refused: expect.stringContaining("under 16") });
    expect(score({ age: 16 })).toMatchObject({ score: 0 });
    expect(scoreNews2Line('{"pregnant":true}', 1)).toEqual({ refused: expect.stringContaining("pregnancy") });
    expect(score({ pregnant: false })).toMatchObject({ score: 0 });
  });

  it.each([
    ["nonsense", "NEWS2_LINE", "JSON"],
    ["[1]", "NEWS2_LINE", "object"],
    ["null", "NEWS2_LINE", "object"],
    ['{"spO2":97}', "NEWS2_LINE", "spO2"],
    ['{"pulse":"70"}', "NEWS2_LINE", "pulse"],
    ['{"scale":3}', "NEWS2_LINE", "scale"],
    ['{"consciousness":"constructor"}', "NEWS2_LINE", "consciousness"],
    ['{"consciousness":"sleepy"}', "NEWS2_LINE", "A, C, V, P, U"],
    ['{"spo2":101}', "NEWS2_VALUE", "spo2"],
    ['{"temperature":98.6}', "NEWS2_VALUE", "temperature"],
    ['{"age":-1}', "NEWS2_VALUE", "age "],
    ['{"pulse":1e999}', "NEWS2_LINE", "pulse"],
  ])("%s is an error with its number", (text, code, words) => {
    expect(scoreNews2Line(text, 41)).toEqual({ error: expect.stringContaining(words), code, line: 41 });
  });

  it("never throws, and says what the score itself says", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(Object.keys(scoreNews2Line(text, 1)).length).toBeGreaterThan(0);
      }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 60, max: 100 }),
        (respiratoryRate, spo2) => {
          const { total } = scoreNews2({
            respiratoryRate,
            oxygenSaturation: spo2,
            supplementalOxygen: false,
            systolicPressure: 120,
            pulse: 70,
            consciousness: "alert",
            temperature: 37,
          });
          expect(score({ respiratoryRate, spo2 })).toMatchObject({ score: total });
        },
      ),
    );
  });
});
