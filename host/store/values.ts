import type { Binary, Document, Long } from "bson";
import type { Bytes } from "../base/index.ts";
import { forbidden, invalid } from "./errors.ts";

/** What filters compare with and what indexed fields hold. */
export type Scalar = string | number | boolean | null | Date | Bytes;

const MAX_DEPTH = 32;
const MAX_PATH_LENGTH = 200;
const LONE_SURROGATE = /\p{Surrogate}/u;

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function isScalar(value: unknown): value is Scalar {
  return (
    value === null ||
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "boolean" ||
    value instanceof Date ||
    value instanceof Uint8Array
  );
}

/** Refuses keys that mean something else to a database, to BSON or to JavaScript. */
function assertKey(key: string): void {
  if (key.startsWith("$")) {
    throw forbidden(key);
  }
  if (
    key === "" ||
    key === "_bsontype" ||
    key in Object.prototype ||
    /[.\0]/.test(key) ||
    LONE_SURROGATE.test(key)
  ) {
    throw invalid("A field name is empty, reserved, or holds a character that field names cannot hold.");
  }
}

/** Checks a dotted path, component by component. */
export function assertPath(path: string): void {
  if (path.length > MAX_PATH_LENGTH) {
    throw invalid("A field path is too long.");
  }
  for (const component of path.split(".")) {
    assertKey(component);
  }
}

/** A checked copy of a scalar, in the one form both adapters give back. */
export function copyScalar(value: unknown): Scalar {
  if (!isScalar(value)) {
    throw invalid("Expected a string, a number, a boolean, null, a Date or a Uint8Array.");
  }
  if (typeof value === "string" && LONE_SURROGATE.test(value)) {
    throw invalid("A string is not well-formed Unicode.");
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) {
      throw invalid("A number is not finite.");
    }
    return value === 0 ? 0 : value; // -0 becomes 0: not every server keeps the sign
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) {
      throw invalid("A Date is not valid.");
    }
    return new Date(value);
  }
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}

/** A checked deep copy of a value as documents hold it; arrays directly inside arrays are refused. */
export function copyValue(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) {
    throw invalid("A value is nested too deeply.");
  }
  if (Array.isArray(value)) {
    return Array.from(value, (item: unknown) => {
      if (Array.isArray(item)) {
        throw invalid("An array directly inside an array is not supported by every server.");
      }
      return copyValue(item, depth + 1);
    });
  }
  if (!isPlainObject(value)) {
    return copyScalar(value);
  }
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    assertKey(key);
    copy[key] = copyValue(member, depth + 1);
  }
  return copy;
}

/** The document as the port promises it: BSON's binaries and 64-bit integers become `Uint8Array` and number. */
export function revive(document: Document): Document {
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [key, reviveValue(value)]));
}

/** By its tag, not its class: the driver has loaded the CommonJS copy of bson, and the embedded store the ES module. */
function isBson<T extends { readonly _bsontype: string }>(value: unknown, type: T["_bsontype"]): value is T {
  return typeof value === "object" && value !== null && (value as Partial<T>)._bsontype === type;
}

function reviveValue(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return new Uint8Array(value);
  }
  if (isBson<Binary>(value, "Binary")) {
    return new Uint8Array(value.buffer.subarray(0, value.length()));
  }
  if (isBson<Long>(value, "Long")) {
    return value.toNumber();
  }
  if (Array.isArray(value)) {
    return value.map(reviveValue);
  }
  return isPlainObject(value) ? revive(value) : value;
}

/** The value at a dotted path through plain objects; `undefined` when missing. Arrays are not entered. */
export function valueAt(document: Document, path: string): unknown {
  let value: unknown = document;
  for (const component of path.split(".")) {
    if (!isPlainObject(value) || !Object.hasOwn(value, component)) {
      return undefined;
    }
    value = value[component];
  }
  return value;
}
