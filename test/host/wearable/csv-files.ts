import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type ReplayOptions, readVitalsCsv } from "../../../host/wearable/index.ts";

/** Start of every recording that counts from one. */
export const START = Date.UTC(2026, 0, 5, 8);

/** A new folder of the system's temporary ones; the caller removes it. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "medcloudlet-replay-"));
}

/** Path of a new file in `folder` with these lines. */
export async function csvFile(folder: string, lines: readonly string[]): Promise<string> {
  const path = join(await mkdtemp(join(folder, "csv-")), "vitals.csv");
  await writeFile(path, `${lines.join("\n")}\n`);
  return path;
}

/** Every batch of the file. */
export async function batchesOf(path: string, options: ReplayOptions = {}) {
  const batches = [];
  for await (const batch of readVitalsCsv(path, { startTime: START, ...options })) {
    batches.push(batch);
  }
  return batches;
}

/** Every sample of the file: patient, quantity, time, value. */
export async function samplesOf(path: string, options: ReplayOptions = {}) {
  return (await batchesOf(path, options)).flatMap(({ patient, columns }) =>
    columns.flatMap(({ quantity, times, values }) =>
      times.map((time, i) => [patient, quantity, time, values[i] ?? null] as const),
    ),
  );
}

/** Matches an error by its code and message. */
export function rejection(code: string, message: RegExp) {
  return expect.objectContaining({ code, message: expect.stringMatching(message) });
}
