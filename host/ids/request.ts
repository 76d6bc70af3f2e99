import { z } from "zod";
import { canonical, decodeForm, decodePercent } from "./decode.ts";
import { factsOf } from "./facts.ts";

/** One line of a request log, and what the middleware makes of a live request. */
export const requestRecordSchema = z.strictObject({
  id: z.union([z.string().max(256), z.number()]).optional(),
  /** Method. */
  m: z.string().max(64),
  /** Path and query as sent, still encoded; or an absolute URL. */
  u: z.string().max(1_000_000),
  /** Body as text; absent where there was none or where nobody kept it. */
  b: z.string().max(4_000_000).optional(),
  headers: z.record(z.string().max(256), z.string().max(65_536)).optional(),
  /** Label, where known: 1 attack, 0 benign. Only `ids train` and `ids evaluate` look at it, never a detector. */
  y: z.union([z.literal(0), z.literal(1), z.null()]).optional(),
});

export type RequestRecord = z.output<typeof requestRecordSchema>;

/** What a detector may see: a record without its label. */
export type InspectedRequest = Omit<RequestRecord, "y">;

export type Place =
  | "method"
  | "path"
  | "query"
  | "form"
  | "json"
  | "multipart"
  | "text"
  | "header"
  | "cookie"
  | "name"
  /** What is true of the request as a whole (`facts.ts`). */
  | "protocol"
  /** Values that a server may put together. */
  | "joined";

/** One value of a request with where it stood. */
export interface Part {
  readonly place: Place;
  /** Name of the parameter, `a.b[].c` in JSON; of a header in lower case; empty for path and text. */
  readonly name: string;
  /** As the application reads it: decoded once. */
  readonly value: string;
  /** All encodings undone; what the rules look at. */
  readonly canon: string;
  /** Further rounds of decoding that were needed (see `canonical`). */
  readonly rounds: number;
}

export interface ParsedRequest {
  readonly method: string;
  /** Decoded once, without query. */
  readonly path: string;
  readonly parts: readonly Part[];
  /** True where a bound cut something off. */
  readonly truncated: boolean;
}

const LIMITS = {
  parts: 512,
  /** Characters of one value that are looked at: its head and its tail. */
  valueHead: 12_288,
  valueTail: 4_096,
  jsonDepth: 32,
  jsonBytes: 1_048_576,
} as const;

/** Headers whose values say nothing about an attack, or change with every request. */
const QUIET_HEADERS = new Set([
  "host",
  "connection",
  "content-length",
  "accept",
  "accept-encoding",
  "accept-language",
  "accept-charset",
  "date",
  "cache-control",
  "pragma",
  "keep-alive",
  "authorization",
  "dpop",
  "if-none-match",
  "if-modified-since",
  "etag",
  "sec-fetch-site",
  "sec-fetch-mode",
  "sec-fetch-dest",
  "sec-fetch-user",
  "upgrade-insecure-requests",
  "te",
  "priority",
]);

class Collector {
  readonly parts: Part[] = [];
  truncated = false;

  add(place: Place, name: string, value: string): void {
    if (this.parts.length >= LIMITS.parts) {
      this.truncated = true;
      return;
    }
    const kept = this.bound(value);
    const { text, rounds } = canonical(kept);
    this.parts.push({
      place,
      name: name.length > 128 ? name.slice(0, 128) : name,
      value: kept,
      canon: text,
      rounds,
    });
  }

  private bound(value: string): string {
    if (value.length <= LIMITS.valueHead + LIMITS.valueTail) {
      return value;
    }
    this.truncated = true;
    return `${value.slice(0, LIMITS.valueHead)}\n${value.slice(-LIMITS.valueTail)}`;
  }
}

/** A name that itself could carry a payload is inspected like a value. */
const PLAIN_NAME = /^(?!.{0,60}(?:__proto__|prototype|r[oO]0[aA][bB]|aced0005))[\w[\]-]{0,64}$/;

function addNamed(into: Collector, place: Place, name: string, value: string): void {
  if (!PLAIN_NAME.test(name)) {
    into.add("name", "", name);
  }
  into.add(place, name, value);
}

function addPairs(into: Collector, place: Place, text: string): void {
  if (text === "") {
    return;
  }
  let from = 0;
  while (from <= text.length && !into.truncated) {
    const next = text.indexOf("&", from);
    const end = next < 0 ? text.length : next;
    if (end > from) {
      const pair = text.slice(from, end);
      const equals = pair.indexOf("=");
      if (equals < 0) {
        // A query without names ("?../../etc/passwd"): the whole is the value.
        addNamed(into, place, "", decodeForm(pair));
      } else {
        addNamed(into, place, decodeForm(pair.slice(0, equals)), decodeForm(pair.slice(equals + 1)));
      }
    }
    if (next < 0) {
      break;
    }
    from = next + 1;
  }
}

function addJson(into: Collector, name: string, value: unknown, depth: number): void {
  if (into.truncated) {
    return;
  }
  if (depth > LIMITS.jsonDepth) {
    into.truncated = true;
  } else if (typeof value === "string") {
    into.add("json", name, value);
  } else if (Array.isArray(value)) {
    for (const item of value) {
      addJson(into, `${name}[]`, item, depth + 1);
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (!PLAIN_NAME.test(key)) {
        into.add("name", "", key);
      }
      addJson(into, name === "" ? key : `${name}.${key}`, item, depth + 1);
    }
  } else {
    into.add("json", name, String(value));
  }
}

function parseJson(text: string): unknown {
  if (text.length > LIMITS.jsonBytes) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function addMultipart(into: Collector, boundary: string, text: string): void {
  for (const section of text.split(`--${boundary}`, LIMITS.parts).slice(1)) {
    const split = /\r?\n\r?\n/.exec(section);
    const head = split === null ? section : section.slice(0, split.index);
    const name = /\bname="?([^";\r\n]{0,200})/i.exec(head)?.[1] ?? "";
    const file = /\bfilename="?([^"\r\n]{0,400})/i.exec(head)?.[1];
    if (file !== undefined) {
      into.add("multipart", `${name}.filename`, file);
    }
    if (split !== null) {
      addNamed(into, "multipart", name, section.slice(split.index + split[0].length).replace(/\r?\n$/, ""));
    }
  }
}

/** Names of elements and attributes have dots and colons; only those of classes that a reader might make are inspected. */
const XML_NAME = /^(?!(?:javax?|sun|com\.sun|org\.apache)\.)[\w.:-]{0,200}$/;

const XML_TOKEN =
  /<!--[\s\S]{0,2000}?-->|<!\[CDATA\[[\s\S]{0,8000}?\]\]>|<(?:[^<>"']|"[^"]{0,4000}"|'[^']{0,4000}'){1,4000}>|[^<]{1,16000}/g;

/** Texts, attribute values, and the names that are not plain; declarations as a whole, for what they may pull in. */
function addXml(into: Collector, text: string): void {
  for (const [token] of text.matchAll(XML_TOKEN)) {
    if (into.truncated) {
      return;
    }
    if (!token.startsWith("<")) {
      if (token.trim() !== "") {
        into.add("text", "", token);
      }
    } else if (token.startsWith("<![CDATA[")) {
      into.add("text", "", token.slice(9, -3));
    } else if (token.startsWith("<!--")) {
      into.add("text", "", token.slice(4, -3));
    } else if (token.startsWith("<!") || (token.startsWith("<?") && !token.startsWith("<?xml"))) {
      into.add("text", "", token);
    } else {
      for (const [, name, , value] of token.matchAll(
        /([^\s<>="'/]{1,200})(?:\s{0,8}=\s{0,8}(["'])([\s\S]{0,4000}?)\2)?/g,
      )) {
        if (name !== undefined && !XML_NAME.test(name)) {
          into.add("name", "", name);
        }
        if (value !== undefined) {
          into.add("text", "", value);
        }
      }
    }
  }
}

/** A form begins with a short name and an equals sign, or has escapes and no blank; prose does not. */
const LOOKS_LIKE_FORM = /^[^\s=&<{]{1,128}=|^[^\s<{]{0,200}%[0-9a-f]{2}[^\s<{]{0,4000}\s{0,2}$/i;

function addBody(into: Collector, text: string, type: string): void {
  if (text === "" || type.startsWith("application/octet-stream")) {
    return;
  }
  const first = text.trimStart().charAt(0);
  if (type.includes("json") || (type === "" && (first === "{" || first === "["))) {
    const value = parseJson(text);
    if (value !== undefined) {
      addJson(into, "", value, 0);
      return;
    }
  }
  if (type.includes("xml") || (type === "" && text.startsWith("<?xml"))) {
    addXml(into, text);
    return;
  }
  const boundary = /\bboundary="?([^";\s]{1,100})/i.exec(type)?.[1];
  if (boundary !== undefined) {
    addMultipart(into, boundary, text);
  } else if (type.includes("urlencoded") || (type === "" && LOOKS_LIKE_FORM.test(text))) {
    addPairs(into, "form", text);
  } else {
    into.add("text", "", text);
  }
}

function addHeaders(into: Collector, headers: Readonly<Record<string, string>>): void {
  for (const [header, value] of Object.entries(headers)) {
    const name = header.toLowerCase();
    if (name === "cookie") {
      for (const pair of value.split(";", 64)) {
        const equals = pair.indexOf("=");
        addNamed(
          into,
          "cookie",
          pair.slice(0, Math.max(0, equals)).trim(),
          decodePercent(pair.slice(equals + 1)),
        );
      }
    } else if (!QUIET_HEADERS.has(name)) {
      into.add("header", name, value);
    }
  }
}

/** Path and query of a target in origin or absolute form (RFC 9112, section 3.2). */
function splitTarget(target: string): { path: string; query: string } {
  const scheme = /^[a-z][a-z0-9+.-]{0,20}:\/\/[^/?#]{0,300}/i.exec(target);
  const rest = scheme === null ? target : target.slice(scheme[0].length);
  const hash = rest.indexOf("#");
  const whole = hash < 0 ? rest : rest.slice(0, hash);
  const mark = whole.indexOf("?");
  return mark < 0 ? { path: whole, query: "" } : { path: whole.slice(0, mark), query: whole.slice(mark + 1) };
}

/**
 * Takes a request apart into decoded values, each with its place. Never throws, whatever the input; work and memory are
 * bounded by `LIMITS`.
 */
export function parseRequest(request: InspectedRequest): ParsedRequest {
  const into = new Collector();
  const { path: rawPath, query } = splitTarget(request.u);
  const path = decodePercent(rawPath);
  into.add("path", "", path);
  addPairs(into, "query", query);
  const headers = request.headers ?? {};
  const typeKey = Object.keys(headers).find((name) => name.toLowerCase() === "content-type");
  const type = typeKey === undefined ? "" : (headers[typeKey] as string).toLowerCase().trim();
  const rawType = typeKey === undefined ? "" : (headers[typeKey] as string);
  if (request.b !== undefined) {
    addBody(into, request.b, type.startsWith("multipart/") ? rawType : type);
  }
  addHeaders(into, headers);
  for (const { place, name, value } of factsOf(request, path, into.parts)) {
    into.add(place, name, value);
  }
  return { method: request.m, path, parts: into.parts, truncated: into.truncated };
}
