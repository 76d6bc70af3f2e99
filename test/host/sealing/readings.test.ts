import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeReadings,
  encodeReadings,
  QUANTITIES,
  type Quantity,
  type ReadingColumn,
} from "../../../host/sealing/index.ts";
import { codeOf } from "./fixtures.ts";

const TIME_LIMIT = 2 ** 49;

const anyDouble = () => fc.double({ noNaN: true, noDefaultInfinity: true });
const decimal = () =>
  fc
    .tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.nat(12))
    .map(([digits, decimals]) => digits / 10 ** decimals);
const edge = () =>
  fc.constantFrom(
    0,
    -0,
    Number.MIN_VALUE,
    -Number.MIN_VALUE,
    Number.MAX_VALUE,
    Number.EPSILON,
    0.1 + 0.2,
    1e-9,
    1e-10,
    ...[2 ** 49, 2 ** 50 - 1, 2 ** 50, 2 ** 51, 2 ** 53 - 1, 2 ** 53, 2 ** 60].flatMap((x) => [x, -x]),
  );

/** Columns of one habit each, so that every way of writing values is met, and columns of all sorts. */
const values = () =>
  fc.oneof(
    ...[fc.integer({ min: 0, max: 300 }), fc.integer(), decimal(), anyDouble(), edge()].map((value) =>
      fc.array(fc.option(value, { freq: 5 }), { maxLength: 40 }),
    ),
    fc.array(fc.option(fc.oneof(fc.integer(), decimal(), anyDouble(), edge())), { maxLength: 40 }),
    fc.array(fc.constant(null), { maxLength: 40 }),
  );

const column = (): fc.Arbitrary<ReadingColumn> =>
  values().chain((list) =>
    fc
      .tuple(
        fc.constantFrom(...(Object.keys(QUANTITIES) as Quantity[])),
        fc.array(fc.integer({ min: 1 - TIME_LIMIT, max: TIME_LIMIT - 1 }), {
          minLength: list.length,
          maxLength: list.length,
        }),
      )
      .map(([quantity, times]) => ({ quantity, times: times.sort((a, b) => a - b), values: list })),
  );

const roundTrip = (columns: readonly ReadingColumn[]) => decodeReadings(encodeReadings(columns));
const one = (times: number[], list: (number | null)[]): ReadingColumn[] => [
  { quantity: "heartRate", times, values: list },
];

describe("readings", () => {
  it("come back exactly: every value, its zero's sign, every gap, every time", () => {
    fc.assert(
      fc.property(fc.array(column(), { maxLength: 5 }), (columns) => {
        const back = roundTrip(columns);
        // toStrictEqual tells -0 from 0 and null from a missing value.
        expect(back).toStrictEqual(columns);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["ordinary numbers", [72, 71.5, 36.65, -3]],
    ["zeros of both signs", [0, -0, 0]],
    ["a large one before one with many decimals", [1e12, 0.123456789]],
    ["the ends of the doubles", [Number.MAX_VALUE, Number.MIN_VALUE, -Number.MAX_VALUE]],
    ["sums that no decimal holds", [0.1 + 0.2, 1 / 3]],
    ["jumps from end to end of the scaled range", [2 ** 50 - 1, 1 - 2 ** 50, 2 ** 50 - 1]],
  ])("hold %s", (_, list) => {
    const [back] = roundTrip(
      one(
        list.map((_value, i) => i),
        list,
      ),
    );
    list.forEach((value, i) => {
      expect(Object.is(back?.values[i], value), `${value}`).toBe(true);
    });
  });

  it("keep gaps at the beginning, at the end, around bytes of the bitmap, and alone", () => {
    const lists = [1, 7, 8, 9, 16, 17].flatMap((length) =>
      Array.from({ length }, (_, gap) => Array.from({ length }, (_value, i) => (i === gap ? null : 60 + i))),
    );
    for (const list of [...lists, new Array<null>(9).fill(null)]) {
      expect(
        roundTrip(
          one(
            list.map((_, i) => i),
            list,
          ),
        )[0]?.values,
      ).toEqual(list);
    }
  });

  it("hold times from end to end of the range, and equal ones", () => {
    const times = [1 - TIME_LIMIT, 1 - TIME_LIMIT, 0, TIME_LIMIT - 1, TIME_LIMIT - 1];
    expect(
      roundTrip(
        one(
          times,
          times.map(() => 1),
        ),
      )[0]?.times,
    ).toEqual(times);
  });

  it.each([
    ["unequal lengths", [0, 1], [1]],
    ["times that go backwards", [5, 4], [1, 2]],
    ["a time between milliseconds", [0.5], [1]],
    ["a time beyond the range", [TIME_LIMIT], [1]],
    ["a time before the range", [-TIME_LIMIT], [1]],
    ["a time that is none", [Number.NaN], [1]],
    ["a value that is none", [0], [Number.NaN]],
    ["an infinite value", [0], [Number.POSITIVE_INFINITY]],
  ])("with %s are refused", (_, times, list) => {
    expect(codeOf(() => encodeReadings(one(times, list)))).toBe("READINGS_INVALID");
  });

  it("that could not be opened again are not encoded", () => {
    const times = Array.from({ length: 900_000 }, (_, i) => i);
    const columns = one(
      times,
      times.map((i) => i / 7),
    );
    expect(codeOf(() => encodeReadings([...columns, ...columns]))).toBe("READINGS_INVALID");
  });

  it("of one hour at 1 Hz take less than a byte each", () => {
    // A walk of the size that vital signs walk, the same in every run.
    let state = 1;
    const chance = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const start = Date.UTC(2026, 0, 1);
    const times = Array.from({ length: 3600 }, (_, i) => start + 1000 * i);
    const walk = (quantity: Quantity, from: number, step: number): ReadingColumn => {
      let level = from;
      const list = times.map(() => {
        level += Math.round(2 * chance() - 1) * step;
        return chance() < 0.01 ? null : Math.round(level * 10) / 10;
      });
      return { quantity, times, values: list };
    };
    const columns = [
      walk("heartRate", 72, 1),
      walk("oxygenSaturation", 97, 1),
      walk("respiratoryRate", 14, 1),
      walk("bodyTemperature", 36.8, 0.1),
    ];
    const encoded = encodeReadings(columns);
    expect(decodeReadings(encoded)).toStrictEqual(columns);
    expect(encoded.length).toBeLessThan(0.5 * 4 * 3600);
    // Two bits a step cannot be had for less than a quarter of a byte: far below, something was left out.
    expect(encoded.length).toBeGreaterThan(0.15 * 4 * 3600);
  });

  it("without any change take next to nothing", () => {
    const times = Array.from({ length: 3600 }, (_, i) => 1000 * i);
    expect(
      encodeReadings(
        one(
          times,
          times.map(() => 70),
        ),
      ).length,
    ).toBeLessThan(100);
  });
});
