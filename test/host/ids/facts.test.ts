import { describe, expect, it } from "vitest";
import { createDetector, type InspectedRequest, parseRequest } from "../../../host/ids/index.ts";

const detector = createDetector();
const rules = (request: InspectedRequest): string[] => detector.judge(request).hits.map(({ rule }) => rule);
const get = (u: string, headers: Record<string, string> = {}): InspectedRequest => ({ m: "GET", u, headers });

describe("what shows only in the request as a whole", () => {
  it.each([
    ["two parameters of one name", get("/?id=1/*&x=5&id=*/union/**/select/**/1,2")],
    ["a comment over two fields", get("/?user=1'/*&pass=*/or/**/1=1--")],
    ["a comment over a form", { m: "POST", u: "/", b: "a=x'/*&b=*/union select 1,2,3" }],
    ["pieces that a server joins with commas", get("/?id=1 union select 1&id=2&id=3 from users")],
    ["a path with plus signs for blanks", get("/post/24'+union+all+select+1,2,3+from+t")],
  ])("sees a payload in %s", (_where, request) => {
    expect(rules(request).some((rule) => rule.startsWith("sql-"))).toBe(true);
    expect(detector.judge(request).alarm).toBe(true);
  });

  it("does not make payloads of lists and of files' patterns", () => {
    expect(rules(get("/?ward=east&ward=west&ward=north"))).toEqual([]);
    expect(rules(get("/?type=image/*&type=text/*"))).toEqual([]);
    expect(rules(get("/?a[]=select&a[]=union"))).toEqual([]);
  });

  it.each([
    ["in the query", get("/x?_method=DELETE")],
    ["in a form", { m: "POST", u: "/x", b: "_method=put&a=1" }],
    ["in a header", get("/x", { "X-HTTP-Method-Override": "PATCH" })],
  ])("sees a method that is overridden %s", (_where, request) => {
    expect(rules(request)).toEqual(["protocol-method-override"]);
  });

  it("leaves an override to the same method, and a field that only sounds like it, alone", () => {
    expect(rules({ m: "POST", u: "/x", b: "_method=post&a=1" })).toEqual([]);
    expect(rules(get("/x?method=delete"))).toEqual([]);
    expect(rules(get("/x?_method=delete1"))).toEqual([]);
  });

  it("sees a session that another site chose, not one of the own site", () => {
    const login = "/login?phpsessid=abc123";
    const host = { Host: "clinic.example" };
    expect(rules(get(login, { ...host, Referer: "https://evil.example/x" }))).toEqual([
      "protocol-foreign-session",
    ]);
    expect(rules(get(login, { ...host, Referer: "https://clinic.example/x" }))).toEqual([]);
    expect(rules(get("/reset?token=abc123", { ...host, Referer: "https://mail.example/x" }))).toEqual([]);
    expect(rules(get("/talks?session=keynote", { ...host, Referer: "https://mail.example/x" }))).toEqual([]);
    expect(rules(get("/login?user=abc123", { ...host, Referer: "https://evil.example/x" }))).toEqual([]);
    expect(rules(get(login, { Host: "clinic.example:8443", Referer: "https://clinic.example/x" }))).toEqual(
      [],
    );
  });

  it("sees two lengths, a method that is no token, encodings that only hide, and a path with a line break", () => {
    expect(rules(get("/", { "Transfer-Encoding": "chunked", "Content-Length": "5" }))).toContain(
      "protocol-length-ambiguous",
    );
    expect(rules({ m: "G<T", u: "/" })).toEqual(["protocol-malformed-method"]);
    expect(rules(get("/?a=%c0%af"))).toContain("protocol-evasive-encoding");
    expect(rules(get("/?a=%uff0F"))).toContain("protocol-evasive-encoding");
    expect(rules(get("/?a=%F1and%20%C3%B1"))).toEqual([]);
    expect(rules(get("/foo%0Abar"))).toContain("protocol-path-break");
  });

  it("raises no alarm for a body that comes with GET", () => {
    expect(detector.judge({ m: "GET", u: "/search", b: "hello" })).toMatchObject({ alarm: false });
    expect(rules({ m: "GET", u: "/search", b: "hello" })).toEqual(["protocol-body-unexpected"]);
  });

  it("reads a form without a type, and names that reach into prototypes", () => {
    expect(parseRequest({ m: "POST", u: "/", b: "%22+union+select+1" }).parts[1]).toMatchObject({
      place: "form",
      value: '" union select 1',
    });
    expect(rules(get("/?__proto__[test]=1"))).toContain("code-javascript");
    const json = { "content-type": "application/json" };
    expect(rules({ m: "POST", u: "/", headers: json, b: '{"a":{"__proto__":{"x":1}}}' })).toContain(
      "code-javascript",
    );
  });
});
