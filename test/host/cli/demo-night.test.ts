import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { CLI } from "../../support/processes.ts";

const run = promisify(execFile);

describe("medcloudlet demo --night", () => {
  it("tells the night in order, and each number is one that was counted", async () => {
    const { stdout } = await run(process.execPath, [CLI, "demo", "--night", "--free-ports", "--json"], {
      env: { PATH: process.env.PATH ?? "" },
    });
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const told = (event: string) => lines.find((line) => line.event === event);
    const chapters = [
      "alert",
      "alerted",
      "overtook",
      "requested",
      "read",
      "ended",
      "log",
      "linked",
      "stopped",
    ];
    const order = lines.map(({ event }) => String(event)).filter((event) => chapters.includes(event));
    expect([...new Set(order)]).toEqual(chapters);

    // It began well, and the alert is of a report that called.
    const opened = lines.filter(({ event }) => event === "opened");
    expect(opened[0]).toMatchObject({ priority: "regular" });
    const sequence = told("alerted")?.sequence;
    expect(opened.find((line) => line.sequence === sequence)).toMatchObject({ priority: "emergency" });
    expect(told("alerted")?.secondsFromReadingToAlert).toBeGreaterThan(0);

    expect(told("overtook")).toMatchObject({ handedInAs: 41 });
    // Eight are forwarded at a time, and eight may have been on their way before.
    expect(told("overtook")?.arrivedAs).toBeLessThanOrEqual(16);
    expect(told("shared")).toMatchObject({ streams: 0 });
    expect(told("read")?.batches).toBe(opened.length + 40);
    expect(told("ended")).toMatchObject({ refusal: "EMERGENCY_ENDED" });
    const log = told("log")?.entries as { action: string; code: string | null }[];
    expect(log.map(({ action, code }) => [action, code])).toEqual([
      ["emergency.request", null],
      ["emergency.fetch-share", null],
      ["emergency.approve", null],
      ["emergency.fetch-share", null],
      ["emergency.approve", null],
      ["emergency.release", null],
      ["ticket.read", null],
      ["emergency.end", null],
      ["emergency.release", "EMERGENCY_ENDED"],
    ]);
    const linked = told("linked");
    expect(linked).toMatchObject({ herRecordOpened: false, sepsis: 0, alone: 8 });
    expect(linked?.rowsLeast).toBeGreaterThanOrEqual(3);
    expect(linked?.diagnosesLeast).toBeGreaterThanOrEqual(2);
  }, 150_000);

  it("keeps no folder", async () => {
    await expect(run(process.execPath, [CLI, "demo", "--night", "--data", "x", "--json"])).rejects.toThrow(
      /leave --data out/,
    );
  }, 30_000);
});
