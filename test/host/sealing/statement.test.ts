import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { fromBase64Url, toBase64Url, utf8 } from "../../../host/base/index.ts";
import { type SigningKey, signStatement, verifyStatement } from "../../../host/sealing/index.ts";
import { type StatementKind, verifySelfSigned } from "../../../host/sealing/statement.ts";
import { encoded, flipped, jwsByHand, newSigningKey, rejectionOf } from "./fixtures.ts";

const PROMISE = { typ: "test-promise", schema: z.strictObject({ what: z.string(), times: z.number() }) };
const OTHER = { typ: "test-other", schema: PROMISE.schema };
const NAMING: StatementKind<{ key: string }> = {
  typ: "test-naming",
  schema: z.strictObject({ key: z.string() }),
};
const PAYLOAD = { what: "soup", times: 3 };
const HEADER = { alg: "EdDSA", typ: PROMISE.typ };

let key: SigningKey;
let statement: string;
beforeAll(async () => {
  key = await newSigningKey();
  statement = await signStatement(PROMISE, PAYLOAD, key);
});

const verdictOn = (text: string) => rejectionOf(verifyStatement(PROMISE, text, key.publicKey));
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

describe("a statement", () => {
  it("gives back what was signed", async () => {
    expect(await verifyStatement(PROMISE, statement, key.publicKey)).toEqual(PAYLOAD);
  });

  it("is a compact JWS with algorithm and kind in its header, and nothing else", async () => {
    const [header, payload, signature] = statement.split(".") as [string, string, string];
    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual(HEADER);
    expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toEqual(PAYLOAD);
    expect(fromBase64Url(signature)).toHaveLength(64);
    expect(await jwsByHand(HEADER, encoded(PAYLOAD), key)).toBe(statement);
  });

  it("is not signed when it does not fit its kind", async () => {
    const broken: unknown = { what: "soup", times: 3, more: 1 };
    await expect((async () => signStatement(PROMISE, broken as typeof PAYLOAD, key))()).rejects.toThrow();
  });

  it("is refused as one of another kind, and from another signer", async () => {
    expect(await rejectionOf(verifyStatement(OTHER, statement, key.publicKey))).toBe("STATEMENT_INVALID");
    const other = await newSigningKey();
    expect(await rejectionOf(verifyStatement(PROMISE, statement, other.publicKey))).toBe("STATEMENT_INVALID");
    expect(await rejectionOf(verifyStatement(PROMISE, statement, new Uint8Array(31)))).toBe(
      "STATEMENT_INVALID",
    );
  });

  it("is refused with any one character changed", async () => {
    for (let at = 0; at < statement.length; at++) {
      const character = ALPHABET[(ALPHABET.indexOf(statement[at] as string) + 1) % 64] as string;
      const changed = statement.slice(0, at) + character + statement.slice(at + 1);
      if ((await verdictOn(changed)) !== "STATEMENT_INVALID") {
        expect.fail(`character ${at} can be changed`);
      }
    }
  });
});

describe("a forged statement", () => {
  const part = (value: unknown) => encoded(value);

  it.each(["none", "None", "NONE", ""])("with the algorithm %j and no signature is refused", async (alg) => {
    expect(await verdictOn(`${part({ ...HEADER, alg })}.${part(PAYLOAD)}.`)).toBe("STATEMENT_INVALID");
    expect(await verdictOn(`${part({ ...HEADER, alg })}.${part(PAYLOAD)}.${statement.split(".")[2]}`)).toBe(
      "STATEMENT_INVALID",
    );
  });

  it("with HMAC under the public key is refused", async () => {
    const signed = `${part({ ...HEADER, alg: "HS256" })}.${part(PAYLOAD)}`;
    const mac = createHmac("sha256", key.publicKey).update(signed).digest();
    expect(await verdictOn(`${signed}.${toBase64Url(mac)}`)).toBe("STATEMENT_INVALID");
  });

  it.each([
    ["ES256", "P-256"],
    ["EdDSA", "P-256"],
  ])("with %s on the curve %s is refused", async (alg, namedCurve) => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
    const signed = `${part({ ...HEADER, alg, jwk: publicKey.export({ format: "jwk" }) })}.${part(PAYLOAD)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
    expect(await verdictOn(`${signed}.${toBase64Url(signature)}`)).toBe("STATEMENT_INVALID");
  });

  it("with Ed448 under the name EdDSA is refused", async () => {
    const { privateKey } = generateKeyPairSync("ed448");
    const signed = `${part(HEADER)}.${part(PAYLOAD)}`;
    const signature = sign(null, Buffer.from(signed), privateKey);
    expect(await verdictOn(`${signed}.${toBase64Url(signature)}`)).toBe("STATEMENT_INVALID");
  });

  it("with a key of its own in the header is refused", async () => {
    const own = await newSigningKey();
    const jwk = { kty: "OKP", crv: "Ed25519", x: toBase64Url(own.publicKey) };
    expect(await verdictOn(await jwsByHand({ ...HEADER, jwk }, part(PAYLOAD), own))).toBe(
      "STATEMENT_INVALID",
    );
  });
});

describe("a statement that its signer spelled another way", () => {
  it.each([
    ["the algorithm's other name", { alg: "Ed25519", typ: PROMISE.typ }],
    ["no kind", { alg: "EdDSA" }],
    ["a kind in capitals", { alg: "EdDSA", typ: PROMISE.typ.toUpperCase() }],
    ["a key id", { ...HEADER, kid: "1" }],
    ["an encoded payload told twice", { ...HEADER, b64: true, crit: ["b64"] }],
    ["an extension that must be understood", { ...HEADER, crit: ["exp"], exp: 1 }],
  ])("with %s in the header is refused", async (_, header) => {
    expect(await verdictOn(await jwsByHand(header, encoded(PAYLOAD), key))).toBe("STATEMENT_INVALID");
  });

  it("with a payload that is not encoded is refused", async () => {
    const header = { ...HEADER, b64: false, crit: ["b64"] };
    expect(await verdictOn(await jwsByHand(header, JSON.stringify(PAYLOAD), key))).toBe("STATEMENT_INVALID");
    expect(await verdictOn(await jwsByHand(header, encoded(PAYLOAD), key))).toBe("STATEMENT_INVALID");
  });

  it.each<[string, (payload: string) => string]>([
    ["padding", (payload) => `${payload}=`],
    ["a line feed", (payload) => `${payload}\n`],
    ["a space inside", (payload) => `${payload.slice(0, 4)} ${payload.slice(4)}`],
    [
      "unused bits",
      (payload) => `${payload.slice(0, -1)}${ALPHABET[ALPHABET.indexOf(payload.at(-1) ?? "") + 1]}`,
    ],
  ])("with %s in the payload's base64url is refused", async (_, respell) => {
    // Three bytes less than a multiple leave unused bits to play with.
    const payload = encoded({ what: "soups", times: 3 });
    expect(payload.length % 4).toBe(3);
    expect(await verdictOn(await jwsByHand(HEADER, payload, key))).toBe("none");
    expect(await verdictOn(await jwsByHand(HEADER, respell(payload), key))).toBe("STATEMENT_INVALID");
  });

  it.each<[string, (text: string) => string]>([
    ["padding behind the signature", (text) => `${text}==`],
    ["white space behind it", (text) => `${text} `],
    ["white space before it", (text) => ` ${text}`],
    ["a fourth part", (text) => `${text}.AAAA`],
    ["two parts", (text) => text.split(".").slice(0, 2).join(".")],
    ["nothing", () => ""],
    ["dots alone", () => ".."],
    [
      "the unused bits of the signature set",
      (text) => `${text.slice(0, -1)}${ALPHABET[ALPHABET.indexOf(text.at(-1) ?? "") + 1]}`,
    ],
    ["the JSON serialisation", (text) => JSON.stringify({ payload: text.split(".")[1] })],
  ])("with %s is refused", async (_, respell) => {
    expect(await verdictOn(respell(statement))).toBe("STATEMENT_INVALID");
  });

  it.each([
    ["a field too many", '{"what":"soup","times":3,"more":1}'],
    ["a field too few", '{"what":"soup"}'],
    ["a field of another type", '{"what":"soup","times":"3"}'],
    ["a list", "[]"],
    ["null", "null"],
    ["no JSON", "what: soup"],
    ["two values", '{"what":"soup","times":3}{}'],
  ])("with %s in the payload is refused", async (_, json) => {
    expect(await verdictOn(await jwsByHand(HEADER, toBase64Url(utf8(json)), key))).toBe("STATEMENT_INVALID");
  });

  it("with a payload that is not UTF-8 is refused", async () => {
    const json = utf8('{"what":"soup","times":3}');
    expect(await verdictOn(await jwsByHand(HEADER, toBase64Url(flipped(json, 10, 7)), key))).toBe(
      "STATEMENT_INVALID",
    );
  });
});

describe("a self-signed statement", () => {
  const signerOf = (payload: { key: string }) => fromBase64Url(payload.key);
  const verify = (text: string) => verifySelfSigned(NAMING, text, signerOf);
  const header = { alg: "EdDSA", typ: NAMING.typ };

  it("is taken from the key it names, and from no other", async () => {
    const payload = { key: toBase64Url(key.publicKey) };
    expect(await verify(await signStatement(NAMING, payload, key))).toEqual(payload);
    expect(await rejectionOf(verify(await signStatement(NAMING, payload, await newSigningKey())))).toBe(
      "STATEMENT_INVALID",
    );
  });

  it("is refused when two ways to read it name two keys", async () => {
    const own = await newSigningKey();
    // Read by a lenient decoder this begins like its first half; the whole of it is not base64url.
    const payload = `${encoded({ key: toBase64Url(own.publicKey) })}=${encoded({ key: toBase64Url(key.publicKey) })}`;
    expect(await rejectionOf(verify(await jwsByHand(header, payload, own)))).toBe("STATEMENT_INVALID");
  });

  it.each(["", ".", "a.b.c", "!!!.!!!.!!!", "eyJ9.AAAA.AAAA", "💥.💥.💥"])("is not %j", async (text) => {
    expect(await rejectionOf(verify(text))).toBe("STATEMENT_INVALID");
  });
});
