import { MedcloudletError } from "../base/index.ts";

/** What a canonical value may hold: no arrays, for no entry of the log has one. */
export type CanonicalValue = string | number | null | { readonly [name: string]: CanonicalValue };

/**
 * The one JSON text of a value after RFC 8785: no white space, members sorted by the UTF-16 code units of their names,
 * strings and numbers as ECMAScript writes them (sections 3.2.2 and 3.2.3).
 * @throws MedcloudletError `AUDIT_EVENT_INVALID` for a number that is not finite or text that is no well-formed Unicode
 */
export function canonicalJson(value: CanonicalValue): string {
  if (typeof value === "object" && value !== null) {
    // Array.prototype.sort compares strings by code units, which is the order the RFC asks for.
    const members = Object.keys(value)
      .sort()
      .map((name) => `${text(name)}:${canonicalJson(value[name] as CanonicalValue)}`);
    return `{${members.join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw invalid("a number that is not finite");
  }
  return typeof value === "string" ? text(value) : JSON.stringify(value);
}

function text(value: string): string {
  if (/\p{Surrogate}/u.test(value)) {
    throw invalid("text that is not well-formed Unicode");
  }
  return JSON.stringify(value);
}

function invalid(what: string): MedcloudletError {
  return new MedcloudletError("AUDIT_EVENT_INVALID", `An audit entry cannot hold ${what}.`);
}
