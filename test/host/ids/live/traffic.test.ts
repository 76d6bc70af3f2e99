import { describe, expect, it } from "vitest";
import { createTraffic, outcomeOf } from "../../../../host/ids/live/traffic.ts";

/** A clock that stands until it is set. */
function clockAt(start: number) {
  let now = start;
  return {
    now: () => now,
    set(to: number) {
      now = to;
    },
  };
}
const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 10, 23, 9, 0, 30);

describe("requests by the minute", () => {
  it("stand in the minute and the quarter of an hour in which they were answered, by what became of them", () => {
    const clock = clockAt(START);
    const traffic = createTraffic({ clock, counting: true });
    traffic.count("answered");
    traffic.count("held");
    clock.set(START + MINUTE_MS);
    traffic.count("refused");
    traffic.count("failed");
    traffic.count("failed");
    const { hour, day, since } = traffic.report();
    expect(since).toBe(START);
    expect(hour.counts).toHaveLength(60);
    expect(hour.counts.slice(-2)).toEqual([
      [1, 0, 1, 0],
      [0, 1, 0, 2],
    ]);
    expect(hour.newestAt).toBe(Date.UTC(2026, 10, 23, 9, 1));
    expect(day.counts).toHaveLength(96);
    expect(day.counts.at(-1)).toEqual([1, 1, 1, 2]);
  });

  it("forget what is older than an hour and a day, and take no more room for it", () => {
    const clock = clockAt(START);
    const traffic = createTraffic({ clock, counting: true });
    for (let minute = 0; minute < 3000; minute++) {
      clock.set(START + minute * MINUTE_MS);
      traffic.count("answered");
    }
    const { hour, day } = traffic.report();
    expect(hour.counts.every(([answered]) => answered === 1)).toBe(true);
    expect(day.counts.slice(0, -1).every(([answered]) => answered === 15)).toBe(true);
    clock.set(START + 3000 * MINUTE_MS + 3_600_000);
    expect(
      traffic
        .report()
        .hour.counts.flat()
        .every((count) => count === 0),
    ).toBe(true);
    clock.set(START + 10_000 * MINUTE_MS);
    expect(JSON.stringify(traffic.report()).length).toBeLessThan(3000);
  });

  it("stand a clock that is set back", () => {
    const clock = clockAt(START);
    const traffic = createTraffic({ clock, counting: true });
    traffic.count("answered");
    clock.set(START - 60 * MINUTE_MS);
    traffic.count("answered");
    expect(traffic.report().hour.counts.at(-1)).toEqual([1, 0, 0, 0]);
  });

  it("say that nothing was counted where the detection is off", () => {
    expect(createTraffic({ clock: clockAt(START), counting: false }).report().since).toBeNull();
  });

  it("tell what was held back from what was refused", () => {
    expect([200, 302, 404, 429, 503].map((status) => outcomeOf(status, false))).toEqual([
      "answered",
      "answered",
      "refused",
      "refused",
      "failed",
    ]);
    expect(outcomeOf(429, true)).toBe("held");
  });
});
