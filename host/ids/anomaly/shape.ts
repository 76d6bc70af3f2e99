/** Longest shape kept; what is longer is cut, as its beginning tells enough. */
const COARSE_LIMIT = 32;
const FINE_LIMIT = 20;

const CLASS_OF: readonly string[] = Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return /\d/.test(character)
    ? "9"
    : /[a-z]/.test(character)
      ? "a"
      : /[A-Z]/.test(character)
        ? "A"
        : character;
});

function classOf(code: number): string {
  // Accented letters of Latin scripts count as letters; anything beyond is one class.
  return code < 128 ? (CLASS_OF[code] as string) : code >= 0xc0 && code < 0x250 ? "a" : "é";
}

/** Runs of one class as one character: `Calle Sol 12` is `Aa Aa 9`. */
export function coarseShape(text: string): string {
  let shape = "";
  let last = "";
  for (let i = 0; i < text.length && shape.length < COARSE_LIMIT; i++) {
    const now = classOf(text.charCodeAt(i));
    if (now !== last) {
      shape += now;
      last = now;
    }
  }
  return shape;
}

/** Every character by its class: `17621392B` is `99999999A`. */
export function fineShape(text: string): string {
  let shape = "";
  const end = Math.min(text.length, FINE_LIMIT);
  for (let i = 0; i < end; i++) {
    shape += classOf(text.charCodeAt(i));
  }
  return text.length > FINE_LIMIT ? `${shape}+` : shape;
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
