import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, toBase64Url, toHex, utf8 } from "../../../host/base/index.ts";
import {
  ENROLMENT,
  generateSigningSeed,
  importSigningKey,
  isSoundPublicKey,
  verifyIdentity,
  verifySignature,
  verifyStatement,
} from "../../../host/sealing/index.ts";
import { rejectionOf } from "./fixtures.ts";

/** The eight points whose order divides the cofactor, as RFC 8032 encodes them. */
const SMALL_ORDER = [
  ["the neutral element, order 1", "0100000000000000000000000000000000000000000000000000000000000000"],
  ["order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ["order 4", "0000000000000000000000000000000000000000000000000000000000000000"],
  ["order 4, the other", "0000000000000000000000000000000000000000000000000000000000000080"],
  ["order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"],
  ["order 8, the second", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"],
  ["order 8, the third", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"],
  ["order 8, the fourth", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"],
] as const;

/** Other spellings: a coordinate of the field's size or more, and a zero x called negative. */
const NOT_CANONICAL = [
  ["the field's size for 0", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ["one more for 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ["the largest there is", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ["the same with a sign", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"],
  ["the neutral element with a sign", "0100000000000000000000000000000000000000000000000000000000000080"],
  ["order 2 with a sign", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"],
] as const;

const part = (value: unknown) => toBase64Url(utf8(JSON.stringify(value)));

/** A signature by nobody: R the neutral element, S zero. */
const NOBODYS_SIGNATURE = concatBytes(fromHex(SMALL_ORDER[0][1]), new Uint8Array(32));

describe("an Ed25519 key of small order", () => {
  it("lets anybody sign anything: the platform's verifier believes it", async () => {
    const neutral = fromHex(SMALL_ORDER[0][1]);
    for (const message of ["I am Ada", "share everything with dr-rook"]) {
      expect(await verifySignature(neutral, utf8(message), NOBODYS_SIGNATURE)).toBe(true);
    }
  });

  it("registers no identity, though its signature verifies", async () => {
    const payload = {
      suite: 1,
      signingKey: toBase64Url(fromHex(SMALL_ORDER[0][1])),
      receivingKey: toBase64Url(new Uint8Array(962)),
      createdAt: 0,
    };
    const head = `${part({ alg: "EdDSA", typ: "medcloudlet-identity" })}.${part(payload)}`;
    const statement = `${head}.${toBase64Url(NOBODYS_SIGNATURE)}`;
    expect(await verifySignature(fromHex(SMALL_ORDER[0][1]), utf8(head), NOBODYS_SIGNATURE)).toBe(true);
    expect(await rejectionOf(verifyIdentity(statement))).toBe("STATEMENT_INVALID");
  });

  it.each([...SMALL_ORDER, ...NOT_CANONICAL])("is refused as a device's key: %s", async (_, hex) => {
    const key = await importSigningKey(generateSigningSeed());
    const id = "ab".repeat(16);
    const payload = {
      owner: id,
      deviceId: id,
      signingKey: toBase64Url(fromHex(hex)),
      region: "medical",
      streamId: id,
      createdAt: 0,
      until: 1,
    };
    const verdictOn = async (claims: object) => {
      const head = `${part({ alg: "EdDSA", typ: ENROLMENT.typ })}.${part(claims)}`;
      const statement = `${head}.${toBase64Url(await key.sign(utf8(head)))}`;
      return rejectionOf(verifyStatement(ENROLMENT, statement, key.publicKey));
    };
    expect(isSoundPublicKey(fromHex(hex))).toBe(false);
    expect(await verdictOn(payload)).toBe("STATEMENT_INVALID");
    const sound = await verdictOn({ ...payload, signingKey: toBase64Url(key.publicKey) });
    expect(sound).not.toBe("STATEMENT_INVALID");
  });

  it("is the only kind refused: keys that people make are sound", async () => {
    for (let i = 0; i < 64; i++) {
      const { publicKey } = await importSigningKey(generateSigningSeed());
      expect(isSoundPublicKey(publicKey), toHex(publicKey)).toBe(true);
    }
    for (const length of [0, 31, 33]) {
      expect(isSoundPublicKey(new Uint8Array(length).fill(9))).toBe(false);
    }
  });
});
