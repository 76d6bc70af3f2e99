// biome-ignore-all lint/suspicious/noTemplateCurlyInString: samples of attacks hold what shells expand
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createInspector, type InspectedRequest, parseRequest, RULES } from "../../../host/ids/index.ts";
import { GramSet, gramsOf } from "../../../host/ids/rules/grams.ts";
import { Keys } from "../../../host/ids/rules/keys.ts";
import { Requirements, requiredBy } from "../../../host/ids/rules/required.ts";
import { Views } from "../../../host/ids/rules/rule.ts";

/** Whether a text passes what is required by a pattern, and the key of it. */
function passes(pattern: RegExp, text: string): boolean {
  const required = requiredBy(pattern);
  const requirements = new Requirements();
  const start = requirements.add(required);
  const grams = new GramSet(new Keys([required]));
  grams.clear();
  grams.add(text);
  return (grams.called[0] as number) !== 0 && requirements.isMet(start, grams);
}

describe("what a pattern requires", () => {
  it.each([
    [/\bunion (?:all )?select\b/, "1 union all select 2", "the union of select films"],
    [/ab?c{2,3}/, "xaccy", "abc"],
    [/(?:cat|dog)[ ;]{1,3}food/, "dog; food", "dog house"],
    [/[<>]script/, "<script", "script"],
    [/x(?=secret)y?/, "xsecret", "y"],
    [/\x3cb\u0072>/, "<br>", "b r"],
    [/(?:ab){2,4}/, "abab", "ab ba"],
    [/\.{2,20}\//, "../", "./"],
    [/(?:^|[^a-z])etc\/{1,4}(?:passwd|shadow)/, "/etc//shadow", "etc/shallow"],
  ])("%s: held by %j, not by %j", (pattern, match, other) => {
    expect(pattern.test(match)).toBe(true);
    expect(passes(pattern, match)).toBe(true);
    expect(passes(pattern, other)).toBe(false);
  });

  it.each([
    [/\d{3}/, "a"],
    [/a?/, ""],
    [/(?:ab|\w)/, "z"],
    [/K/iu, "\u212a"],
    [/[^a]b?/, "x"],
    [/\p{Cc}/u, "x"],
  ])("%s: nothing that it could name", (pattern, text) => {
    expect(passes(pattern, text)).toBe(true);
  });

  it("is told of a text however many came before it", () => {
    const grams = new GramSet(new Keys([]));
    const [gram = 0] = gramsOf("abc");
    for (let i = 0; i < 600; i++) {
      grams.clear();
      grams.add(i % 2 === 0 ? "xabcx" : "xabx");
      expect(grams.marks[gram] === grams.now).toBe(i % 2 === 0);
    }
  });
});

describe("passing over rules that cannot fire", () => {
  const inspector = createInspector();
  const samples = RULES.flatMap(({ fires, quiet }) => [...fires, ...quiet]);
  const pieces = samples.flatMap((sample) => [sample, sample.slice(sample.length / 2), sample.slice(0, 6)]);
  const piece = fc.oneof(
    fc.constantFrom(...pieces),
    fc.constantFrom(" ", "  ", "\n", "\0", "'", "/*", "*/", "$", "${ifs}", "é", "＜", "\u212a", "e\u0301"),
    fc.string({ maxLength: 4 }),
  );
  const value = fc.array(piece, { minLength: 1, maxLength: 8 }).map((given) => given.join(""));

  /** Every pattern on its view, without any short cut but the one that belongs to the rules: their words. */
  function searched(request: InspectedRequest): string[] {
    const views = new Views(new Keys([]));
    const fired = new Set<string>();
    for (const part of parseRequest(request).parts) {
      views.turnTo(part);
      for (const { id, places, words, pattern, view } of RULES) {
        const text = views.get(view);
        const isWorded =
          words === undefined || text.length < 160 || words.some((word) => text.includes(word));
        if ((places === undefined || places.includes(part.place)) && isWorded && pattern.test(text)) {
          fired.add(id);
        }
      }
    }
    return [...fired];
  }

  it("passes over none that a search of every pattern finds, once marks and numbers are set aside", () => {
    const unmarked = createInspector(RULES.map(({ holds: _holds, ...rule }) => rule));
    const anchor = "'\"`<>()[]{};|&$#*/\\.:=!%@-";
    fc.assert(
      fc.property(value, (text) => {
        const marked = `${anchor}${text}`;
        const request = { m: "POST", u: "/", b: JSON.stringify({ a: marked, b: text }) };
        const asJson = { ...request, headers: { "content-type": "application/json" } };
        const found = unmarked.inspect(parseRequest(asJson).parts).map(({ rule }) => rule);
        const wanted = searched({ ...asJson, b: JSON.stringify({ a: marked }) });
        expect(found).toEqual(expect.arrayContaining(wanted));
        expect(inspector.inspect(parseRequest(asJson).parts).length).toBeLessThanOrEqual(found.length);
      }),
      { numRuns: 300 },
    );
  });
});
