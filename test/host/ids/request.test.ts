import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canonical,
  decodeEntities,
  decodeEscapes,
  decodeForm,
  decodePercent,
} from "../../../host/ids/decode.ts";
import { createDetector, createTrainer, parseRequest } from "../../../host/ids/index.ts";

const json = { "content-type": "application/json" };
const values = (request: Parameters<typeof parseRequest>[0]) =>
  parseRequest(request)
    .parts.filter(({ name }) => name !== "content-type")
    .map(({ place, name, value }) => [place, name, value]);

describe("decoding", () => {
  it.each([
    ["a%20b", "a b"],
    ["a%2", "a%2"],
    ["%zz%41", "%zzA"],
    ["%C3%B1", "ñ"],
    ["%F1", "ñ"],
    ["%c0%ae", "."],
    ["%e0%80%af", "/"],
    ["%u0027", "'"],
    ["%f0%9f%98%80", "😀"],
    ["%", "%"],
    ["%%41", "%A"],
  ])("percent: %s", (from, to) => expect(decodePercent(from)).toBe(to));

  it("reads plus as a blank in forms only", () => {
    expect(decodeForm("a+b%2B")).toBe("a b+");
    expect(decodePercent("a+b")).toBe("a+b");
  });

  it.each([
    ["&lt;&#60;&#x3c;&#0000060;&#x3C", "<<<<<"],
    ["&lt &amp", "&lt &amp"],
    ["&nosuch; AT&T", "&nosuch; AT&T"],
    ["&#xffffff;", "&#xffffff;"],
  ])("entities: %s", (from, to) => expect(decodeEntities(from)).toBe(to));

  it("escapes of JavaScript", () =>
    expect(decodeEscapes("\\x3c\\u003c\\u{3c}\\u{110000}\\q")).toBe("<<<\\u{110000}\\q"));

  it("goes on to the canonical form in bounded steps", () => {
    expect(canonical("%2525253Cx")).toEqual({ text: "<x", rounds: 4 });
    let deep = "<";
    for (let i = 0; i < 20; i++) {
      deep = encodeURIComponent(deep);
    }
    expect(canonical(deep).rounds).toBe(4);
    expect(canonical("＜ＳＣＲＩＰＴ＞\0 ‘x’").text).toBe("<script> 'x'");
  });

  it("never throws and never lengthens without bound", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(canonical(text).text.length).toBeLessThanOrEqual(18 * text.length);
        expect(typeof decodeForm(text)).toBe("string");
      }),
    );
  });
});

describe("taking a request apart", () => {
  it("finds query, form, JSON, cookies and headers with their names", () => {
    expect(
      values({
        m: "GET",
        u: "http://h:1/a%20b?x=1&y&=z#f",
        headers: { Cookie: "s=1; t=a%20b", Accept: "x", "X-Note": "n" },
      }),
    ).toEqual([
      ["path", "", "/a b"],
      ["query", "x", "1"],
      ["query", "", "y"],
      ["query", "", "z"],
      ["cookie", "s", "1"],
      ["cookie", "t", "a b"],
      ["header", "x-note", "n"],
    ]);
    expect(values({ m: "POST", u: "/", b: "a=1+2&b=%F1" }).slice(1)).toEqual([
      ["form", "a", "1 2"],
      ["form", "b", "ñ"],
    ]);
    expect(
      values({ m: "POST", u: "/", headers: json, b: '{"a":{"b":[1,"x",null]},"$ne":true}' }).slice(1),
    ).toEqual([
      ["json", "a.b[]", "1"],
      ["json", "a.b[]", "x"],
      ["json", "a.b[]", "null"],
      ["name", "", "$ne"],
      ["json", "$ne", "true"],
    ]);
  });

  it("takes prose for text, and broken JSON too", () => {
    expect(values({ m: "POST", u: "/", b: "Patient seen; BP=120." }).slice(1)).toEqual([
      ["text", "", "Patient seen; BP=120."],
    ]);
    expect(values({ m: "POST", u: "/", headers: json, b: '{"a":' }).slice(1)).toEqual([
      ["text", "", '{"a":'],
    ]);
  });

  it("reads multipart and XML, and leaves sealed bodies alone", () => {
    const b = '--q\r\nContent-Disposition: form-data; name="f"; filename="x.jsp"\r\n\r\nhello\r\n--q--\r\n';
    expect(
      values({ m: "POST", u: "/", headers: { "Content-Type": "multipart/form-data; boundary=q" }, b }).slice(
        1,
      ),
    ).toEqual([
      ["multipart", "f.filename", "x.jsp"],
      ["multipart", "f", "hello"],
    ]);
    expect(
      values({
        m: "POST",
        u: "/",
        headers: { "content-type": "application/xml" },
        b: '<a x="1">t<!-- c --></a>',
      }).slice(1),
    ).toEqual([
      ["text", "", "1"],
      ["text", "", "t"],
      ["text", "", " c "],
    ]);
    expect(
      values({ m: "POST", u: "/", headers: { "content-type": "application/octet-stream" }, b: "<script>" })
        .length,
    ).toBe(1);
  });

  it("is bounded: many parts, deep JSON, long values", () => {
    const many = parseRequest({
      m: "POST",
      u: "/",
      b: Array.from({ length: 5000 }, (_, i) => `a${i}=1`).join("&"),
    });
    expect([many.truncated, many.parts.length]).toEqual([true, 512]);
    const deep = parseRequest({
      m: "POST",
      u: "/",
      headers: json,
      b: "[".repeat(20_000) + "]".repeat(20_000),
    });
    expect(deep.truncated).toBe(true);
    const long = parseRequest({ m: "POST", u: "/", b: `a=${"x".repeat(100_000)}%3Cscript%3E` });
    expect(long.truncated).toBe(true);
    expect(long.parts[1]?.value.length).toBeLessThan(20_000);
    // What is cut off in the middle does not hide the end.
    expect(
      createDetector().judge({ m: "POST", u: "/", b: `a=${"x".repeat(100_000)}%3Cscript%3E` }).alarm,
    ).toBe(true);
  });

  it("never throws, whatever comes, with rules and with a model", () => {
    const trainer = createTrainer();
    for (let i = 0; i < 20; i++) {
      trainer.add({ m: "GET", u: `/a?x=${i}` });
    }
    const detector = createDetector({ model: trainer.finish() });
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.webUrl(),
      fc.json(),
      fc.constantFrom("a[]=1&__proto__=2", '{"__proto__":{"a":1}}', "constructor=1"),
    );
    const request = fc.record(
      { m: fc.string(), u: text, b: text, headers: fc.dictionary(fc.string(), fc.string()) },
      { requiredKeys: ["m", "u"] },
    );
    fc.assert(
      fc.property(request, (one) => {
        const { score } = detector.judge(one);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  it("stays quick on texts made to slow matching down", () => {
    const detector = createDetector();
    const units = [
      "'",
      "((",
      "union select ",
      "a' or ",
      "<a ",
      "<!--",
      "${",
      "{{",
      "../",
      "; cat ",
      "%25",
      "&#x",
      "\\u0",
      "select(",
      "on=",
      "a=a and ",
      "/*",
      '="',
      "a.b.",
      "||",
    ];
    for (const unit of units) {
      const startedAt = performance.now();
      detector.judge({ m: "POST", u: "/", b: JSON.stringify({ a: unit.repeat(16_000 / unit.length) }) });
      // A hang takes minutes; a busy machine does not.
      expect(performance.now() - startedAt, unit).toBeLessThan(5000);
    }
  });
});
