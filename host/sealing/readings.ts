import { deflateSync } from "fflate";
import { type Bytes, MedcloudletError } from "../base/index.ts";
import { ByteReader, ByteWriter, malformed, VARINT_LIMIT } from "./byte-stream.ts";
import { QUANTITIES, type Quantity } from "./codes.ts";
import { inflateExactly } from "./inflate.ts";

/**
 * One quantity over time. `times` (ms since 1970 UTC, ascending) and `values` have the same length; a value of
 * `null` is a gap: the moment was due, nothing was measured. A gap is kept, never filled.
 */
export interface ReadingColumn {
  readonly quantity: Quantity;
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

const FORMAT = 1;
const RAW_FLOAT64 = 255;
const MAX_DECIMALS = 9;
/**
 * An opened batch may not inflate beyond this, and no more than it declares is ever inflated: a sealed zip bomb must
 * not take the reader down. (In memory a reading takes about 16 times the byte or two that it takes here.)
 */
const MAX_INFLATED_BYTES = 8 * 1024 * 1024;
const TIME_LIMIT = VARINT_LIMIT / 4;
const SCALED_LIMIT = VARINT_LIMIT / 2;

const QUANTITY_OF_LOINC = new Map(
  (Object.keys(QUANTITIES) as Quantity[]).map((quantity) => [QUANTITIES[quantity].loinc as string, quantity]),
);

function invalid(message: string): MedcloudletError {
  return new MedcloudletError("READINGS_INVALID", message, { status: 400 });
}

/** The fewest decimals that hold every value exactly, or RAW_FLOAT64 where none do. */
function decimalsOf(values: readonly number[]): number {
  let decimals = 0;
  for (const value of values) {
    if (Object.is(value, -0)) {
      return RAW_FLOAT64;
    }
    for (;;) {
      const scaled = Math.round(value * 10 ** decimals);
      if (Math.abs(scaled) >= SCALED_LIMIT) {
        return RAW_FLOAT64;
      }
      if (scaled / 10 ** decimals === value) {
        break;
      }
      decimals++;
      if (decimals > MAX_DECIMALS) {
        return RAW_FLOAT64;
      }
    }
  }
  // More decimals may have been needed later in the list than an early, larger value can carry.
  const fits = values.every((value) => {
    const scaled = Math.round(value * 10 ** decimals);
    return Math.abs(scaled) < SCALED_LIMIT && scaled / 10 ** decimals === value;
  });
  return fits ? decimals : RAW_FLOAT64;
}

function checkColumn({ quantity, times, values }: ReadingColumn): void {
  if (times.length !== values.length) {
    throw invalid(`${quantity}: ${times.length} times for ${values.length} values.`);
  }
  let previous = Number.NEGATIVE_INFINITY;
  for (const time of times) {
    if (!Number.isSafeInteger(time) || Math.abs(time) >= TIME_LIMIT) {
      throw invalid(`${quantity}: ${time} is not a time in whole milliseconds.`);
    }
    if (time < previous) {
      throw invalid(`${quantity}: times must not go backwards.`);
    }
    previous = time;
  }
  for (const value of values) {
    if (value !== null && !Number.isFinite(value)) {
      throw invalid(`${quantity}: a value must be a finite number or null for a gap.`);
    }
  }
}

function writeColumn(writer: ByteWriter, column: ReadingColumn): void {
  const { times, values } = column;
  const { loinc, ucum, mdc } = QUANTITIES[column.quantity];
  writer.text(loinc);
  writer.text(ucum);
  writer.varint(mdc ?? 0);
  writer.varint(times.length);

  let previousTime = 0;
  let previousDelta = 0;
  for (const time of times) {
    const delta = time - previousTime;
    writer.signedVarint(delta - previousDelta);
    previousTime = time;
    previousDelta = delta;
  }

  const present = values.filter((value) => value !== null);
  writer.byte(present.length === values.length ? 0 : 1);
  if (present.length !== values.length) {
    const bitmap = new Uint8Array(Math.ceil(values.length / 8));
    for (const [i, value] of values.entries()) {
      if (value === null) {
        bitmap[i >> 3] = (bitmap[i >> 3] as number) | (1 << (i & 7));
      }
    }
    writer.bytes(bitmap);
  }

  const decimals = decimalsOf(present);
  writer.byte(decimals);
  let previous = 0;
  for (const value of present) {
    if (decimals === RAW_FLOAT64) {
      writer.float64(value);
      continue;
    }
    const scaled = Math.round(value * 10 ** decimals);
    writer.signedVarint(scaled - previous);
    previous = scaled;
  }
}

function readColumn(reader: ByteReader): ReadingColumn {
  const loinc = reader.text();
  const ucum = reader.text();
  const mdc = reader.varint();
  const quantity = QUANTITY_OF_LOINC.get(loinc);
  if (quantity === undefined) {
    throw new MedcloudletError("READINGS_CODE_UNKNOWN", `No quantity here has the LOINC code "${loinc}".`, {
      status: 422,
    });
  }
  if (QUANTITIES[quantity].ucum !== ucum || (QUANTITIES[quantity].mdc ?? 0) !== mdc) {
    throw malformed(`unit or IEEE 11073 code of ${quantity} differ from the table`);
  }
  const count = reader.varint();
  if (count > reader.remaining) {
    throw malformed("it ends too early");
  }

  const times: number[] = [];
  let time = 0;
  let delta = 0;
  for (let i = 0; i < count; i++) {
    delta += reader.signedVarint();
    time += delta;
    if (Math.abs(time) >= TIME_LIMIT || (i > 0 && delta < 0)) {
      throw malformed("a time is out of range or goes backwards");
    }
    times.push(time);
  }

  const gaps = reader.byte();
  if (gaps > 1) {
    throw malformed("unknown gap encoding");
  }
  const bitmap = gaps === 1 ? reader.bytes(Math.ceil(count / 8)) : new Uint8Array(Math.ceil(count / 8));
  const decimals = reader.byte();
  if (decimals > MAX_DECIMALS && decimals !== RAW_FLOAT64) {
    throw malformed("unknown value encoding");
  }
  const values: (number | null)[] = [];
  let scaled = 0;
  for (let i = 0; i < count; i++) {
    if (((bitmap[i >> 3] as number) >> (i & 7)) & 1) {
      values.push(null);
    } else if (decimals === RAW_FLOAT64) {
      const value = reader.float64();
      if (!Number.isFinite(value)) {
        throw malformed("a value is not a finite number");
      }
      values.push(value);
    } else {
      scaled += reader.signedVarint();
      if (Math.abs(scaled) >= SCALED_LIMIT) {
        throw malformed("a value is out of range");
      }
      values.push(scaled / 10 ** decimals);
    }
  }
  return { quantity, times, values };
}

/**
 * Columns of readings as compressed bytes: times as differences of differences, values as decimal differences
 * (exact: a column that no decimal scale holds goes as raw float64), then DEFLATE.
 * @throws MedcloudletError `READINGS_INVALID` for times that go backwards, unequal lengths or non-finite values
 */
export function encodeReadings(columns: readonly ReadingColumn[]): Bytes {
  const writer = new ByteWriter();
  writer.varint(columns.length);
  for (const column of columns) {
    checkColumn(column);
    writeColumn(writer, column);
  }
  const plain = writer.finish();
  if (plain.length > MAX_INFLATED_BYTES) {
    throw invalid("A batch this large cannot be opened again: send the readings in several batches.");
  }
  const packed = new ByteWriter();
  packed.byte(FORMAT);
  packed.varint(plain.length);
  packed.bytes(deflateSync(plain, { level: 6 }));
  return packed.finish();
}

/**
 * Undoes {@link encodeReadings}.
 * @throws MedcloudletError `READINGS_MALFORMED`, `READINGS_CODE_UNKNOWN`
 */
export function decodeReadings(encoded: Uint8Array): ReadingColumn[] {
  const packed = new ByteReader(encoded);
  if (packed.byte() !== FORMAT) {
    throw malformed("unknown format");
  }
  const size = packed.varint();
  if (size > MAX_INFLATED_BYTES) {
    throw malformed("it inflates beyond the limit");
  }
  const reader = new ByteReader(inflateExactly(packed.bytes(packed.remaining), size, malformed));
  const columns: ReadingColumn[] = [];
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    columns.push(readColumn(reader));
  }
  if (reader.remaining > 0) {
    throw malformed("something follows the last column");
  }
  return columns;
}
