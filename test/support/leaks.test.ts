import { describe, expect, it } from "vitest";
import { utf8 } from "../../host/base/index.ts";
import { flatten, spellings } from "./leaks.ts";

const secret = utf8("Ada Quillfeather");
const found = (document: unknown) =>
  spellings(secret).some((spelling) => flatten(document).includes(spelling));

describe("the search for leaks", () => {
  it("finds a planted secret wherever a careless server might have put it", () => {
    const buffer = Buffer.from(secret);
    const token = Buffer.from(JSON.stringify({ sub: "x", name: "Ada Quillfeather" })).toString("base64url");
    for (const document of [
      { name: "Ada Quillfeather" },
      { deep: [{ er: "Hello Ada Quillfeather!" }] },
      { hex: buffer.toString("hex") },
      { hex: `00${buffer.toString("hex").toUpperCase()}ff` },
      { base64: buffer.toString("base64") },
      { token: `eyJhbGciOiJFZERTQSJ9.${token}.c2lnbmF0dXJl` },
      { bytes: new Uint8Array([1, 2, 3, ...secret, 4]) },
      { "Ada Quillfeather": true },
    ]) {
      expect(found(document), JSON.stringify(document)).toBe(true);
    }
  });

  it("finds nothing where nothing is", () => {
    expect(found({ name: "Ada", token: "eyJhbGciOiJFZERTQSJ9", bytes: new Uint8Array(64) })).toBe(false);
  });
});
