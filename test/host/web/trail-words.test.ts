import { describe, expect, it } from "vitest";
import { linesOf } from "../../../host/web/patient/trail-words.ts";
import type { TrailEntry } from "../../../host/web/worker/patient/questions.ts";

const MINUTE_MS = 60_000;
const NOW = 1_800_000_000_000;
/** Entries, the newest first: minutes ago, what, who. */
const entries = (...said: (readonly [number, string, string?, boolean?])[]): TrailEntry[] =>
  said.map(([minutesAgo, action, name = "dr-heron", grave = false], i) => ({
    ...{ sequence: 1000 - i, at: NOW - minutesAgo * MINUTE_MS, by: "other", name, role: "doctor", action },
    ...{ region: "medical", code: null, reason: null, grave },
  }));
const shapeOf = (said: TrailEntry[]) =>
  linesOf(said).map(({ entry, all }) => [entry.action, entry.name, all.length]);

describe("the lines of who read my record", () => {
  it("are one for what one person did within an hour, also with something else in between", () => {
    const said = entries(
      [0, "ticket.read"],
      [5, "grants.fetch"],
      [5, "ticket.read", "dr-crane"],
      [10, "ticket.read"],
      [60, "ticket.read"],
      [61, "ticket.write"],
      [62, "ticket.read"],
    );
    expect(shapeOf(said)).toEqual([
      ["ticket.read", "dr-heron", 3],
      ["grants.fetch", "dr-heron", 1],
      ["ticket.read", "dr-crane", 1],
      ["ticket.write", "dr-heron", 1],
      ["ticket.read", "dr-heron", 1],
    ]);
    expect(linesOf(said).flatMap(({ all }) => all).length).toBe(said.length);
  });

  it("are one for neighbours that say the same all day, and each for itself in an emergency", () => {
    expect(shapeOf(entries([0, "ticket.read"], [90, "ticket.read"], [180, "ticket.read"]))).toEqual([
      ["ticket.read", "dr-heron", 3],
    ]);
    const grave = entries([0, "emergency.open", "dr-swift", true], [1, "emergency.open", "dr-swift", true]);
    expect(shapeOf(grave).length).toBe(2);
  });
});
