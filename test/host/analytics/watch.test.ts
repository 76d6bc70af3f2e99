import { describe, expect, it } from "vitest";
import { createWatch, type Finding, type WatchKind } from "../../../host/analytics/index.ts";
import { createRandom } from "../../../host/base/index.ts";
import type { Quantity, ReadingColumn } from "../../../host/sealing/index.ts";
import { createPhysiology } from "../../../host/wearable/index.ts";

const START = Date.UTC(2026, 0, 5, 8);
const MINUTE = 60_000;
const column = (quantity: Quantity, minute: number, ...values: (number | null)[]): ReadingColumn => ({
  quantity,
  times: values.map((_, i) => START + minute * MINUTE + i * 1000),
  values,
});
const of = (findings: readonly Finding[], kind: WatchKind) =>
  findings.find((finding) => finding.kind === kind);

describe("watching a patient", () => {
  it("tells the level of the score, and that it is well again", () => {
    const watch = createWatch();
    const ill = [
      column("heartRate", 0, 135),
      column("oxygenSaturation", 0, 90),
      column("respiratoryRate", 0, 26),
    ];
    expect(of(watch.observe(ill), "news2")).toMatchObject({
      level: "emergency",
      reason: expect.stringContaining("NEWS2 ≥ 9"),
    });
    const better = [
      column("heartRate", 1, 75),
      column("oxygenSaturation", 1, 97),
      column("respiratoryRate", 1, 14),
    ];
    expect(of(watch.observe(better), "news2")).toMatchObject({ level: null });
  });

  it("is quiet about a healthy day", () => {
    const physiology = createPhysiology({ seed: 4, startTime: START, profile: { minutesBetweenWalks: 1e9 } });
    const watch = createWatch();
    const loud: Finding[] = [];
    for (let minute = 0; minute < 400; minute++) {
      loud.push(...watch.observe(physiology.nextBatch(60)).filter(({ level }) => level !== null));
    }
    expect(loud).toEqual([]);
  });

  it("finds a departure from what is usual long before any score does", () => {
    const random = createRandom(1, 1);
    const watch = createWatch();
    const seen: number[] = [];
    for (let minute = 0; minute < 300; minute++) {
      // A young woman's 55 becomes 84: still no point in NEWS2.
      const rate = 55 + random.normal() * 2 + (minute >= 200 ? 29 : 0);
      const findings = watch.observe([column("heartRate", minute, Math.round(rate))]);
      expect(of(findings, "news2")?.level ?? null).toBeNull();
      if (of(findings, "deviation")?.level === "attention") {
        seen.push(minute);
      }
    }
    expect(seen[0]).toBeGreaterThanOrEqual(200);
    expect(seen[0]).toBeLessThan(210);
  });

  it("tells where a trend leads before the score is there", () => {
    const watch = createWatch();
    const findings: (Finding & { minute: number })[] = [];
    for (let minute = 0; minute < 240; minute++) {
      const batch = [
        column("heartRate", minute, Math.round(80 + minute / 6)),
        column("respiratoryRate", minute, Math.round(14 + minute / 30)),
        column("systolicPressure", minute, Math.round(130 - minute / 8)),
      ];
      findings.push(...watch.observe(batch).map((finding) => ({ ...finding, minute })));
    }
    const trend = findings.find(({ kind, level }) => kind === "trend" && level !== null);
    const score = findings.find(({ kind, level }) => kind === "news2" && level === "urgent");
    expect(trend?.minute).toBeLessThan((score?.minute ?? 240) - 30);
    expect(trend?.reason).toMatch(/Heart rate \+\d+ an hour/);
  });

  it("takes an artefact for what it is, and a bad signal for silence", () => {
    const watch = createWatch();
    for (let minute = 0; minute < 60; minute++) {
      const beats = Array.from({ length: 60 }, (_, i) => 70 + (i % 3));
      watch.observe([column("heartRate", minute, ...(minute % 5 === 0 ? beats.with(30, 220) : beats))]);
    }
    expect(of(watch.observe([column("heartRate", 60, 71, 72)]), "deviation")).toMatchObject({ level: null });
    const heard = START + 60 * MINUTE;
    expect(watch.silence(heard + 4 * MINUTE).level).toBeNull();
    for (let minute = 61; minute < 66; minute++) {
      watch.observe([column("heartRate", minute, ...Array<number>(60).fill(5))]);
    }
    expect(watch.silence(heard + 6 * MINUTE)).toMatchObject({
      level: "attention",
      reason: expect.stringContaining("Heart rate: nothing for 5 minutes"),
    });
  });

  it("tells nothing of the score from an empty batch", () => {
    expect(createWatch().observe([])).toEqual([]);
  });
});
