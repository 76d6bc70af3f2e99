import { invalid } from "./errors.ts";
import type { Scalar } from "./values.ts";

/** First byte of a key, in MongoDB's comparison order; the gaps leave room for the types not indexed here. */
const BRACKET = { null: 0x10, number: 0x20, string: 0x30, binary: 0x60, boolean: 0x70, date: 0x80 } as const;

/**
 * Bytes whose order (memcmp) is MongoDB's order of the values: a byte for the type, then the value. A missing value
 * has the key of `null`. Arrays and objects have no key.
 * @throws MedcloudletError `STORE_VALUE_INVALID`
 */
export function orderKey(value: unknown): Buffer {
  if (value === null || value === undefined) {
    return Buffer.of(BRACKET.null);
  }
  if (typeof value === "number") {
    return numberKey(BRACKET.number, value);
  }
  if (typeof value === "string") {
    return Buffer.concat([Buffer.of(BRACKET.string), Buffer.from(value, "utf8")]);
  }
  if (typeof value === "boolean") {
    return Buffer.of(BRACKET.boolean, value ? 1 : 0);
  }
  if (value instanceof Date) {
    return numberKey(BRACKET.date, value.getTime());
  }
  if (value instanceof Uint8Array) {
    const head = Buffer.alloc(5, BRACKET.binary); // MongoDB compares lengths first
    head.writeUInt32BE(value.length, 1);
    return Buffer.concat([head, value]);
  }
  throw invalid("An indexed field holds a scalar: arrays and objects cannot be indexed.");
}

/** The half-open range of keys `[from, to)` that have the type of `value`. */
export function bracketOf(value: Scalar): { from: Buffer; to: Buffer } {
  const bracket = orderKey(value)[0] as number;
  return { from: Buffer.of(bracket), to: Buffer.of(bracket + 1) };
}

/** IEEE 754 doubles in an order of bytes: the sign bit flipped, and all the others too below zero. */
function numberKey(bracket: number, value: number): Buffer {
  const key = Buffer.alloc(9, bracket);
  key.writeDoubleBE(value === 0 ? 0 : value, 1);
  if (value < 0) {
    for (let i = 1; i < key.length; i++) {
      key[i] = ~(key[i] as number);
    }
  } else {
    key[1] = (key[1] as number) ^ 0x80;
  }
  return key;
}

const EMPTY_ARRAY = Buffer.alloc(0);
const OBJECT = Buffer.of(0x40);

/** Like `orderKey` for sorting in memory: an array counts as its least (ascending) or greatest element. */
export function sortKey(value: unknown, direction: 1 | -1): Buffer {
  if (!Array.isArray(value)) {
    const isObject = typeof value === "object" && value !== null;
    return isObject && !(value instanceof Date) && !(value instanceof Uint8Array) ? OBJECT : orderKey(value);
  }
  const keys = value.map((item) => sortKey(item, direction));
  return keys.reduce(
    (best, key) => (Buffer.compare(key, best) * direction < 0 ? key : best),
    keys[0] ?? EMPTY_ARRAY,
  );
}
