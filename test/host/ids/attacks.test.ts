import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ATTACK_KINDS, ATTACK_SET_VERSION, attackSet } from "../../../host/ids/attacks/index.ts";
import { HEADERS, VALUES } from "../../../host/ids/attacks/payloads.ts";
import { targetsOf, withValue } from "../../../host/ids/attacks/placing.ts";
import {
  createDetector,
  createTrainer,
  type Detector,
  type InspectedRequest,
  RULES,
} from "../../../host/ids/index.ts";

const HEADER = { "user-agent": "node", accept: "*/*" };
/** Of 154, by the rules of today alone, and with a model. Better rules find more: let docs/IDS-LIVE.md say so. */
const [FOUND_BY_RULES, FOUND_BY_MODEL] = [111, 124];
/** What services get: a read, a sealed upload, a JSON body with values of every kind. */
const CARRIERS: readonly InspectedRequest[] = [
  { m: "GET", u: "/v1/streams/4711/batches?after=12&limit=100", headers: HEADER },
  { m: "POST", u: "/v1/batches", headers: { ...HEADER, "content-type": "application/octet-stream" } },
  {
    ...{ m: "POST", u: "/v1/notes", headers: { ...HEADER, "content-type": "application/json" } },
    b: JSON.stringify({ text: "pulse 61, resting", at: 17, tags: ["a", "b"], by: { handle: "dr-heron" } }),
  },
];
const all = () => attackSet().flatMap((attack) => CARRIERS.map((carrier) => attack.apply(carrier)));

describe("the attacks that are built in", () => {
  it("are the same wherever they run, and another version when one changes", () => {
    const hash = createHash("sha256").update(JSON.stringify(all())).digest("hex").slice(0, 16);
    expect(JSON.stringify(all())).toBe(JSON.stringify(all()));
    // Whoever changes the set changes this line: let the version grow with it, for its rates do not compare.
    expect([ATTACK_SET_VERSION, attackSet().length, hash]).toEqual([1, 154, "103d47dff05ab856"]);
  });

  it("are of every kind, each with a name of its own, and kinds alternate", () => {
    const set = attackSet();
    expect(new Set(set.map(({ id }) => id)).size).toBe(set.length);
    expect(new Set(set.map(({ kind }) => kind))).toEqual(new Set(ATTACK_KINDS));
    for (let i = 0; i + 8 <= set.length; i += 8) {
      expect(new Set(set.slice(i, i + 8).map(({ kind }) => kind)).size).toBeGreaterThan(2);
    }
  });

  it("are none of the samples that the rules were written by", () => {
    const samples = new Set(RULES.flatMap(({ fires }) => fires));
    const payloads = [...Object.values(VALUES).flat(), ...HEADERS.map(([, value]) => value)];
    expect(payloads.filter((payload) => samples.has(payload))).toEqual([]);
  });

  it("leave the honest request as it was, and make another one of it every time", () => {
    for (const carrier of CARRIERS) {
      const before = JSON.stringify(carrier);
      for (const { id, apply } of attackSet()) {
        expect(JSON.stringify(apply(carrier)), id).not.toBe(before);
      }
      expect(JSON.stringify(carrier)).toBe(before);
    }
  });

  it("stand in values of bodies, of queries and of paths, and bring a parameter where there is none", () => {
    expect(targetsOf(CARRIERS[0] as InspectedRequest)).toEqual([
      { at: "query", name: "after" },
      { at: "query", name: "limit" },
      { at: "segment", index: 3 },
    ]);
    expect(targetsOf(CARRIERS[1] as InspectedRequest)).toEqual([{ at: "query", name: "q" }]);
    const leaves = targetsOf(CARRIERS[2] as InspectedRequest);
    expect(leaves).toEqual(
      [["text"], ["at"], ["tags", 0], ["tags", 1], ["by", "handle"]].map((path) => ({ at: "json", path })),
    );
    const changed = withValue(
      CARRIERS[2] as InspectedRequest,
      leaves[4] as (typeof leaves)[number],
      () => "x",
    );
    expect(JSON.parse(changed.b as string)).toMatchObject({ at: 17, by: { handle: "x" } });
    const hostile = { m: "POST", u: "/v1/x", b: '{"__proto__":{"a":"b"},"c":"d"}' };
    const [inProto] = targetsOf(hostile);
    expect(withValue(hostile, inProto as (typeof leaves)[number], () => "e").b).toBe(
      '{"__proto__":{"a":"e"},"c":"d"}',
    );
    expect(({} as { a?: string }).a).toBeUndefined();
  });

  it("are judged whatever they are put into: deep, long, broken", () => {
    const odd: InspectedRequest[] = [
      { m: "GET", u: "/" },
      { m: "GET", u: "" },
      { m: "POST", u: "/v1/x?", b: "{", headers: {} },
      { m: "POST", u: "/v1/x?a=%zz&&=", b: "null" },
      { m: "POST", u: "/v1/x", b: `${"[".repeat(60)}1${"]".repeat(60)}` },
      {
        m: "POST",
        u: "/v1/x",
        b: JSON.stringify(Object.fromEntries(Array.from({ length: 900 }, (_, i) => [i, `${i}`]))),
      },
    ];
    const detector = createDetector();
    for (const carrier of odd) {
      for (const { apply } of attackSet().slice(0, 60)) {
        expect(detector.judge(apply(carrier)).score).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it("are neither all found nor all missed, and a model finds more: a set of shouting attacks alone would flatter", () => {
    const id = (i: number) => ((i * 2_654_435_761) >>> 0).toString(16).padStart(8, "0").repeat(4);
    const json = { ...HEADER, "content-type": "application/json" };
    /** A read, a sealed upload, a note. */
    const honest = (i: number): InspectedRequest => {
      const text = `Patient ${i} seen; pulse ${60 + (i % 40)}, resting.`;
      const note = JSON.stringify({ author: `dr-heron-${i % 5}`, region: "medical", text });
      return [
        { m: "GET", u: `/v1/streams/${id(i)}/batches?after=${i}&limit=100`, headers: HEADER },
        { m: "POST", u: "/v1/batches", headers: { ...HEADER, "content-type": "application/octet-stream" } },
        { m: "POST", u: "/v1/notes", b: note, headers: json },
      ][i % 3] as InspectedRequest;
    };
    const trainer = createTrainer();
    for (let i = 0; i < 600; i++) {
      trainer.add(honest(i));
    }
    const found = (detector: Detector) =>
      attackSet().filter(({ apply }, i) => detector.judge(apply(honest(1000 + i))).alarm).length;
    const wrong = (detector: Detector) =>
      Array.from({ length: 1000 }, (_, i) => detector.judge(honest(2000 + i)).alarm).filter(Boolean).length;
    const [rules, model] = [createDetector(), createDetector({ model: trainer.finish() })];
    // docs/IDS-LIVE.md names these numbers.
    expect([found(rules), wrong(rules)]).toEqual([FOUND_BY_RULES, 0]);
    expect([found(model), wrong(model)]).toEqual([FOUND_BY_MODEL, 0]);
  });
});
