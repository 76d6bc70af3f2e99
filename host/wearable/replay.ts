import { MedcloudletError } from "../base/index.ts";
import { type CsvRow, readCsv } from "../csv/index.ts";
import { type Batcher, createBatcher, type Sample, type VitalsBatch } from "./batcher.ts";
import { type ColumnMap, type CsvLayout, resolveColumns } from "./csv-columns.ts";
import { detectTimeFormat, parseDecimal, parseTime, TIME_FORMATS, type TimeFormat } from "./csv-time.ts";

/** How to read a CSV file of vital signs. */
export interface ReplayOptions {
  /** Only this patient; everybody in the file where left out. */
  readonly patient?: string;
  /** What columns mean, where their names do not say. */
  readonly map?: ColumnMap;
  /** Start of the recording, ms since 1970 UTC; needed where the times count from there. */
  readonly startTime?: number;
  /** How times are written; told from the first row where left out. */
  readonly timeFormat?: TimeFormat;
  /** Local time minus UTC in minutes, for dates written without a zone; 0 where left out. */
  readonly utcOffsetMinutes?: number;
  /** One character; a comma where left out. */
  readonly delimiter?: string;
  /** A batch spans less than this from its first sample; 60 where left out. */
  readonly batchSeconds?: number;
  /** Most samples of one quantity in a batch; 3600 where left out. */
  readonly batchSamples?: number;
}

/** Name of the one person in a file without a patient column. */
export const ONLY_PATIENT = "patient";

const GAP = /^(?:|nan|na|n\/a|null|none|-|--|\?)$/i;
const DEFAULT_BATCH_SECONDS = 60;
const DEFAULT_BATCH_SAMPLES = 3600;
const CODES = { syntax: "WEARABLE_CSV_SYNTAX", file: "WEARABLE_CSV_FILE" } as const;
const NAMES_IN_A_MESSAGE = 10;

/**
 * Replays a CSV file of vital signs as batches of readings, streaming: the file is never in memory as a whole.
 *
 * Values are kept as they are written, not smoothed, filled, converted or judged; an empty field, `NaN`, `NA`
 * and the like become a gap at their time. Patients may follow one another or be interleaved; the batches of one
 * patient come in the order of time. Equal times are kept, in the order of the file.
 *
 * @throws MedcloudletError from the iterator: `WEARABLE_CSV_COLUMNS` (what the columns mean is unknown),
 *   `WEARABLE_CSV_VALUE` (not a number), `WEARABLE_CSV_TIME` (unreadable, or backwards within a patient),
 *   `WEARABLE_CSV_EMPTY` (nothing to replay), `WEARABLE_CSV_SYNTAX` (not well-formed CSV),
 *   `WEARABLE_CSV_FILE` (cannot be read), `WEARABLE_CSV_OPTIONS`; line numbers count from 1
 */
export async function* readVitalsCsv(path: string, options: ReplayOptions = {}): AsyncGenerator<VitalsBatch> {
  checkOptions(options);
  const batcher = createBatcher(
    options.batchSeconds ?? DEFAULT_BATCH_SECONDS,
    options.batchSamples ?? DEFAULT_BATCH_SAMPLES,
  );
  const rows = readRows(path, options.delimiter ?? ",");
  try {
    const header = await rows.next();
    if (header.done === true) {
      throw empty("The file is empty: it needs a header line and rows.");
    }
    refuseOtherDelimiter(header.value.fields);
    const layout = resolveColumns(header.value.fields, options.map);
    const reader = createRowReader(layout, options, batcher);
    for await (const row of rows) {
      yield* reader.read(row);
    }
    reader.requireSamples();
    yield* batcher.finish();
  } finally {
    await rows.return(undefined);
  }
}

/** The rows that say anything. */
async function* readRows(path: string, delimiter: string): AsyncGenerator<CsvRow, undefined> {
  for await (const piece of readCsv(path, { codes: CODES, delimiter, trim: true })) {
    yield* piece.filter(({ fields }) => fields.some((field) => field !== ""));
  }
}

/** Turns rows into samples, keeping what has to be known from row to row. */
function createRowReader(layout: CsvLayout, options: ReplayOptions, batcher: Batcher) {
  const { header } = layout;
  const origin = { startTime: options.startTime, utcOffsetMinutes: options.utcOffsetMinutes ?? 0 };
  const lastTimes = new Map<string, { time: number; line: number }>();
  const parameters = new Set<string>();
  let timeFormat = options.timeFormat;
  let found = false;

  if (options.patient !== undefined && layout.patient === null) {
    throw new MedcloudletError(
      "WEARABLE_CSV_COLUMNS",
      `A patient was chosen, but no column is known to name patients. The columns are: ${header.join(", ")}. Say which with a mapping such as { ${JSON.stringify(header[0])}: "patient" } (--map ${header[0]}=patient).`,
      { status: 400, details: { columns: header } },
    );
  }

  function patientOf({ fields, line }: CsvRow): string {
    if (layout.patient === null) {
      return ONLY_PATIENT;
    }
    const patient = fields[layout.patient] ?? "";
    if (patient === "") {
      throw valueError(line, header[layout.patient], "does not say which patient the row belongs to");
    }
    return patient;
  }

  function timeOf({ fields, line }: CsvRow, patient: string): number {
    const text = fields[layout.time] ?? "";
    const column = `Line ${line}, column "${header[layout.time]}"`;
    timeFormat ??= detectTimeFormat(text) ?? undefined;
    const time = timeFormat === undefined ? null : parseTime(text, timeFormat, origin);
    if (time === null) {
      const expected = timeFormat ?? TIME_FORMATS.join(", ");
      throw timeError(
        `${column}: "${clip(text)}" is not a time (expected: ${expected}). Say how times are written with timeFormat (--time-format).`,
      );
    }
    const last = lastTimes.get(patient);
    if (last !== undefined && time < last.time) {
      throw timeError(
        `${column}: "${clip(text)}" is earlier than line ${last.line} of the same patient; sort the file by time.`,
      );
    }
    lastTimes.set(patient, { time, line });
    return time;
  }

  function valueAt({ fields, line }: CsvRow, index: number): number | null {
    const text = fields[index] ?? "";
    const value = parseDecimal(text);
    if (value === null && !GAP.test(text)) {
      throw valueError(line, header[index], "is not a decimal number (with a point) nor an empty field");
    }
    return value;
  }

  function samplesOf(row: CsvRow): Sample[] {
    if (layout.shape === "wide") {
      return layout.quantities.map(({ quantity, index }) => ({ quantity, value: valueAt(row, index) }));
    }
    const parameter = row.fields[layout.parameter] ?? "";
    const quantity = layout.quantityOf(parameter);
    if (quantity === null) {
      remember(parameters, parameter);
      return [];
    }
    return [{ quantity, value: valueAt(row, layout.value) }];
  }

  return {
    read(row: CsvRow): VitalsBatch[] {
      const patient = patientOf(row);
      if (options.patient !== undefined && patient !== options.patient) {
        return [];
      }
      const samples = samplesOf(row);
      if (samples.length === 0) {
        return [];
      }
      found = true;
      return batcher.add(patient, timeOf(row, patient), samples);
    },
    requireSamples(): void {
      if (found) {
        return;
      }
      if (parameters.size > 0) {
        throw empty(
          `No row has a parameter that is known or mapped. Found: ${[...parameters].join(", ")}. Map one as in { "name": "heartRate" }.`,
        );
      }
      throw empty(
        options.patient === undefined
          ? "There is a header line but no row below it."
          : `No row is about the chosen patient: compare with column "${header[layout.patient ?? 0]}" of the file.`,
      );
    },
  };
}

/** Keeps the first few names only: a message needs no more, and memory must not grow with the file. */
function remember(names: Set<string>, name: string): void {
  if (names.size < NAMES_IN_A_MESSAGE) {
    names.add(clip(name));
  }
}

function checkOptions({ batchSeconds, batchSamples, startTime, timeFormat, delimiter }: ReplayOptions): void {
  const positive = (value: number | undefined) => value === undefined || value > 0;
  if (!positive(batchSeconds) || !positive(batchSamples)) {
    throw refused("batchSeconds and batchSamples must be greater than zero.");
  }
  if (startTime !== undefined && !Number.isSafeInteger(startTime)) {
    throw refused("startTime must be whole milliseconds since 1970 UTC.");
  }
  if (timeFormat !== undefined && !TIME_FORMATS.includes(timeFormat)) {
    throw refused(`timeFormat must be one of ${TIME_FORMATS.join(", ")}.`);
  }
  if (delimiter !== undefined && delimiter.length !== 1) {
    throw refused("delimiter must be one character.");
  }
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

function refused(message: string): MedcloudletError {
  return new MedcloudletError("WEARABLE_CSV_OPTIONS", message, { status: 400 });
}

function empty(message: string): MedcloudletError {
  return new MedcloudletError("WEARABLE_CSV_EMPTY", message, { status: 400 });
}

function timeError(message: string): MedcloudletError {
  return new MedcloudletError("WEARABLE_CSV_TIME", message, { status: 400 });
}

/** Says where, not what: the field may be a reading or a name. */
function valueError(line: number, column: string | undefined, fault: string): MedcloudletError {
  return new MedcloudletError("WEARABLE_CSV_VALUE", `Line ${line}, column "${column}": the field ${fault}.`, {
    status: 400,
    details: { line, column },
  });
}

/** A header that is one column with other separators in it was written with those. */
function refuseOtherDelimiter(header: readonly string[]): void {
  const separator = header.length === 1 ? /[;\t|]/.exec(header[0] ?? "")?.[0] : undefined;
  if (separator !== undefined) {
    const name = separator === "\t" ? "a tab" : `"${separator}"`;
    throw refused(`The columns are separated by ${name}: say so with delimiter (--delimiter).`);
  }
}
