import { once } from "node:events";
import { open } from "node:fs/promises";
import { type Command, Option } from "commander";
import { scoreOf, updateVitals, type Vitals } from "../analytics/index.ts";
import { MedcloudletError, systemClock } from "../base/index.ts";
import type { OpenedStream, ReadBatch, Reader } from "../client/index.ts";
import { type BatchHeader, QUANTITIES, type Quantity, type ReadingColumn } from "../sealing/index.ts";
import { askCommand, askedCommand } from "./access-requests.ts";
import { createAlertPager, openHook, type Page, type PageFrom } from "./alert-hook.ts";
import { type AlertDesk, alertsCommand, openAlertDesk } from "./doctor-alerts.ts";
import { readerOf } from "./home.ts";
import { abortOnInterrupt } from "./interrupt.ts";
import { doctorNoteCommands } from "./notes.ts";
import { asPerson, newCommand, newGroup, outputOf, type PersonOptions, withPerson } from "./options.ts";
import { groups, type Output, table } from "./output.ts";
import { type RecordCount, recordCountOf, recordCountText } from "./record-count.ts";
import { chooseStreams } from "./shared-choice.ts";
import { quantityLabel, scoreText, sparkline, vitalsText } from "./vitals.ts";

/** How streams are shown. */
export interface ShowOptions {
  readonly follow?: true;
  readonly csv?: string;
  /** Ends following, ms since 1970 UTC. */
  readonly endsAt?: number;
  /** Takes in what is opened while following. */
  readonly desk?: AlertDesk;
}

interface ReadOptions extends PersonOptions, ShowOptions {
  readonly patient?: string;
  readonly alerts?: true;
  readonly hook?: string;
  readonly hookFrom: PageFrom;
}

/** A stream with what lets one read it: in words, and until when (ms since 1970 UTC). */
export interface ShownStream {
  readonly stream: OpenedStream;
  readonly leave: string;
  readonly until: number;
  /** What of the record lies beside the readings. */
  readonly record: RecordCount;
}

const TROUBLE_EVERY_MS = 30_000;
const SPARK_WIDTH = 48;
const SPARK_WIDTH_LEAST = 8;

/** A streamed CSV of opened readings: one line a sample, gaps as empty values. */
async function createCsv(file: string) {
  const handle = await open(file, "w", 0o600).catch((cause) => {
    const why = (cause as NodeJS.ErrnoException).code;
    throw new MedcloudletError(
      "CLI_FILE",
      `Cannot write ${file} (${why}): check its folder and permissions.`,
      { cause },
    );
  });
  const stream = handle.createWriteStream();
  stream.write("time,quantity,loinc,ucum,mdc,value\n");
  return {
    write(columns: readonly ReadingColumn[]) {
      for (const { quantity, times, values } of columns) {
        const { loinc, ucum, mdc } = QUANTITIES[quantity];
        for (const [i, time] of times.entries()) {
          const moment = new Date(time).toISOString();
          stream.write(`${moment},${quantity},${loinc},${ucum},${mdc ?? ""},${values[i] ?? ""}\n`);
        }
      }
    },
    async end() {
      stream.end();
      await once(stream, "finish");
    },
  };
}

/** Sequence numbers that are missing between the first and last of each device: lost, withheld, or a crash's hole. */
function missingNumbers(headers: readonly BatchHeader[]): number {
  const byDevice = new Map<string, { count: number; first: number; last: number }>();
  for (const { deviceId, sequence } of headers) {
    const known = byDevice.get(deviceId) ?? { count: 0, first: sequence, last: sequence };
    byDevice.set(deviceId, {
      count: known.count + 1,
      first: Math.min(known.first, sequence),
      last: Math.max(known.last, sequence),
    });
  }
  return [...byDevice.values()].reduce((sum, { count, first, last }) => sum + last - first + 1 - count, 0);
}

/** Says, at most every half minute, that nothing comes through. */
function createTroubleNotice(stream: OpenedStream, output: Output): (error: MedcloudletError) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  return ({ code, message }) => {
    if (performance.now() - saidAt < TROUBLE_EVERY_MS) {
      return;
    }
    saidAt = performance.now();
    const time = new Date().toISOString();
    output.result(
      { patient: stream.ownerName, time, trouble: code },
      output.colours.red(
        `  ${time}  ${stream.ownerName}  NO CONNECTION, readings may be missing: ${message} [${code}]`,
      ),
    );
  };
}

/** What was opened of one stream. */
interface Opened {
  readonly headers: readonly BatchHeader[];
  readonly columns: readonly ReadingColumn[];
  readonly refused: number;
  /** Sealed to epochs whose key the reader was not given: from before a consent without history, as a rule. */
  readonly notShared: number;
}

/** Adds the course of each quantity, as wide as the terminal leaves room for; nothing where it leaves too little. */
function withCourse(
  rows: readonly (readonly string[])[],
  courses: readonly (readonly (number | null)[])[],
  terminalWidth: number,
): readonly (readonly string[])[] {
  const used = (rows[0] ?? []).reduce(
    (sum, _, column) => sum + 2 + Math.max(...rows.map((row) => (row[column] ?? "").length)),
    2,
  );
  const width = Math.min(SPARK_WIDTH, terminalWidth - used);
  return width < SPARK_WIDTH_LEAST
    ? rows
    : rows.map((row, i) => [...row, i === 0 ? "course" : sparkline(courses[i - 1] ?? [], width)]);
}

function summarise(
  { stream, leave, until, record }: ShownStream,
  { headers, columns, refused, notShared }: Opened,
  output: Output,
): void {
  const { colours } = output;
  const missing = missingNumbers(headers);
  let first: number | undefined;
  let last: number | undefined;
  for (const { firstTime, lastTime } of headers) {
    first = Math.min(first ?? firstTime, firstTime);
    last = Math.max(last ?? lastTime, lastTime);
  }
  const series = new Map<Quantity, { time: number; value: number | null }[]>();
  for (const { quantity, times, values } of columns) {
    const known = series.get(quantity) ?? [];
    known.push(...times.map((time, i) => ({ time, value: values[i] ?? null })));
    series.set(quantity, known);
  }
  const vitals: Vitals = {};
  const rows = [["quantity", "samples", "gaps", "min", "max", "last"]];
  const courses: (readonly (number | null)[])[] = [];
  const data = [...series].map(([quantity, samples]) => {
    samples.sort((a, b) => a.time - b.time);
    const values = samples.map(({ value }) => value);
    const present = values.filter((value) => value !== null);
    updateVitals(vitals, [{ quantity, times: samples.map(({ time }) => time), values }]);
    const summary = {
      quantity,
      samples: values.length,
      gaps: values.length - present.length,
      min: present.length === 0 ? null : present.reduce((a, b) => Math.min(a, b)),
      max: present.length === 0 ? null : present.reduce((a, b) => Math.max(a, b)),
      last: present.at(-1) ?? null,
    };
    rows.push([
      quantityLabel(quantity),
      ...[summary.samples, summary.gaps, summary.min ?? "–", summary.max ?? "–", summary.last ?? "–"].map(
        String,
      ),
    ]);
    courses.push(values);
    return summary;
  });
  const score = scoreOf(vitals);
  output.result(
    {
      patient: stream.ownerName,
      ownerFingerprint: stream.ownerFingerprint,
      region: stream.region,
      streamId: stream.streamId,
      until,
      batches: headers.length,
      firstTime: first ?? null,
      lastTime: last ?? null,
      refusedBatches: refused,
      notSharedBatches: notShared,
      missingNumbers: missing,
      recordPart: record,
      news2: { lowerBound: score.lowerBound, total: score.total, missing: score.missing },
      quantities: data,
    },
    [
      `${colours.bold(stream.ownerName || "(no name given)")}  ${stream.region}${columns.length === 0 ? "" : `  ${scoreText(score, colours)}`}`,
      colours.dim(`  fingerprint ${groups(stream.ownerFingerprint)}`),
      colours.dim(`  ${leave} until ${new Date(until).toISOString()}`),
      ...(first === undefined || last === undefined
        ? ["  Nothing has arrived yet."]
        : [
            `  readings from ${new Date(first).toISOString()} to ${colours.bold(new Date(last).toISOString())}`,
            table(withCourse(rows, courses, output.width), colours),
          ]),
      record.status === "refused"
        ? colours.red(`  ${recordCountText(record)}`)
        : colours.dim(`  ${recordCountText(record)}`),
      ...(missing > 0
        ? [
            colours.yellow(
              `  ${missing} batches are missing: a wearable that crashed, or somebody who withholds them.`,
            ),
          ]
        : []),
      ...(notShared > 0
        ? [colours.dim(`  ${notShared} batches are of times that the patient did not share with you.`)]
        : []),
      ...(refused > 0
        ? [
            colours.red(
              `  ${refused} batches were refused: changed, not this patient's, or measured after their wearable was unpaired.`,
            ),
          ]
        : []),
    ].join("\n"),
  );
}

/** Says once for a stream that some of it was not shared; a line a batch would bury the rest. */
function createNotSharedNotice(stream: OpenedStream, output: Output): () => void {
  let said = false;
  return () => {
    if (!said) {
      said = true;
      output.result(
        { patient: stream.ownerName, refused: "EPOCH_UNKNOWN" },
        output.colours.dim(`  ${stream.ownerName}: some batches are of times that were not shared with you.`),
      );
    }
  };
}

function showBatch(stream: OpenedStream, batch: ReadBatch, vitals: Vitals, output: Output): void {
  const { colours } = output;
  if (batch.status === "refused") {
    const { code, message } = batch.error;
    output.result({ patient: stream.ownerName, refused: code }, colours.red(`  ✗ ${message} [${code}]`));
    return;
  }
  const { header, columns } = batch;
  updateVitals(vitals, columns);
  const score = scoreOf(vitals);
  const time = new Date(header.lastTime).toISOString();
  output.result(
    { patient: stream.ownerName, time, priority: header.priority, columns, news2: score.lowerBound },
    `  ${colours.dim(time)}  ${stream.ownerName}  ${vitalsText(vitals)}  ${scoreText(score, colours)}`,
  );
}

/** Reads streams and shows them: a summary of each, or with `follow` every batch as it comes. */
export async function showStreams(
  reader: Reader,
  streams: readonly ShownStream[],
  options: ShowOptions,
  output: Output,
): Promise<void> {
  const csv = options.csv === undefined ? undefined : await createCsv(options.csv);
  const { endsAt } = options;
  const interrupted = abortOnInterrupt();
  const signal =
    endsAt === undefined
      ? interrupted
      : AbortSignal.any([interrupted, AbortSignal.timeout(Math.max(0, endsAt - systemClock.now()))]);
  await Promise.all(
    streams.map(async (shown) => {
      const { stream } = shown;
      const columns: ReadingColumn[] = [];
      const headers: BatchHeader[] = [];
      const vitals: Vitals = {};
      let refused = 0;
      let notShared = 0;
      const onTrouble = createTroubleNotice(stream, output);
      const sayNotShared = createNotSharedNotice(stream, output);
      const items = options.follow ? reader.follow(stream, signal, { onTrouble }) : reader.read(stream);
      for await (const { batch } of items) {
        const unshared = batch.status === "refused" && batch.error.code === "EPOCH_UNKNOWN";
        if (unshared) {
          notShared++;
        }
        if (options.follow && unshared) {
          sayNotShared();
        } else if (options.follow) {
          showBatch(stream, batch, vitals, output);
        } else if (batch.status === "refused") {
          refused += unshared ? 0 : 1;
        } else {
          columns.push(...batch.columns);
          headers.push(batch.header);
        }
        if (batch.status === "opened") {
          csv?.write(batch.columns);
          await options.desk?.observe(stream, batch.columns, batch.header.priority);
        }
      }
      if (!options.follow) {
        summarise(shown, { headers, columns, refused, notShared }, output);
      }
    }),
  );
  await csv?.end();
}

/** @throws MedcloudletError `CLI_OPTIONS` */
async function hookOf({ hook, follow, alerts }: ReadOptions): Promise<Page | undefined> {
  if (hook !== undefined && !(follow && alerts)) {
    throw new MedcloudletError("CLI_OPTIONS", "--hook needs --follow --alerts: alerts are raised by these.");
  }
  return hook === undefined ? undefined : openHook(hook);
}

function read(): Command {
  return withPerson(newCommand("read", "open on this machine what patients share with you"))
    .option("--patient <name>", "only patients whose name contains this, or one stream id")
    .option("--follow", "go on with new readings until Ctrl-C")
    .option("--csv <file>", "also write every opened sample to a CSV file")
    .option("--alerts", "with --follow: raise alerts by what is read, and keep them for `doctor alerts`")
    .option(
      "--hook <program>",
      "with --alerts: run this on this machine, the alert as JSON on its input, until it ends with 0",
    )
    .addOption(
      new Option("--hook-from <status>", "page from when on")
        .choices(["raised", "escalated"])
        .default("escalated"),
    )
    .action((options: ReadOptions) =>
      asPerson(options, async (person, toolkit) => {
        const output = outputOf(options);
        const page = await hookOf(options);
        const reader = readerOf(toolkit, person);
        const { streams, refused: grants } = await reader.shared();
        for (const error of grants) {
          output.note(output.colours.red(`  ✗ a grant was refused: ${error.message} [${error.code}]`));
        }
        const chosen = chooseStreams(streams, options.patient);
        const shown: ShownStream[] = [];
        for (const stream of chosen) {
          const { purpose, until } = stream.consent;
          const record = await recordCountOf(person.session, stream);
          shown.push({ stream, leave: `consent for ${purpose}`, until, record });
        }
        const desk =
          options.follow && options.alerts
            ? await openAlertDesk(
                options.home,
                person.contents,
                output,
                page === undefined
                  ? {}
                  : { pager: createAlertPager({ page, from: options.hookFrom, output }) },
              )
            : undefined;
        try {
          await showStreams(reader, shown, desk === undefined ? options : { ...options, desk }, output);
        } finally {
          await desk?.close();
        }
      }),
    );
}

/** `medcloudlet doctor read | alerts | note | notes | ask | asked`. */
export function doctorCommand(): Command {
  const command = newGroup("doctor", "what a doctor does").addCommand(read()).addCommand(alertsCommand());
  for (const subcommand of [...doctorNoteCommands(), askCommand(), askedCommand()]) {
    command.addCommand(subcommand);
  }
  return command;
}
