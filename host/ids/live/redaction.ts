import type { IncomingHttpHeaders } from "node:http";
import type { Hit } from "../rules/index.ts";

/** Fields of JSON bodies that hold secrets, or what only its owner can open. Nothing of them is looked at. */
const SECRET_FIELDS = new Set([
  "password",
  "newPassword",
  "code",
  "deviceToken",
  "token",
  "ticket",
  "proof",
  "invitation",
  "verifier",
  "locked",
  "keystore",
  "escrow",
  "secret",
  // What somebody writes to the security officer: people quote what they are accused of.
  "appeal",
]);

/** Headers that carry credentials. */
const SECRET_HEADERS = new Set([
  "authorization",
  "proxy-authorization",
  "dpop",
  "device-ticket",
  "cookie",
  "set-cookie",
  // No secret: a number that Node has checked, and another one with every request.
  "content-length",
]);

/** Ids, keys, signed statements: characters that no attack can be written in, and half of what an API carries. */
const OPAQUE = /^[A-Za-z0-9_-]{24,}(?:\.[A-Za-z0-9_-]+){0,4}$/;

const MAX_DEPTH = 32;

/** A parsed body without secrets and without what cannot hold an attack. */
export function redactBody(value: unknown, depth = 0): unknown {
  if (typeof value === "string") {
    return OPAQUE.test(value) ? "" : value;
  }
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((item) => redactBody(item, depth + 1));
  }
  const kept: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    if (!SECRET_FIELDS.has(name)) {
      Object.defineProperty(kept, name, {
        value: redactBody(item, depth + 1),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }
  return kept;
}

/** Headers without credentials, one text each. */
export function redactHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && !SECRET_HEADERS.has(name)) {
      kept[name] = typeof value === "string" ? value : value.join(", ");
    }
  }
  return kept;
}

/** Names of parameters are the sender's choice: what is not plain is not written down. */
const PLAIN_NAME = /^[\w.[\]-]{0,64}$/;

/** What fired and where, and nothing of what was sent. */
export function redactHits(hits: readonly Hit[]): { rule: string; place: Hit["place"]; name: string }[] {
  return hits.slice(0, 16).map(({ rule, place, name }) => ({
    rule,
    place,
    name: PLAIN_NAME.test(name) ? name : "?",
  }));
}
