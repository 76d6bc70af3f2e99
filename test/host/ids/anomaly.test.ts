import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { Categorical, CategoricalCount } from "../../../host/ids/anomaly/categorical.ts";
import { hashText } from "../../../host/ids/anomaly/hash.ts";
import { coarseShapeHash, fineShapeHash, routeOf } from "../../../host/ids/anomaly/shape.ts";
import { measureTail, tailBits } from "../../../host/ids/anomaly/tail.ts";
import {
  ALARM_AT,
  type AnomalyModel,
  createDetector,
  createDraw,
  createTrainer,
  type Detector,
  decodeModel,
  encodeModel,
  type InspectedRequest,
  modelHash,
} from "../../../host/ids/index.ts";

const GIVEN = ["maria", "jose", "ana", "luis", "carmen", "pedro", "laura", "pablo", "elena", "jorge"];
const FAMILY = ["garcia", "lopez", "perez", "gomez", "ruiz", "diaz", "moreno", "romero", "alonso", "navarro"];

/** Traffic of a small clinic's booking form, from a seed. */
function traffic(seed: number, count: number): InspectedRequest[] {
  const draw = createDraw(seed);
  const pick = (list: readonly string[]): string => list[Math.floor(draw() * list.length)] as string;
  const digits = (length: number) => Array.from({ length }, () => Math.floor(draw() * 10)).join("");
  return Array.from({ length: count }, (_, i) =>
    i % 3 === 0
      ? { m: "GET", u: `/patients/${digits(8)}/visits?page=${1 + Math.floor(draw() * 9)}` }
      : {
          m: "POST",
          u: "/book",
          b: `name=${pick(GIVEN)}+${pick(FAMILY)}&phone=${digits(9)}&ward=${pick(["east", "west"])}&card=${digits(8)}${pick(["A", "B", "C"])}`,
        },
  );
}

function train(requests: readonly InspectedRequest[]): AnomalyModel {
  const trainer = createTrainer();
  for (const request of requests) {
    trainer.add(request);
  }
  return trainer.finish();
}

describe("what was learned", () => {
  let model: AnomalyModel;
  let detector: Detector;
  const benign = traffic(1, 1500);
  const score = (request: InspectedRequest) => detector.judge(request).score;
  const book = (over: Record<string, string>) => {
    const fields = { name: "ana ruiz", phone: "612345678", ward: "east", card: "12345678A", ...over };
    return { m: "POST", u: "/book", b: new URLSearchParams(fields).toString() };
  };
  beforeAll(() => {
    model = train(benign);
    detector = createDetector({ model });
  });

  it("leaves unseen benign requests in peace", () => {
    const fresh = traffic(2, 900);
    const alarms = fresh.filter((request) => detector.judge(request).alarm);
    expect(alarms.length / fresh.length).toBeLessThan(0.01);
  });

  it.each([
    ["a character the field never held", { phone: "6123*5678" }],
    ["another shape", { card: "A12345678" }],
    ["a value beyond a closed set", { ward: "moon" }],
    ["an overlong value", { name: "a".repeat(300) }],
    ["a new parameter", { admin: "1" }],
  ])("sees %s", (_what, over) => {
    expect(score(book(over))).toBeGreaterThan(5 * score(book({})));
  });

  it("sees a missing parameter, a repeated one, another method and double encoding", () => {
    const usual = score(book({}));
    const { b } = book({});
    expect(score({ m: "POST", u: "/book", b: b.replace("&ward=east", "") })).toBeGreaterThan(5 * usual);
    expect(score({ m: "POST", u: "/book", b: `${b}&ward=east` })).toBeGreaterThan(5 * usual);
    expect(score({ m: "DELETE", u: "/book", b })).toBeGreaterThan(5 * usual);
    expect(
      score({ m: "POST", u: "/book", b: b.replace("612345678", "%2536%2531%2532345678") }),
    ).toBeGreaterThan(5 * usual);
  });

  it("explains itself", () => {
    const { anomaly } = detector.judge(book({ ward: "moon" }));
    expect(anomaly?.because[0]).toMatchObject({ at: "form:ward" });
  });

  it("raises no alarm for a route it never saw, but ranks it above the usual; a rule decides there", () => {
    const strange = { m: "GET", u: "/new/page?x=1" };
    expect(score(strange)).toBeGreaterThan(score(book({})));
    expect(score(strange)).toBeLessThan(ALARM_AT);
    expect(detector.judge({ m: "GET", u: "/new/page?x=1'+or+1=1--" }).alarm).toBe(true);
  });

  it("takes identifiers in a path for one route", () => {
    expect(score({ m: "GET", u: "/patients/99999999/visits?page=2" })).toBeLessThan(0.1);
  });

  it("is the same for the same traffic in any order, and after a round through its file", () => {
    const bytes = encodeModel(model);
    expect(modelHash(encodeModel(train([...benign].reverse())))).toBe(modelHash(bytes));
    const again = createDetector({ model: decodeModel(bytes) });
    for (const request of traffic(3, 50)) {
      expect(again.judge(request)).toEqual(detector.judge(request));
    }
    expect(bytes.length).toBeLessThan(2_000_000);
  });

  it("does not look at labels", () => {
    const labelled = benign.map((request, i) => ({ ...request, y: i % 2 }) as InspectedRequest);
    expect(modelHash(encodeModel(train(labelled)))).toBe(modelHash(encodeModel(model)));
  });

  it("refuses damaged models and empty training", () => {
    const bytes = encodeModel(model);
    for (const damaged of [
      new Uint8Array(0),
      bytes.slice(0, bytes.length / 2),
      new TextEncoder().encode("{}"),
    ]) {
      expect(() => decodeModel(damaged)).toThrowError(expect.objectContaining({ code: "IDS_MODEL_INVALID" }));
    }
    expect(() => createTrainer().finish()).toThrowError(
      expect.objectContaining({ code: "IDS_TRAINING_EMPTY" }),
    );
  });
});

describe("its parts", () => {
  it("tell shapes and routes", () => {
    expect(coarseShapeHash("Calle Sol 12, 3-B")).toBe(hashText("Aa Aa 9, 9-A"));
    expect(coarseShapeHash("a1".repeat(40))).toBe(hashText("a9".repeat(16)));
    expect(coarseShapeHash("año 東京")).toBe(hashText("a é"));
    expect(fineShapeHash("17621392B")).toBe(hashText("99999999A"));
    expect(fineShapeHash("x".repeat(21))).toBe(hashText(`${"a".repeat(20)}+`));
    expect(routeOf("/streams/0af3bc9912/x/17")).toBe("/streams/:id/x/:id");
    expect(routeOf("/v1/batches")).toBe("/v1/batches");
  });

  it("find a fourth value in a field of three stranger than a new name among names", () => {
    const closed = new CategoricalCount();
    const open = new CategoricalCount();
    for (let i = 0; i < 999; i++) {
      closed.add([i % 3], 1);
      open.add([i], 1);
    }
    expect(new Categorical(closed.toJson(100)).rarity(77)).toBeGreaterThan(10);
    expect(new Categorical(open.toJson(5000)).rarity(7777)).toBeLessThan(1);
    // Cut off by the bound: the rest counts as seen, not as new.
    expect(new Categorical(open.toJson(10)).rarity(7777)).toBeLessThan(1);
    expect(new Categorical(closed.toJson(100)).rarity(0)).toBe(0);
  });

  it("measure tails that are monotone and near the truth", () => {
    const draw = createDraw(5);
    const tail = measureTail(Array.from({ length: 20_000 }, () => -Math.log(1 - draw())));
    expect(tailBits(tail, Math.log(100))).toBeCloseTo(Math.log2(100), 0);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 50, noNaN: true }),
        fc.double({ min: 0, max: 50, noNaN: true }),
        (a, b) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)];
          expect(tailBits(tail, high)).toBeGreaterThanOrEqual(tailBits(tail, low));
        },
      ),
    );
    const never = measureTail(new Array(1000).fill(0));
    expect(tailBits(never, 0)).toBe(0);
    expect(tailBits(never, 3)).toBeGreaterThan(10);
    expect(tailBits(measureTail([]), 1)).toBeGreaterThanOrEqual(0);
  });
});
