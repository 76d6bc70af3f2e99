import { HASH_START, hashStep, mix } from "./hash.ts";

/** Longest shape kept; what is longer is cut, as its beginning tells enough. */
const COARSE_LIMIT = 32;
const FINE_LIMIT = 20;

const DIGIT = 0x39;
const LETTER = 0x61;
const CAPITAL = 0x41;
const FURTHER = 0xe9;

const CLASS_OF = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const character = String.fromCharCode(code);
  CLASS_OF[code] = /\d/.test(character)
    ? DIGIT
    : /[a-z]/.test(character)
      ? LETTER
      : /[A-Z]/.test(character)
        ? CAPITAL
        : code;
}

/** Stands for all characters of a class: "9", "a", "A", "é"; punctuation stands for itself. */
function classOf(code: number): number {
  // Accented letters of Latin scripts count as letters; anything beyond is one class.
  return code < 128 ? (CLASS_OF[code] as number) : code >= 0xc0 && code < 0x250 ? LETTER : FURTHER;
}

/** Hash of the runs of one class as one character each: `Calle Sol 12` is `Aa Aa 9`. */
export function coarseShapeHash(text: string): number {
  let hash = HASH_START;
  let length = 0;
  let last = -1;
  for (let i = 0; i < text.length && length < COARSE_LIMIT; i++) {
    const now = classOf(text.charCodeAt(i));
    if (now !== last) {
      hash = hashStep(hash, now);
      length++;
      last = now;
    }
  }
  return mix(hash);
}

/** Hash of every character by its class: `17621392B` is `99999999A`; more than the limit is a plus sign. */
export function fineShapeHash(text: string): number {
  let hash = HASH_START;
  const end = Math.min(text.length, FINE_LIMIT);
  for (let i = 0; i < end; i++) {
    hash = hashStep(hash, classOf(text.charCodeAt(i)));
  }
  return mix(text.length > FINE_LIMIT ? hashStep(hash, 0x2b) : hash);
}

/** Bin of a length: exact up to 48, then four bins for each doubling. */
export function lengthBin(length: number): number {
  return length <= 48 ? length : 49 + Math.floor(4 * Math.log2(length / 48));
}

const ID_SEGMENT = /^(?:\d+|[0-9a-f]{8,}|[0-9a-f]{8}-[0-9a-f-]{27}|(?=[\w-]*\d)[\w-]{20,})$/i;

/** A path with its identifiers taken out, so that `/streams/0af3…/batches/17` is one route. Bounded in length. */
export function routeOf(path: string): string {
  const bounded = path.length > 256 ? path.slice(0, 256) : path;
  return bounded
    .split("/")
    .map((segment) => (ID_SEGMENT.test(segment) ? ":id" : segment))
    .join("/");
}
