import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { NTRU_PARAMETERS, type NtruSetName } from "../../host/ntru/index.ts";

interface Report {
  readonly node: string;
  readonly cpu: string;
  readonly results: readonly {
    readonly set: string;
    readonly operation: string;
    readonly implementation: string;
    readonly medianMicroseconds: number;
  }[];
}

const NAMES = Object.keys(NTRU_PARAMETERS) as NtruSetName[];
const ATTEMPTS = 3;
const BENCH = fileURLToPath(new URL("bench.mjs", import.meta.url));

/**
 * How many times longer the product without vectors takes in WebAssembly than each operation: the lowest of three runs
 * on Node 20 and three on Node 24, which differ by less than a seventh (encapsulate on a busy machine: a tenth more).
 */
const MEASURED: Record<NtruSetName, Readonly<Record<string, number>>> = {
  ntruhps2048509: { product: 74, "key pair": 3.19, encapsulate: 19.4, decapsulate: 15.5 },
  ntruhps2048677: { product: 90, "key pair": 3.64, encapsulate: 24.9, decapsulate: 19.1 },
  ntruhps4096821: { product: 97, "key pair": 4.06, encapsulate: 32.1, decapsulate: 22.0 },
  ntruhps40961229: { product: 109, "key pair": 4.64, encapsulate: 41.0, decapsulate: 27.7 },
  ntruhrss701: { product: 81, "key pair": 3.73, encapsulate: 33.0, decapsulate: 18.2 },
  ntruhrss1373: { product: 106, "key pair": 4.82, encapsulate: 60.9, decapsulate: 26.8 },
};

/** The part of MEASURED that must be left. docs/BENCHMARKS.md says what losing each fast path leaves. */
const FLOOR = 0.6;

/** Bytes of the modules, raw and with gzip -9: a tenth above what they were when this was written. */
const CEILINGS: Record<NtruSetName, { readonly raw: number; readonly gzip: number }> = {
  ntruhps2048509: { raw: 14_970, gzip: 5410 },
  ntruhps2048677: { raw: 17_070, gzip: 6160 },
  ntruhps4096821: { raw: 14_740, gzip: 5440 },
  ntruhps40961229: { raw: 16_670, gzip: 5840 },
  ntruhrss701: { raw: 13_650, gzip: 5120 },
  ntruhrss1373: { raw: 16_150, gzip: 5560 },
};

/** The sentences about ratios below their floors; everything is measured in one process of its own. */
async function tooSlow(): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [BENCH, "--json", "--own"]);
  const { results } = JSON.parse(stdout) as Report;
  const timeOf = (set: string, operation: string, implementation: string) =>
    results.find(
      (row) => row.set === set && row.operation === operation && row.implementation === implementation,
    )?.medianMicroseconds ?? Number.NaN;
  return NAMES.flatMap((set) =>
    Object.entries(MEASURED[set]).flatMap(([operation, measured]) => {
      const ratio = timeOf(set, "product", "schoolbook in wasm") / timeOf(set, operation, "medcloudlet");
      const floor = FLOOR * measured;
      return ratio >= floor ? [] : [`${set}, ${operation}: ${ratio.toFixed(1)}, not ${floor.toFixed(1)}`];
    }),
  );
}

describe("cost of NTRU", () => {
  it("stays far below the product without vectors", { timeout: 300_000 }, async () => {
    let findings: string[] = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      findings = await tooSlow();
      if (findings.length === 0) {
        break;
      }
    }
    expect(findings).toEqual([]);
  });

  it.each(NAMES)("keeps the module of %s small", async (name) => {
    const bytes = await readFile(new URL(`../../build/ntru/${name}.wasm`, import.meta.url));
    expect(bytes.length).toBeLessThanOrEqual(CEILINGS[name].raw);
    expect(gzipSync(bytes, { level: 9 }).length).toBeLessThanOrEqual(CEILINGS[name].gzip);
  });
});
