import type { InspectedRequest, Part } from "./request.ts";

/** What a request is, beyond any single value of it; rules of the place `protocol` and `joined` look at it. */
export interface Fact {
  readonly place: "protocol" | "joined";
  readonly name: string;
  readonly value: string;
}

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]{1,20}$/;
const OVERRIDE_HEADERS = new Set(["x-http-method", "x-http-method-override", "x-method-override"]);
/** Names under which servers and frameworks keep a session; a bare `token` is in every link to reset a password. */
const SESSION_NAME =
  /^(?:[\w.:-]{0,20}[._:-]sess(?:ion)?|[\w.:-]{0,20}sess(?:ion)?[._:-]?(?:id|token|key)|(?:[\w.:-]{0,20}[._:-])?sid|(?:meteor_login|shiny)[_-]token|aspsessionid\w{0,12}|cfid|cftoken|cakephp|weblogicsession)$/i;
const MOST_JOINED = 4096;

function hostOf(url: string): string | undefined {
  return /^https?:\/\/([^/?#:@]{1,253})(?:[:/?#]|$)/i.exec(url)?.[1]?.toLowerCase();
}

/** A client that says it means another method than the one it uses, as some frameworks allow. */
function overrideOf(request: InspectedRequest, parts: readonly Part[]): string | undefined {
  const given = parts.find(({ place, name }) =>
    place === "header" ? OVERRIDE_HEADERS.has(name) : name === "_method" && place !== "cookie",
  )?.value;
  return given !== undefined &&
    /^[a-z]{3,10}$/i.test(given) &&
    given.toUpperCase() !== request.m.toUpperCase()
    ? given.toLowerCase()
    : undefined;
}

/** A session's name in query or form while the visitor comes from another site: somebody chose it for them. */
function foreignSession(referer: string, hostHeader: string, parts: readonly Part[]): string | undefined {
  const from = hostOf(referer);
  const host = hostHeader.replace(/:\d{1,5}$/, "").toLowerCase();
  if (from === undefined || from === host || host === "") {
    return undefined;
  }
  return parts.find(
    ({ place, name, value }) =>
      (place === "query" || place === "form") && value.length >= 4 && SESSION_NAME.test(name),
  )?.name;
}

/**
 * Values that a server may put together again: parameters of one name (some servers join them with a comma), and a
 * comment that is opened in one value and closed in a later one.
 */
function joined(parts: readonly Part[]): Fact[] {
  if (!parts.some(({ place }) => place === "query" || place === "form")) {
    return [];
  }
  const byName = new Map<string, string[]>();
  const facts: Fact[] = [];
  let open: Part | undefined;
  for (const part of parts) {
    const { place, name, value } = part;
    if (place !== "query" && place !== "form") {
      continue;
    }
    if (name !== "" && !name.endsWith("[]")) {
      const before = byName.get(name);
      if (before === undefined) {
        byName.set(name, [value]);
      } else {
        before.push(value);
      }
    }
    if (open !== undefined && value.includes("*/")) {
      facts.push({ place: "joined", name, value: `${open.value}${value}`.slice(0, MOST_JOINED) });
      open = undefined;
    }
    if (value.lastIndexOf("/*") > value.lastIndexOf("*/")) {
      open = part;
    }
  }
  for (const [name, values] of byName) {
    if (values.length > 1 && values.length <= 16) {
      facts.push({ place: "joined", name, value: values.join(",").slice(0, MOST_JOINED) });
    }
  }
  return facts;
}

/** Encodings that only hide: overlong UTF-8 and full-width forms as `%uFFxx`. */
const OVERLONG = /%c[01]%[89ab][0-9a-f]|%e0%[89][0-9a-f]%[89ab]|%f0%8[0-9a-f]%/i;
const FULL_WIDTH = /%uff[0-5][0-9a-f]/i;

function encodings(text: string, add: (name: string, value: string) => void): void {
  if (!text.includes("%")) {
    return;
  }
  if (OVERLONG.test(text)) {
    add("encoding", "overlong");
  }
  if (FULL_WIDTH.test(text)) {
    add("encoding", "full-width");
  }
}

/** The few headers that matter here, whatever the case of their names. */
function headersOf({ headers }: InspectedRequest) {
  const found = { referer: "", host: "", isEncoded: false, isCounted: false };
  for (const header in headers) {
    switch (header.toLowerCase()) {
      case "referer":
        found.referer = headers[header] ?? "";
        break;
      case "host":
        found.host = headers[header] ?? "";
        break;
      case "transfer-encoding":
        found.isEncoded = true;
        break;
      case "content-length":
        found.isCounted = true;
        break;
    }
  }
  return found;
}

/** Everything that only shows in the request as a whole. Linear in its length. */
export function factsOf(request: InspectedRequest, path: string, parts: readonly Part[]): Fact[] {
  const facts = joined(parts);
  const add = (name: string, value: string): void => {
    facts.push({ place: "protocol", name, value: `${name} ${value}` });
  };
  const headers = headersOf(request);
  if (!TOKEN.test(request.m)) {
    add("method", "malformed");
  }
  if ((request.b ?? "") !== "" && /^(?:get|head)$/i.test(request.m)) {
    add("body", `unexpected ${request.m.toLowerCase()}`);
  }
  if (headers.isEncoded && headers.isCounted) {
    add("length", "ambiguous");
  }
  const override = overrideOf(request, parts);
  if (override !== undefined) {
    add("override", override);
  }
  const session = headers.referer === "" ? undefined : foreignSession(headers.referer, headers.host, parts);
  if (session !== undefined) {
    add("session", session);
  }
  encodings(request.u, add);
  if (path.includes("+")) {
    facts.push({ place: "joined", name: "path", value: path.replaceAll("+", " ") });
  }
  return facts;
}
