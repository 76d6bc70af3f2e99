import { describe, expect, it } from "vitest";
import { type Attack, attackSet } from "../../../../host/ids/attacks/index.ts";
import { ALARM_AT, type Detector, type Verdict } from "../../../../host/ids/detector.ts";
import { BINS, binnedRoc, binOf } from "../../../../host/ids/evaluation/binned.ts";
import { areaUnderCurve, createDetector, type InspectedRequest } from "../../../../host/ids/index.ts";
import { createSelfTest } from "../../../../host/ids/live/self-test.ts";
import { wilsonShare } from "../../../../host/statistics/index.ts";
import { createTestClock } from "../../../support/system.ts";

const SECRET = "Ada Quillfeather has a pulse of 61";
const HONEST: InspectedRequest = {
  ...{ m: "POST", u: "/v1/notes?after=7", headers: { "content-type": "application/json" } },
  b: JSON.stringify({ text: SECRET }),
};
const attacks = (number: number): Attack[] => attackSet().slice(0, number);

/** A detector that says of attacks what it is told to, and of the honest request nothing. */
function detectorOf(score: (request: InspectedRequest) => number): Detector & { judged: number } {
  const detector = {
    judged: 0,
    rulesHash: "",
    judge(request: InspectedRequest): Verdict {
      detector.judged++;
      const belief = score(request);
      return { score: belief, alarm: belief >= ALARM_AT, hits: [] };
    },
    judgeParsed: (): Verdict => ({ score: 0, alarm: false, hits: [] }),
  };
  return detector;
}

function testOf(detector: Detector, options: { attacks?: Attack[]; model?: boolean } = {}) {
  const clock = createTestClock();
  const works: (() => void)[] = [];
  const test = createSelfTest({
    ...{ detector, clock, later: (work: () => void) => void works.push(work) },
    ...(options.attacks === undefined ? {} : { attacks: options.attacks }),
  });
  /** One honest request, and what waits until it is out of the way. */
  const take = (score: number | null = 0, request = HONEST, route = "/v1/notes") => {
    test.took(() => request, route, score);
    const due = works.splice(0);
    for (const work of due) {
      work();
    }
    return due.length;
  };
  return { test, clock, take, works };
}

describe("the interval of a share", () => {
  it("is Wilson's: never empty, never beyond 0 and 1, and everything where nothing was counted", () => {
    // Values of Newcombe, Statistics in Medicine 17 (1998), table I.
    expect(wilsonShare(81, 263).low).toBeCloseTo(0.2553, 4);
    expect(wilsonShare(81, 263).high).toBeCloseTo(0.3662, 4);
    expect(wilsonShare(15, 148).low).toBeCloseTo(0.0624, 4);
    expect(wilsonShare(15, 148).high).toBeCloseTo(0.1605, 4);
    expect(wilsonShare(0, 20)).toMatchObject({ value: 0, low: 0 });
    expect(wilsonShare(0, 20).high).toBeCloseTo(0.1611, 4);
    expect(wilsonShare(29, 29)).toMatchObject({ value: 1, high: 1 });
    expect(wilsonShare(29, 29).low).toBeCloseTo(0.883, 4);
    expect(wilsonShare(0, 0)).toEqual({ value: 0, low: 0, high: 1 });
  });
});

describe("a curve of counts", () => {
  it("divides exactly where alarms begin", () => {
    expect(binOf(0.5) - binOf(0.5 - 1e-9)).toBe(1);
    expect([binOf(0), binOf(1), binOf(-1), binOf(2)]).toEqual([0, BINS - 1, 0, BINS - 1]);
  });

  it("has the area that the single scores have, up to a tenth of log-odds", () => {
    const judged = Array.from({ length: 400 }, (_, i) => ({
      attack: i % 4 === 0,
      score: 1 / (1 + Math.exp(-((i * 7919) % 83) / 10 + (i % 4 === 0 ? 2 : 6))),
    }));
    const count = (attack: boolean) => {
      const bins = new Array<number>(BINS).fill(0);
      for (const one of judged.filter((each) => each.attack === attack)) {
        const bin = binOf(one.score);
        bins[bin] = (bins[bin] as number) + 1;
      }
      return bins;
    };
    const { auc, points, operatingPoint } = binnedRoc(count(false), count(true), ALARM_AT);
    expect(auc).toBeCloseTo(areaUnderCurve(judged), 1);
    expect(points.at(-1)).toMatchObject({ falseAlarm: { value: 1 }, detection: { value: 1 } });
    for (const [i, { falseAlarm, detection }] of points.entries()) {
      const before = points[i - 1];
      expect(falseAlarm.value).toBeGreaterThanOrEqual(before?.falseAlarm.value ?? 0);
      expect(detection.value).toBeGreaterThanOrEqual(before?.detection.value ?? 0);
    }
    const alarmed = judged.filter(({ attack, score }) => !attack && score >= ALARM_AT).length;
    expect(operatingPoint.falseAlarm.value).toBe(alarmed / 300);
  });

  it("says nothing of an area where one of the two is missing", () => {
    const none = new Array<number>(BINS).fill(0);
    expect(binnedRoc(none, none, ALARM_AT)).toMatchObject({ auc: null, points: [] });
    const one = none.map((_, bin) => (bin === 3 ? 1 : 0));
    expect(binnedRoc(one, none, ALARM_AT).auc).toBeNull();
    expect(binnedRoc(none, one, ALARM_AT).operatingPoint.falseAlarm).toEqual({ value: 0, low: 0, high: 1 });
  });
});

describe("what a running detector is measured on", () => {
  it("keeps no word of any request: counts, scores and routes of ours", () => {
    const { test, take } = testOf(createDetector());
    for (let i = 0; i < 60; i++) {
      take(0.01);
    }
    const kept = JSON.stringify([test.report(), test.counts()]);
    expect(test.report().attacks.judged).toBe(attackSet().length);
    for (const word of ["Quillfeather", "pulse", "after", "text", "notes"]) {
      expect(kept).not.toContain(word);
    }
  });

  it("puts no attack into a request that somebody stuffed, so that it would stand beyond what is looked at", () => {
    const { test, take } = testOf(createDetector());
    const stuffed = {
      ...HONEST,
      u: `/v1/notes?${Array.from({ length: 600 }, (_, i) => `a${i}=1`).join("&")}`,
    };
    for (let i = 0; i < 60; i++) {
      take(0.01, stuffed);
    }
    expect(test.report().attacks.judged).toBe(0);
    take(0.01);
    expect(test.report().attacks.judged).toBeGreaterThan(0);
  });

  it("cannot be made to do more than a few judgements a request, nor to begin again and again", () => {
    const detector = detectorOf(() => 0.9);
    const { test, clock, take } = testOf(detector, { attacks: attacks(10) });
    const most: number[] = [];
    for (let i = 0; i < 200; i++) {
      const before = detector.judged;
      take(0.01);
      most.push(detector.judged - before);
    }
    expect(Math.max(...most)).toBe(4);
    expect(detector.judged).toBe(12);
    expect(test.report().benign.requests).toBe(200);
    clock.advance(60_000);
    take(0.01);
    take(0.01);
    expect(detector.judged).toBe(16);
    // Each attack counts once, however often it was judged.
    expect(test.report().attacks).toMatchObject({ of: 10, judged: 10 });
  });

  it("without a model judges a request now and then, not each of a flood", () => {
    const detector = detectorOf(() => 0.1);
    const { test, clock, take } = testOf(detector, { attacks: [] });
    for (let i = 0; i < 100; i++) {
      take(null);
    }
    expect(test.report().benign.requests).toBe(1);
    clock.advance(250);
    take(null);
    expect([test.report().benign.requests, detector.judged]).toEqual([2, 2]);
  });

  it("waits with all judging until the request is out of the way", () => {
    const detector = detectorOf(() => 0.9);
    const { test, works } = testOf(detector, { attacks: attacks(20) });
    for (let i = 0; i < 9; i++) {
      test.took(() => HONEST, "/v1/notes", 0.01);
    }
    expect([detector.judged, works.length]).toEqual([0, 1]);
  });

  it("counts an honest request that alarms as a false alarm, and puts no attack upon it", () => {
    const detector = detectorOf(() => 0.99);
    const { test, take } = testOf(detector, { attacks: attacks(8) });
    take(0.7);
    take(0.7);
    expect(test.report().attacks.judged).toBe(0);
    take(0.01);
    take(0.01);
    const report = test.report();
    expect(report.operatingPoint.falseAlarm.value).toBe(0.5);
    expect(report.operatingPoint.falseAlarm).toEqual(wilsonShare(2, 4));
    expect(report.operatingPoint.detection).toEqual(wilsonShare(8, 8));
    expect(report.attacks).toMatchObject({ judged: 8, carriers: 1 });
  });

  it("goes on after one attack broke the detector", () => {
    let broken = true;
    const detector = detectorOf(() => {
      if (broken) {
        broken = false;
        throw new Error("no");
      }
      return 0.9;
    });
    const { test, take, clock } = testOf(detector, { attacks: attacks(4) });
    expect(() => take(0.01)).toThrow("no");
    clock.advance(60_000);
    take(0.01);
    expect(test.report().attacks.judged).toBeGreaterThan(0);
  });

  it("begins where it was before a restart, if that is what it was", () => {
    const first = testOf(detectorOf(() => 0.9));
    first.take(0.2);
    const kept = first.test.counts();
    const again = createSelfTest({ detector: createDetector(), clock: first.clock, later: () => {}, kept });
    expect(again.report().benign).toEqual({ requests: 1, since: kept.since });
  });
});
