import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readVitalsCsv } from "../../../host/wearable/index.ts";
import { batchesOf, csvFile, START, samplesOf, temporaryFolder } from "./csv-files.ts";

let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const file = (...lines: string[]) => csvFile(folder, lines);

/** A full collection, so that what is left is what is held. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

describe("batches", () => {
  const rows = Array.from({ length: 150 }, (_, i) => `a,${i},${60 + (i % 9)},97`);

  it("span less than batchSeconds from their first sample", async () => {
    const batches = await batchesOf(await file("id,t,hr,spo2", ...rows), { batchSeconds: 60 });
    expect(batches.map(({ columns }) => columns[0]?.times.length)).toEqual([60, 60, 30]);
    expect(batches.map(({ columns }) => columns[1]?.times[0])).toEqual([
      START,
      START + 60_000,
      START + 120_000,
    ]);
  });

  it("hold at most batchSamples of one quantity", async () => {
    const batches = await batchesOf(await file("id,t,hr,spo2", ...rows), {
      batchSeconds: 3600,
      batchSamples: 40,
    });
    expect(batches.map(({ columns }) => columns.map(({ times }) => times.length))).toEqual([
      [40, 40],
      [40, 40],
      [40, 40],
      [30, 30],
    ]);
  });

  it("of interleaved patients are kept apart, even of a great many", async () => {
    const names = Array.from({ length: 200 }, (_, i) => `p${i}`);
    const interleaved = [0, 1, 2].flatMap((t) => names.map((name) => `${name},${t},${60 + t}`));
    const samples = await samplesOf(await file("id,t,hr", ...interleaved));
    for (const name of names) {
      const own = samples.filter(([patient]) => patient === name).map(([, , , value]) => value);
      expect(own).toEqual([60, 61, 62]);
    }
  });

  it("come as the file is read: stopping early leaves the rest unread", async () => {
    const path = await file("t,hr", ...Array.from({ length: 20_000 }, (_, i) => `${i},70`), "x,y");
    for await (const batch of readVitalsCsv(path, { startTime: START })) {
      expect(batch.columns[0]?.times).toHaveLength(60);
      break;
    }
  });

  it("use memory that does not grow with the file", async () => {
    const path = join(folder, "long.csv");
    const count = 200_000;
    function* text() {
      yield "subject,unix_s,HR,SpO2\n";
      for (let i = 0; i < count; i++) {
        yield `a,${1_700_000_000 + i},${60 + (i % 40)},${i % 50 === 0 ? "" : 97}\n`;
      }
    }
    await pipeline(Readable.from(text()), createWriteStream(path));
    let samples = 0;
    let mostHeld = 0;
    const heap: number[] = [];
    for await (const { columns } of readVitalsCsv(path)) {
      const held = columns.reduce((sum, { times }) => sum + times.length, 0);
      samples += held;
      mostHeld = Math.max(mostHeld, held);
      if (samples % (count / 2) < held) {
        collectGarbage();
        heap.push(process.memoryUsage().heapUsed);
      }
    }
    expect(samples).toBe(2 * count);
    expect(mostHeld).toBe(120);
    expect(heap.length).toBeGreaterThanOrEqual(4);
    expect((heap.at(-1) as number) - (heap[0] as number)).toBeLessThan(4 * 1024 * 1024);
  });
});
