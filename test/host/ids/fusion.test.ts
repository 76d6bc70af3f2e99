import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bestNeeded,
  consult,
  correlationOf,
  createDraw,
  fuseScores,
  fuseVotes,
  howManyToAsk,
  logRatio,
  measureCorrelations,
  measureRates,
  type Outcome,
  type Rates,
  type Stakes,
  type Vote,
} from "../../../host/ids/index.ts";

const RATES: Rates = { detection: 0.8, falseAlarm: 0.05 };
const STAKES: Stakes = { prior: 0.02, missCost: 50, askCost: 0.01 };
const members = (count: number) => Array.from({ length: count }, () => RATES);
const short = (value: number, digits = 4) => value.toFixed(digits);

describe("how many to ask", () => {
  it.each([
    [1, "0.8000", "0.0500", "0.2590", 1, "0.8000", "0.0500", "0.2590"],
    [2, "0.9600", "0.0975", "0.1555", 1, "0.9600", "0.0975", "0.1555"],
    [3, "0.9920", "0.1426", "0.1778", 2, "0.8960", "0.0073", "0.1411"],
    [4, "0.9984", "0.1855", "0.2234", 2, "0.9728", "0.0140", "0.0809"],
    [5, "0.9997", "0.2262", "0.2720", 2, "0.9933", "0.0226", "0.0789"],
    [7, "1.0000", "0.3017", "0.3656", 3, "0.9953", "0.0038", "0.0784"],
    [8, "1.0000", "0.3366", "0.4099", 3, "0.9988", "0.0058", "0.0869"],
  ])("m=%i: OR and the best k of m as in the table", (m, orD, orF, orCost, k, d, f, cost) => {
    const or = consult(members(m), 1, STAKES);
    expect([short(or.detection), short(or.falseAlarm), short(or.cost)]).toEqual([orD, orF, orCost]);
    const best = bestNeeded(members(m), STAKES);
    expect([best.needed, short(best.detection), short(best.falseAlarm), short(best.cost)]).toEqual([
      k,
      d,
      f,
      cost,
    ]);
  });

  it("asks seven and waits for three", () => {
    const best = howManyToAsk(members(12), STAKES);
    expect([best.members, best.needed, short(best.cost)]).toEqual([7, 3, "0.0784"]);
  });

  it("finds that dependence makes asking worth less", () => {
    expect(short(consult(members(4), 2, STAKES, 0.2).cost)).toBe("0.1226");
    expect(short(consult(members(4), 2, STAKES, 0.5).cost)).toBe("0.1850");
  });

  it("asks nobody where nobody is", () => {
    expect(() => howManyToAsk([], STAKES)).toThrowError(expect.objectContaining({ code: "IDS_NOBODY" }));
  });
});

const vote = (i: number, alarm: boolean, more: Partial<Vote> = {}): Vote => ({
  member: `m${i}`,
  operator: `o${i}`,
  alarm,
  rates: RATES,
  trust: 1,
  ...more,
});

describe("one decision from many votes", () => {
  it("weighs a vote by its log-likelihood ratio", () => {
    expect(logRatio(true, RATES)).toBeCloseTo(Math.log(16), 12);
    expect(logRatio(false, RATES)).toBeCloseTo(Math.log(0.2 / 0.95), 12);
    expect(logRatio(true, { detection: 0.1, falseAlarm: 0.4 })).toBe(0);
    expect(Math.abs(logRatio(true, { detection: 1, falseAlarm: 0 }))).toBeLessThanOrEqual(6);
  });

  it("does not depend on the order of the votes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }),
        fc.infiniteStream(fc.nat()),
        (alarms, keys) => {
          const votes = alarms.map((alarm, i) => vote(i, alarm));
          const shuffled = votes
            .map((one) => ({ one, key: keys.next().value as number }))
            .sort((a, b) => a.key - b.key);
          expect(
            fuseVotes(
              shuffled.map(({ one }) => one),
              STAKES,
            ),
          ).toEqual(fuseVotes(votes, STAKES));
        },
      ),
    );
  });

  it("takes the machines of one operator for one voice", () => {
    const many = Array.from({ length: 20 }, (_, i) => vote(i, true, { operator: "one" }));
    const honest = [vote(50, false), vote(51, false)];
    expect(fuseVotes([...many, ...honest], STAKES).block).toBe(false);
    expect(fuseVotes(many, STAKES, { quorum: 2 }).block).toBe(false);
  });

  it("needs a quorum however sure one member is", () => {
    const sure = vote(0, true, { rates: { detection: 0.99, falseAlarm: 0.001 } });
    expect(
      fuseVotes([sure, vote(1, false, { rates: { detection: 0.1, falseAlarm: 0.05 } })], STAKES).block,
    ).toBe(false);
    expect(fuseVotes([sure, vote(1, true)], STAKES).block).toBe(true);
  });

  it("listens less to who is trusted less, and not at all to who is not", () => {
    const full = fuseVotes([vote(0, true), vote(1, true)], STAKES);
    const half = fuseVotes([vote(0, true, { trust: 0.5 }), vote(1, true)], STAKES);
    expect(half.logRatio).toBeCloseTo(0.75 * full.logRatio, 12);
    expect(fuseVotes([vote(0, true, { trust: 0 }), vote(1, true, { trust: 0 })], STAKES).block).toBe(false);
    expect(fuseVotes([], STAKES).block).toBe(false);
  });

  it("counts copies as little more than one", () => {
    const votes = [0, 1, 2].map((i) => vote(i, true));
    const alone = fuseVotes(votes, STAKES).logRatio;
    expect(fuseVotes(votes, STAKES, { correlation: () => 1 }).logRatio).toBeCloseTo(alone / 3, 12);
    expect(fuseVotes(votes, STAKES, { correlation: () => -1 }).logRatio).toBeCloseTo(alone, 12);
  });
});

describe("up to a third of liars", () => {
  const rates = fc.record({
    detection: fc.double({ min: 0.6, max: 0.99, noNaN: true }),
    falseAlarm: fc.double({ min: 0.001, max: 0.1, noNaN: true }),
  });
  const crowd = fc.integer({ min: 4, max: 16 }).chain((count) =>
    fc.record({
      count: fc.constant(count),
      liars: fc.integer({ min: 0, max: Math.floor((count - 1) / 3) }),
      // A liar may have earned any rates and full trust before.
      rates: fc.array(rates, { minLength: count, maxLength: count }),
      trust: fc.array(fc.double({ min: 0.5, max: 1, noNaN: true }), { minLength: count, maxLength: count }),
    }),
  );
  const votesOf = (
    honest: boolean,
    { count, liars, rates, trust }: { count: number; liars: number; rates: Rates[]; trust: number[] },
  ) =>
    Array.from({ length: count }, (_, i) =>
      vote(i, i < liars ? !honest : honest, {
        rates: rates[i] as Rates,
        trust: i < liars ? 1 : (trust[i] as number),
      }),
    );

  it("cannot block a client whom no honest member accuses", () => {
    fc.assert(
      fc.property(crowd, (one) => {
        expect(fuseVotes(votesOf(false, one), STAKES).block).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("cannot hide an attacker whom the honest members saw", () => {
    fc.assert(
      fc.property(crowd, (one) => {
        expect(fuseVotes(votesOf(true, one), STAKES).block).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("change little in a simulation with members who err", () => {
    const draw = createDraw(7);
    const run = (attack: boolean, lie: "alarm" | "silence" | "none") => {
      let blocked = 0;
      for (let round = 0; round < 2000; round++) {
        const votes = Array.from({ length: 10 }, (_, i) => {
          const honest = draw() < (attack ? RATES.detection : RATES.falseAlarm);
          return vote(i, i >= 3 || lie === "none" ? honest : lie === "alarm");
        });
        blocked += fuseVotes(votes, STAKES).block ? 1 : 0;
      }
      return blocked / 2000;
    };
    expect(run(false, "none")).toBeLessThan(0.005);
    expect(run(true, "none")).toBeGreaterThan(0.99);
    // Three of ten always alarm: the innocent are blocked where two honest ones err at once; OR would block them all.
    expect(run(false, "alarm")).toBeLessThan(0.06);
    expect(run(true, "silence")).toBeGreaterThan(0.8);
  });
});

describe("measuring members", () => {
  it("starts doubtful and follows the outcomes", () => {
    const before = measureRates([]);
    expect(before.detection).toBeCloseTo(2 / 3, 12);
    expect(before.falseAlarm).toBeCloseTo(0.05, 12);
    const outcomes: Outcome[] = Array.from({ length: 1000 }, (_, i) => ({
      attack: i % 2 === 0,
      alarm: i % 2 === 0 ? i % 20 !== 0 : i % 50 === 1,
    }));
    const after = measureRates(outcomes);
    expect(after.detection).toBeCloseTo(0.9, 1);
    expect(after.falseAlarm).toBeCloseTo(0.04, 1);
  });

  it("tells copying from agreeing on the truth", () => {
    const draw = createDraw(3);
    const make = (judge: (attack: boolean, i: number) => boolean) =>
      new Map(
        Array.from(
          { length: 600 },
          (_, i) => [String(i), { attack: i % 2 === 0, alarm: judge(i % 2 === 0, i) }] as const,
        ),
      );
    const verdict = (attack: boolean) => draw() < (attack ? 0.8 : 0.1);
    const one = make(verdict);
    const independent = make(verdict);
    const copy = make((_attack, i) => (one.get(String(i)) as Outcome).alarm);
    expect(Math.abs(correlationOf(one, independent))).toBeLessThan(0.15);
    expect(correlationOf(one, copy)).toBeGreaterThan(0.9);
    const few = new Map([...one].slice(0, 5));
    expect(correlationOf(few, copy)).toBeLessThan(0.25);
    const correlation = measureCorrelations(
      new Map([
        ["a", one],
        ["b", copy],
        ["c", independent],
      ]),
    );
    expect(correlation("b", "a")).toBe(correlation("a", "b"));
    expect(correlation("a", "unknown")).toBe(0);
  });

  it("fuses scores as weighted log-odds", () => {
    expect(fuseScores([0.9, 0.1])).toBeCloseTo(0.5, 12);
    expect(fuseScores([0.9, 0.1], [1, 0])).toBeCloseTo(0.9, 12);
    expect(fuseScores([0.7])).toBeCloseTo(0.7, 12);
    expect(fuseScores([], [])).toBe(0);
    expect(fuseScores([1, 0.5, 0.5])).toBeLessThan(0.99);
  });
});
