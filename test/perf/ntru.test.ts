import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { NTRU_PARAMETERS, type NtruSetName } from "../../host/ntru/index.ts";
import measured from "./ratios.json" with { type: "json" };

/** For each set and each of its operations and kernels: how many times longer the product without vectors takes. */
type Ratios = Record<string, Record<string, number>>;

const NAMES = Object.keys(NTRU_PARAMETERS) as NtruSetName[];
const ATTEMPTS = 3;
const BENCH = fileURLToPath(new URL("bench.mjs", import.meta.url));
const API = fileURLToPath(new URL("ntru-api.mjs", import.meta.url));

/** The part of the ratios in ratios.json that must be left; docs/BENCHMARKS.md says what losing a fast path leaves. */
const FLOOR = 0.6;

/**
 * What the API may add to the raw export. Copying a result out into memory of the caller's own takes half a microsecond,
 * which is more than a tenth of the shortest encapsulations (docs/BENCHMARKS.md).
 */
const OVERHEAD: Readonly<Record<string, number>> = { "key pair": 0.1, encapsulate: 0.3, decapsulate: 0.1 };

interface ApiRow {
  readonly set: string;
  readonly operation: string;
  readonly overhead: number;
}

/** Bytes of the modules, raw and with gzip -9: a tenth above what they were when this was written. */
const CEILINGS: Record<NtruSetName, { readonly raw: number; readonly gzip: number }> = {
  ntruhps2048509: { raw: 24_270, gzip: 8310 },
  ntruhps2048677: { raw: 28_310, gzip: 8800 },
  ntruhps4096821: { raw: 20_030, gzip: 7400 },
  ntruhps40961229: { raw: 32_390, gzip: 9380 },
  ntruhrss701: { raw: 24_900, gzip: 7790 },
  ntruhrss1373: { raw: 21_640, gzip: 7290 },
};

/** Everything is measured in one process of its own. */
async function measureRatios(): Promise<Ratios> {
  const { stdout } = await promisify(execFile)(process.execPath, [BENCH, "--json", "--own"]);
  return (JSON.parse(stdout) as { ratios: Ratios }).ratios;
}

/** The sentences about what is below its floor in each of the attempts: other work on the machine slows some at times. */
function tooSlow(attempts: readonly Ratios[]): string[] {
  return NAMES.flatMap((set) =>
    Object.entries((measured as Ratios)[set] ?? {}).flatMap(([operation, ratio]) => {
      const best = Math.max(...attempts.map((ratios) => ratios[set]?.[operation] ?? 0));
      const floor = FLOOR * ratio;
      return best >= floor
        ? []
        : [`${set}, ${operation}: ${best.toPrecision(3)}, not ${floor.toPrecision(3)}`];
    }),
  );
}

async function measureOverheads(): Promise<ApiRow[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [API, "--json"]);
  return (JSON.parse(stdout) as { results: ApiRow[] }).results;
}

/** The sentences about operations to which the API added too much in each of the attempts. */
function tooMuch(attempts: readonly (readonly ApiRow[])[]): string[] {
  return (attempts[0] ?? []).flatMap(({ set, operation }, index) => {
    const least = Math.min(...attempts.map((rows) => rows[index]?.overhead ?? Number.POSITIVE_INFINITY));
    return least <= (OVERHEAD[operation] ?? 0) ? [] : [`${set}, ${operation}: ${(100 * least).toFixed(0)}%`];
  });
}

describe("cost of NTRU", () => {
  it("adds little to the WebAssembly in the API", { timeout: 300_000 }, async () => {
    const attempts: ApiRow[][] = [];
    do {
      attempts.push(await measureOverheads());
    } while (tooMuch(attempts).length > 0 && attempts.length < ATTEMPTS);
    expect(tooMuch(attempts)).toEqual([]);
    expect(attempts[0]).toHaveLength(3 * NAMES.length);
  });

  it("stays far below the product without vectors", { timeout: 300_000 }, async () => {
    const attempts: Ratios[] = [];
    do {
      attempts.push(await measureRatios());
    } while (tooSlow(attempts).length > 0 && attempts.length < ATTEMPTS);
    expect(tooSlow(attempts)).toEqual([]);
  });

  it.each(NAMES)("keeps the module of %s small", async (name) => {
    const bytes = await readFile(new URL(`../../build/ntru/${name}.wasm`, import.meta.url));
    expect(bytes.length).toBeLessThanOrEqual(CEILINGS[name].raw);
    expect(gzipSync(bytes, { level: 9 }).length).toBeLessThanOrEqual(CEILINGS[name].gzip);
  });
});
