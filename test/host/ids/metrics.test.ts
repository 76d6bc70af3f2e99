import { describe, expect, it } from "vitest";
import {
  areaUnderCurve,
  bootstrap,
  createDraw,
  createSplit,
  drawRoc,
  falsePositiveRate,
  type InspectedRequest,
  type Judged,
  rocCurve,
  thresholdAt,
  trainTabular,
  truePositiveRate,
} from "../../../host/ids/index.ts";

const judged = (benign: number[], attacks: number[]): Judged[] => [
  ...benign.map((score) => ({ score, attack: false })),
  ...attacks.map((score) => ({ score, attack: true })),
];

describe("measures", () => {
  it("are those of small examples by hand", () => {
    expect(areaUnderCurve(judged([1, 2, 3], [4, 5]))).toBe(1);
    expect(areaUnderCurve(judged([1, 4], [2, 3]))).toBe(0.5);
    expect(areaUnderCurve(judged([1, 1], [1]))).toBe(0.5);
    expect(areaUnderCurve(judged([1], []))).toBeNaN();
    const hundred = judged(
      Array.from({ length: 100 }, (_, i) => i),
      [98.5, 99, 100],
    );
    expect(thresholdAt(hundred, 0.01)).toBe(98);
    expect(falsePositiveRate(hundred, 98)).toBe(0.01);
    expect(truePositiveRate(hundred, 98)).toBe(1);
    expect(truePositiveRate(hundred, thresholdAt(hundred, 0.001))).toBeCloseTo(1 / 3, 12);
  });

  it("give the same interval each time, around the value", () => {
    const draw = createDraw(1);
    const sample = judged(
      Array.from({ length: 200 }, draw),
      Array.from({ length: 200 }, () => draw() + 0.3),
    );
    const once = bootstrap(sample, areaUnderCurve, 100);
    expect(bootstrap(sample, areaUnderCurve, 100)).toEqual(once);
    expect(once.low).toBeLessThan(once.value);
    expect(once.high).toBeGreaterThan(once.value);
  });

  it("draw a curve from corner to corner, legible for machines", () => {
    const points = rocCurve(judged([1, 2, 3], [2, 3, 4]));
    expect(points[0]).toEqual([0, 0]);
    expect(points.at(-1)).toEqual([1, 1]);
    const svg = drawRoc("a < b & c", [{ label: "<x>", points }]);
    expect(svg).toContain("a &#60; b &#38; c");
    expect(svg).not.toContain("<x>");
  });
});

describe("a split", () => {
  const requests: InspectedRequest[] = Array.from({ length: 400 }, (_, i) => [
    { m: "GET", u: `/a?x=${i}&y=1` },
    { m: "POST", u: "/a", b: `y=1&x=${i}` },
    { m: "GET", u: "/static" },
  ]).flat();
  const split = createSplit(requests, { holdout: 0.25, members: 4 });

  it("keeps twins together, so that no tested request was half seen", () => {
    for (let i = 0; i < requests.length; i += 3) {
      expect(split.place(requests[i] as InspectedRequest)).toBe(
        split.place(requests[i + 1] as InspectedRequest),
      );
    }
  });

  it("shows the usual to all and deals the rest out", () => {
    expect(split.place({ m: "GET", u: "/static" })).toBe("all");
    const places = requests.filter((_, i) => i % 3 === 0).map((request) => split.place(request));
    expect(places.filter((place) => place === "test").length / places.length).toBeCloseTo(0.25, 0);
    expect(new Set(places)).toEqual(new Set(["test", 0, 1, 2, 3]));
  });
});

describe("the tabular detector", () => {
  const draw = createDraw(9);
  const make = (count: number) =>
    Array.from({ length: count }, () => {
      const size = draw() * 100;
      const service = ["http", "smtp", "dns", "odd"][Math.floor(draw() * 4)] as string;
      return {
        row: [size.toFixed(2), service, draw().toFixed(3)],
        attack: size > 70 !== (service === "odd"),
      };
    });
  const training = make(3000);
  const detector = trainTabular(
    training.map(({ row }) => row),
    training.map(({ attack }) => attack),
    { trees: 40, depth: 3 },
  );

  it("learns what no single column tells", () => {
    const test = make(1000);
    expect(
      test.filter(({ row, attack }) => detector.score(row) > 0.5 === attack).length / 1000,
    ).toBeGreaterThan(0.97);
  });

  it("is deterministic, and survives what it never saw", () => {
    const again = trainTabular(
      training.map(({ row }) => row),
      training.map(({ attack }) => attack),
      { trees: 40, depth: 3 },
    );
    expect(again.score(["50", "http", "0"])).toBe(detector.score(["50", "http", "0"]));
    for (const row of [["x", "never", ""], [], ["1e999", "http", "NaN"]]) {
      expect(detector.score(row)).toBeGreaterThanOrEqual(0);
      expect(detector.score(row)).toBeLessThanOrEqual(1);
    }
    expect(() => trainTabular([["1"], ["1", "2"]], [true, false])).toThrowError(
      expect.objectContaining({ code: "IDS_TABLE_INVALID" }),
    );
  });
});
