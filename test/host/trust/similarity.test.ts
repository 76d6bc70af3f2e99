import { ristretto255 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, concatBytes, randomBytes, toHex, utf8 } from "../../../host/base/index.ts";
import { answerSimilarity, askSimilarity, confirmedCode } from "../../../host/trust/index.ts";
import {
  MESSAGE,
  type MessageName,
  messageBytes,
  SET_SIZE,
} from "../../../host/trust/similarity-messages.ts";
import { codeOf, flipped } from "../sealing/fixtures.ts";

const HEADER = 23;
const POINT = 32;
const DIABETES = ["44054006", "38341003", "13645005"];
const ASTHMA = ["195967001", "38341003"];

const pointAt = (message: Bytes, i: number) => message.slice(HEADER + i * POINT, HEADER + (i + 1) * POINT);
function withPoint(message: Bytes, i: number, point: Uint8Array): Bytes {
  const copy = new Uint8Array(message);
  copy.set(point, HEADER + i * POINT);
  return copy;
}
const invalid = (action: () => unknown) => expect(codeOf(action)).toBe("SIMILARITY_MESSAGE_INVALID");

function run(a: readonly string[], b: readonly string[]) {
  const asker = askSimilarity(a);
  const answerer = answerSimilarity(b, asker.request);
  const { overlap, confirmation } = asker.receive(answerer.reply);
  return { mine: overlap, theirs: answerer.receive(confirmation) };
}

describe("private similarity", () => {
  it("tells both how much they share", () => {
    const { mine, theirs } = run(DIABETES, ASTHMA);
    expect(mine).toEqual({ common: 1, mine: 3, theirs: 2, jaccard: 1 / 4 });
    expect(theirs).toEqual({ common: 1, mine: 2, theirs: 3, jaccard: 1 / 4 });
  });

  it("is the Jaccard index of any two sets", () => {
    const codes = fc.uniqueArray(fc.constantFrom("A", "B", "C", "D", "E", "F", "G", "H"), { minLength: 1 });
    fc.assert(
      fc.property(codes, codes, (a, b) => {
        const common = a.filter((code) => b.includes(code)).length;
        const { mine, theirs } = run(a, b);
        expect(mine).toEqual({
          common,
          mine: a.length,
          theirs: b.length,
          jaccard: common / new Set([...a, ...b]).size,
        });
        expect(theirs).toEqual({ ...mine, mine: b.length, theirs: a.length });
      }),
      { numRuns: 6, endOnFailure: true },
    );
  }, 120_000);

  it("goes on in another process from the same seeds, with the very same messages", () => {
    const [askerSeed, answererSeed] = [randomBytes(32), randomBytes(32)];
    const first = askSimilarity(DIABETES, askerSeed);
    const again = askSimilarity(DIABETES, askerSeed);
    expect(toHex(again.request)).toBe(toHex(first.request));
    const { reply } = answerSimilarity(ASTHMA, first.request, answererSeed);
    const answerer = answerSimilarity(ASTHMA, first.request, answererSeed);
    expect(toHex(answerer.reply)).toBe(toHex(reply));
    const { overlap, confirmation } = again.receive(reply);
    expect(toHex(first.receive(reply).confirmation)).toBe(toHex(confirmation));
    expect(overlap.common).toBe(1);
    expect(answerer.receive(confirmation)).toEqual({ ...overlap, mine: 2, theirs: 3 });
    // Without a seed nothing is the same twice, and two seeds have nothing in common.
    const points = [askSimilarity(DIABETES), askSimilarity(DIABETES, randomBytes(32)), first].flatMap(
      ({ request }) => Array.from({ length: SET_SIZE }, (_, i) => toHex(pointAt(request, i))),
    );
    expect(new Set(points).size).toBe(3 * SET_SIZE);
  });

  it("takes a full set", () => {
    const full = Array.from({ length: SET_SIZE }, (_, i) => `code ${i}`);
    expect(run(full, full).theirs.jaccard).toBe(1);
  });

  it("sends messages of one length, never twice the same, and no code in them", () => {
    const one = askSimilarity(DIABETES);
    const two = askSimilarity(["E11.9"]);
    expect([one.request.length, messageBytes("reply"), messageBytes("confirmation")]).toEqual([
      1047, 3095, 2071,
    ]);
    expect(two.request.length).toBe(one.request.length);
    const points = (message: Bytes) => Array.from({ length: SET_SIZE }, (_, i) => toHex(pointAt(message, i)));
    const again = askSimilarity(DIABETES);
    expect(points(one.request).filter((point) => points(again.request).includes(point))).toEqual([]);
    const answerer = answerSimilarity(DIABETES, one.request);
    // Nobody could line up the reply's lists with the request, or the two lists of one set with each other.
    const reply = Array.from({ length: 3 * SET_SIZE }, (_, i) => toHex(pointAt(answerer.reply, i)));
    expect(new Set([...reply, ...points(one.request)]).size).toBe(4 * SET_SIZE);
  });

  it("shuffles: a set's only code is found in many places", () => {
    const asker = askSimilarity(["A"]);
    const raised = () => answerSimilarity(["A"], asker.request).reply;
    // Powers of a point keep their relation under the other's key: send P and P^2 in the first two places and see
    // where they come out. (This is also how a cheat tells which of its own points matched.)
    const point = ristretto255.Point.fromBytes(pointAt(asker.request, 0));
    const request = withPoint(asker.request, 1, point.multiply(2n).toBytes());
    const places = Array.from({ length: 6 }, () => {
      const { reply } = answerSimilarity(["A"], request);
      const points = Array.from({ length: SET_SIZE }, (_, i) =>
        ristretto255.Point.fromBytes(pointAt(reply, i)),
      );
      return points.findIndex((one) => points.some((other) => other.equals(one.multiply(2n))));
    });
    expect(places).not.toContain(-1);
    expect(new Set(places).size).toBeGreaterThan(1);
    expect(raised()).not.toEqual(raised());
  });

  it("keeps dummies apart from codes and from each other's", () => {
    expect(run(["A"], ["B"]).mine.common).toBe(0);
  });

  it("compares confirmed codes, which nobody makes without the community's key", () => {
    const key = randomBytes(32);
    const [mine, guess] = [confirmedCode(key, "44054006"), confirmedCode(randomBytes(32), "44054006")];
    expect(mine).toMatch(/^[0-9a-f]{64}$/);
    expect(mine).toBe(confirmedCode(key, "44054006"));
    expect(run([mine], [confirmedCode(key, "44054006")]).mine.common).toBe(1);
    expect(run([mine], [guess]).mine.common).toBe(0);
  });

  it("refuses sets that are empty, too large, or hold a code twice", () => {
    const many = Array.from({ length: SET_SIZE + 1 }, (_, i) => `code ${i}`);
    for (const set of [[], many, ["A", "A"], [""], ["x".repeat(129)]]) {
      expect(codeOf(() => askSimilarity(set))).toBe("SIMILARITY_SET_INVALID");
    }
  });
});

describe("a dishonest partner", () => {
  const asker = askSimilarity(DIABETES);
  const answerer = answerSimilarity(ASTHMA, asker.request);
  const { confirmation } = asker.receive(answerer.reply);

  it("is refused with the identity, and with what is no point", () => {
    const identity = ristretto255.Point.ZERO.toBytes();
    // Not below the field's prime; negative; and not on the curve (RFC 9496, appendix A.2).
    const noPoints = [
      new Uint8Array(32).fill(0xff),
      Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0)),
      flipped(pointAt(asker.request, 0), 31, 7),
    ];
    for (const bad of [identity, ...noPoints]) {
      invalid(() => answerSimilarity(ASTHMA, withPoint(asker.request, 5, bad)));
      for (const list of [0, 1, 2]) {
        invalid(() => askAgain(withPoint(answerer.reply, list * SET_SIZE + 3, bad)));
      }
      for (const list of [0, 1]) {
        invalid(() => answerer.receive(withPoint(confirmation, list * SET_SIZE + 3, bad)));
      }
    }
  });

  /** The reply to another asker's run is refused for its run already: make one that fits. */
  function askAgain(reply: Bytes) {
    const fresh = askSimilarity(DIABETES);
    const fitting = new Uint8Array(reply);
    fitting.set(fresh.request.subarray(6, 22), 6);
    return fresh.receive(fitting);
  }

  it("is refused with a point twice, so that one match cannot be counted twice", () => {
    const doubled = (message: Bytes) => withPoint(message, 1, pointAt(message, 0));
    invalid(() => answerSimilarity(ASTHMA, doubled(asker.request)));
    invalid(() => askAgain(doubled(answerer.reply)));
    invalid(() => answerer.receive(doubled(confirmation)));
  });

  it("is refused with another length, version, type, run or size", () => {
    const message = asker.request;
    invalid(() => answerSimilarity(ASTHMA, message.slice(0, -1)));
    invalid(() => answerSimilarity(ASTHMA, concatBytes(message, Uint8Array.of(0))));
    invalid(() => answerSimilarity(ASTHMA, new Uint8Array(0)));
    for (const at of [0, 4, 5]) {
      invalid(() => answerSimilarity(ASTHMA, flipped(message, at)));
    }
    for (const size of [0, SET_SIZE + 1, 255]) {
      const sized = new Uint8Array(message);
      sized[22] = size;
      invalid(() => answerSimilarity(ASTHMA, sized));
    }
    invalid(() => answerer.receive(flipped(confirmation, 6)));
    invalid(() => answerer.receive(flipped(confirmation, 22)));
    for (const name of Object.keys(MESSAGE) as MessageName[]) {
      invalid(() => answerer.receive(new Uint8Array(messageBytes(name))));
    }
  });

  it("cannot have more in common than it says to have", () => {
    const codes = ["A", "B", "C"];
    const other = askSimilarity(codes);
    const reply = answerSimilarity(codes, other.request).reply;
    const lying = new Uint8Array(reply);
    lying[22] = 2;
    invalid(() => other.receive(lying));
  });

  it("who sends the other's values back as its own is found to share nothing", () => {
    // With one key for both directions, sending the first list back with the second makes an overlap of everything.
    const list = SET_SIZE * POINT;
    for (const [first, second] of [
      [0, 1],
      [1, 0],
      [2, 1],
      [0, 2],
      [2, 2],
    ] as const) {
      const victim = answerSimilarity(["A", "B"], askSimilarity(["A", "B"]).request);
      const lists = [0, 1, 2].map((i) => victim.reply.slice(HEADER + i * list, HEADER + (i + 1) * list)) as [
        Bytes,
        Bytes,
        Bytes,
      ];
      const header = concatBytes(
        utf8("MCLS"),
        Uint8Array.of(1, 3),
        victim.reply.slice(6, 22),
        Uint8Array.of(0),
      );
      expect(victim.receive(concatBytes(header, lists[first], lists[second])).common).toBe(0);
    }
  });

  it("gets one answer a run", () => {
    const once = askSimilarity(ASTHMA);
    const other = answerSimilarity(ASTHMA, once.request);
    const { confirmation: last } = once.receive(other.reply);
    invalid(() => once.receive(other.reply));
    other.receive(last);
    invalid(() => other.receive(last));
  });
});
