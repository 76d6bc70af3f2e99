import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, fromBase64Url, toBase64Url, toHex, utf8 } from "../base/index.ts";

/** A FHIR resource as JSON; what is in it the schemas of each type say. */
export type Resource = { readonly resourceType: string } & Readonly<Record<string, unknown>>;

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The same object without the members that are undefined. */
export function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** Maps a list that may be missing; an empty one counts as missing. */
export function each<A, B>(list: readonly A[] | undefined, map: (element: A) => B): B[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list.map(map);
}

/** Maps a value that may be missing. */
export function maybe<A, B>(value: A | undefined, map: (value: A) => B): B | undefined {
  return value === undefined ? undefined : map(value);
}

/** Base64 with padding (RFC 4648, section 4), as FHIR wants it. */
export function toBase64(bytes: Uint8Array): string {
  const text = toBase64Url(bytes).replaceAll("-", "+").replaceAll("_", "/");
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

/** Undoes {@link toBase64}. @throws MedcloudletError `ENCODING_INVALID` */
export function fromBase64(text: string): Bytes {
  return fromBase64Url(
    text.replaceAll(/\s/g, "").replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_"),
  );
}

/** A UUID (RFC 9562, version 8) that follows from a text: the same text gives the same one. */
export function uuidOf(text: string): string {
  const bytes = sha256(utf8(`medcloudlet fhir id v1 ${text}`)).slice(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const MAX_DEPTH = 64;

/** Every scalar in a resource with its path, list positions left out: `code.coding[].system`. */
export function leavesOf(value: unknown, path = "", depth = 0): { path: string; value: unknown }[] {
  if (depth > MAX_DEPTH) {
    throw new RangeError("nested too deeply");
  }
  if (Array.isArray(value)) {
    return value.flatMap((element) => leavesOf(element, `${path}[]`, depth + 1));
  }
  if (typeof value === "object" && value !== null) {
    const prefix = path === "" ? "" : `${path}.`;
    return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, prefix + name, depth + 1));
  }
  return [{ path, value }];
}

/** Counts by path what `original` says and `kept` does not. */
export function lostLeaves(original: Resource, kept: Resource): Map<string, number> {
  const keyOf = (leaf: { path: string; value: unknown }) => `${leaf.path} ${JSON.stringify(leaf.value)}`;
  const left = new Map<string, number>();
  for (const leaf of leavesOf(kept)) {
    left.set(keyOf(leaf), (left.get(keyOf(leaf)) ?? 0) + 1);
  }
  const lost = new Map<string, number>();
  for (const leaf of leavesOf(original)) {
    const there = left.get(keyOf(leaf)) ?? 0;
    if (there > 0) {
      left.set(keyOf(leaf), there - 1);
    } else {
      lost.set(leaf.path, (lost.get(leaf.path) ?? 0) + 1);
    }
  }
  return lost;
}
