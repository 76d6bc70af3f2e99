import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../host/audit/canonical.ts";
import { chainEntry, chainStart, entryHash, parseEntry, parseEvent } from "../../../host/audit/chain.ts";
import { isMedcloudletError } from "../../../host/base/index.ts";
import { chainOf, eventOf, idOf } from "./made-log.ts";

const LOG = idOf(0xabc);

function codeOf(work: () => unknown): string {
  try {
    work();
    return "none";
  } catch (error) {
    return isMedcloudletError(error) ? error.code : String(error);
  }
}

describe("canonical JSON", () => {
  it("writes the sample of RFC 8785, section 3.2.2, as far as entries can hold it", () => {
    const value = {
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
      literals: null,
      numbers: { a: 333333333.3333333, b: 1e30, c: 4.5, d: 2e-3, e: 0.000000000000000000000000001 },
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":null,"numbers":{"a":333333333.3333333,"b":1e+30,"c":4.5,"d":0.002,"e":1e-27},' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("sorts names as section 3.2.3 does: by UTF-16 code units", () => {
    const names = ["\u20ac", "\r", "\ufb33", "1", "\u{1f600}", "\u0080", "\u00f6"];
    const sorted = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\u{1f600}", "\ufb33"];
    const value = Object.fromEntries(names.map((name) => [name, 1]));
    expect(Object.keys(JSON.parse(canonicalJson(value)))).toEqual(
      Object.keys(Object.fromEntries(sorted.map((name) => [name, 1]))),
    );
    expect(canonicalJson(value)).toBe(`{${sorted.map((name) => `${JSON.stringify(name)}:1`).join(",")}}`);
  });

  it("gives one text whatever the order of members, and refuses what has none", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string(),
          fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true })),
        ),
        (value) => {
          const reversed = Object.fromEntries(Object.entries(value).reverse());
          expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        },
      ),
    );
    expect(codeOf(() => canonicalJson({ a: Number.NaN }))).toBe("AUDIT_EVENT_INVALID");
    expect(codeOf(() => canonicalJson({ a: "\ud800" }))).toBe("AUDIT_EVENT_INVALID");
  });
});

describe("an entry", () => {
  it("has the hash that PROTOCOL says, computed here by other means", () => {
    const start = chainStart(LOG);
    expect(start.hash).toBe(
      createHash("sha256").update("medcloudlet audit log v1").update(Buffer.from(LOG, "hex")).digest("hex"),
    );
    const entry = chainEntry(start, eventOf(4), 1_767_225_600_000);
    const json =
      `{"action":"emergency.release","actor":"${idOf(4)}","actorRole":"doctor","at":1767225600000,"code":null,` +
      '"details":{"reason":"Ohnmacht, Übergabe ½"},"object":null,"outcome":"success",' +
      `"owner":"${idOf(1004)}","requestId":"request-4","sequence":1}`;
    expect(entry.hash).toBe(
      createHash("sha256")
        .update("medcloudlet audit entry v1")
        .update(Buffer.from(start.hash, "hex"))
        .update(json)
        .digest("hex"),
    );
  });

  it("changes its hash with every field", () => {
    const [, entry] = chainOf(LOG, 2);
    const { hash, ...rest } = entry as NonNullable<typeof entry>;
    const changes = {
      action: "login.other",
      actor: idOf(99),
      actorRole: "doctor",
      owner: idOf(98),
      object: idOf(97),
      outcome: "refused",
      code: "CONSENT_MISSING",
      requestId: "other",
      details: { regions: 3, purpose: "treatment" },
      sequence: 3,
      at: rest.at + 1,
      previous: "0".repeat(64),
    } as const;
    expect(Object.keys(changes).sort()).toEqual(Object.keys(rest).sort());
    for (const change of Object.entries(changes)) {
      expect(entryHash({ ...rest, ...Object.fromEntries([change]) })).not.toBe(hash);
    }
    expect(entryHash(rest)).toBe(hash);
  });

  it("is refused in any other form", () => {
    const [entry] = chainOf(LOG, 1);
    expect(parseEntry(entry)).toEqual(entry);
    for (const bad of [
      null,
      [],
      { ...entry, extra: 1 },
      { ...entry, sequence: 0 },
      { ...entry, sequence: 1.5 },
      { ...entry, hash: "AB".repeat(32) },
      { ...entry, outcome: "success" },
      { ...entry, actor: { $gt: "" } },
    ]) {
      expect(parseEntry(bad)).toBeNull();
    }
  });
});

describe("an event", () => {
  it.each([
    ["an action of another form", { action: "Consent Give" }],
    ["an actor that is no id", { actor: "quiet-otter" }],
    ["a success with a code", { code: "NO" }],
    ["a refusal without one", { outcome: "refused" }],
    ["a detail that is an object", { details: { a: { $gt: "" } } }],
    ["a detail with a name of every object", { details: { constructor: "x" } }],
    ["a detail that starts like an operator", { details: { $where: "x" } }],
    ["a long detail", { details: { a: "x".repeat(501) } }],
    ["many details", { details: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`a${i}`, i])) }],
    ["half a character", { details: { a: "\ud83d" } }],
    ["a number that is none", { details: { a: Number.NaN } }],
    ["a field more", { password: "x" }],
  ])("with %s is refused before it is written for ever", (_, change) => {
    expect(codeOf(() => parseEvent(eventOf(5)))).toBe("none");
    expect(codeOf(() => parseEvent({ ...eventOf(5), ...change }))).toBe("AUDIT_EVENT_INVALID");
  });
});
