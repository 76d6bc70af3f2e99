import { once } from "node:events";
import { createReadStream } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { MedcloudletError } from "../base/index.ts";
import {
  anonymize,
  comparedK,
  type DigestRow,
  type Guarantee,
  gatherReport,
  type Ledger,
  type Measures,
  measure,
  type ReleaseFormat,
  type ReleaseSchema,
  type ReportData,
  randomSeed,
  releaseText,
  reportPage,
  type Table,
  type Verification,
  verifyRelease,
  writePieces,
} from "../research/index.ts";
import { outputOf } from "./command.ts";
import type { Output } from "./output.ts";
import {
  type GuaranteeOptions,
  guaranteeOf,
  overBytes,
  type ReleaseOptions,
  readSchema,
} from "./research-options.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Where a release's rows come from; `name` is what its report is about. */
export interface Source {
  readonly name: string;
  read(schema: ReleaseSchema, digestRow: DigestRow | undefined, output: Output): Promise<Table>;
}

/**
 * Makes a release: reads, puts into classes, writes a draft, verifies it, enters it into the ledger, gives it its name.
 * @throws MedcloudletError `CLI_OPTIONS`, `RESEARCH_GUARANTEE_UNMET`, `RESEARCH_VERIFICATION_FAILED`, `RESEARCH_DIFFERENCING`
 */
export async function makeRelease(options: ReleaseOptions, source: Source): Promise<void> {
  if (options.out === undefined && options.json === true) {
    throw new MedcloudletError(
      "CLI_OPTIONS",
      "With --json the release needs a file of its own: give --out FILE.",
    );
  }
  const { ledger: folder, holdBack } = options;
  if (holdBack === true && (folder === undefined || options.suppress > 0)) {
    throw new MedcloudletError(
      "CLI_OPTIONS",
      "--hold-back needs --ledger FOLDER, and takes the place of --suppress.",
    );
  }
  await (folder === undefined
    ? releaseWith(options, source, null)
    : // The store is loaded by those who need it: it takes a fifth of a second.
      (await import("./research-ledger.ts")).withLedger(folder, (ledger) =>
        releaseWith(options, source, ledger),
      ));
}

async function releaseWith(options: ReleaseOptions, source: Source, ledger: Ledger | null): Promise<void> {
  const output = outputOf(options);
  const clock = createStopwatch();
  const schema = await readSchema(options.schema);
  const guarantee = guaranteeOf(options);

  const table = await source.read(schema, ledger?.digestRow(schema), output);
  clock.lap("read");

  const splitting = output.progress("anonymising", table.rows);
  const anonymized = anonymize(table, {
    guarantee,
    suppression: options.suppress,
    onSettled: splitting.step,
    ...(options.holdBack === true && ledger !== null
      ? { beside: await ledger.beside(table, guarantee) }
      : {}),
  });
  splitting.end();
  clock.lap("anonymise");
  const measures = measure(anonymized, options.population);
  clock.lap("measure");

  const writing = output.progress("writing   ", measures.rows);
  const pieces = releaseText(anonymized, {
    schema,
    format: options.format,
    seed: options.seed ?? randomSeed(),
    onRows: writing.step,
  });
  // What was not verified and entered never has the name that was asked for, nor reaches a pipe.
  const temporary = temporaryFolder(
    join(options.out === undefined ? tmpdir() : dirname(options.out), ".release-"),
  );
  const draft = join(temporary.path, "draft");
  try {
    await writePieces(pieces, draft);
    writing.end();
    clock.lap("write");
    const verification = await verify(draft, schema, guarantee, options.format, output);
    requireHolds(verification, options.out ?? "The release");
    clock.lap("verify");
    const entry = ledger === null ? null : await ledger.enter(anonymized);
    if (options.out === undefined) {
      const verified = createReadStream(draft);
      await once(verified, "open");
      // Whoever reads the pipe may stop and end this process with it: nothing is left behind then.
      await temporary.remove();
      await pipeline(verified, process.stdout, { end: false });
    } else {
      await rename(draft, options.out);
    }
    if (options.report !== undefined) {
      await writeReport(source.name, options, table, options.report, output);
    }
    const ledgerPart = entry === null ? {} : { ledger: { release: entry._id, population: entry.population } };
    const text = `${told(measures, guarantee, clock.total())}${entry === null ? "" : `\n  entered into the ledger as release ${entry._id}`}`;
    if (options.out === undefined) {
      output.note(text);
      return;
    }
    output.result(
      {
        release: options.out,
        ...measures,
        guarantee,
        verification,
        incomplete: table.incomplete,
        ...ledgerPart,
        milliseconds: clock.laps,
        peakMemoryBytes: 1024 * process.resourceUsage().maxRSS,
      },
      `${options.out}: ${text}`,
    );
  } finally {
    await temporary.remove();
  }
}

/** Measures the table at several k and writes the page. */
export async function writeReport(
  name: string,
  options: Pick<ReleaseOptions, "suppress" | "population" | keyof GuaranteeOptions>,
  table: Table,
  file: string,
  output: Output,
): Promise<ReportData> {
  const { suppress, population } = options;
  const guarantee = guaranteeOf(options);
  const comparing = output.progress("comparing k", comparedK(table.rows, guarantee.k).length);
  const data = gatherReport(table, {
    name,
    guarantee,
    suppression: suppress,
    ...(population === undefined ? {} : { population }),
    onStep: () => comparing.step(),
  });
  comparing.end();
  await writeFile(file, reportPage(data));
  return data;
}

/** Milliseconds since the process began its work, and of each part of it. */
function createStopwatch() {
  const laps: Record<string, number> = {};
  let last = performance.now();
  const startedAt = last;
  return {
    laps,
    lap(name: string): void {
      const now = performance.now();
      laps[name] = Math.round(now - last);
      last = now;
    },
    total: () => performance.now() - startedAt,
  };
}

/** In per cent, for people. */
export const percent = (share: number, digits = 1) => `${(100 * share).toFixed(digits)} %`;

function told(measures: Measures, { k, l, t, diversity }: Guarantee, ms: number): string {
  const { rows, classes, suppressed, ncp, classSizes, risk, uniqueByPlainColumns } = measures;
  const promised = [`k=${k}`, ...(l > 1 ? [`${diversity} l=${l}`] : []), ...(t < 1 ? [`t=${t}`] : [])];
  return [
    `${rows} rows in ${classes} classes of ${classSizes.least} to ${classSizes.greatest} (${promised.join(", ")}), ${(ms / 1000).toFixed(1)} s`,
    `  lost (NCP) ${percent(ncp, 2)}, left out ${suppressed} rows`,
    `  risk of being found: at most ${percent(risk.prosecutor)}, on average ${percent(risk.marketer)}`,
    ...(uniqueByPlainColumns > 0
      ? [
          `  ${uniqueByPlainColumns} rows are alone in their plain columns: no class hides who is known by those; make them quasi-identifiers`,
        ]
      : []),
  ].join("\n");
}

export async function verify(
  file: string,
  schema: ReleaseSchema,
  guarantee: Guarantee,
  format: ReleaseFormat,
  output: Output,
): Promise<Verification> {
  const progress = await overBytes(output, "verifying ", file);
  const verification = await verifyRelease(file, { schema, guarantee, format, onBytes: progress.step });
  progress.end();
  return verification;
}

export function requireHolds({ holds, faults, reached }: Verification, file: string): void {
  if (!holds) {
    throw new MedcloudletError(
      "RESEARCH_VERIFICATION_FAILED",
      `${file} does not keep the guarantee: do not give it out.`,
      {
        status: 409,
        details: { errors: faults.map((message) => ({ path: file, message })), reached },
      },
    );
  }
}
