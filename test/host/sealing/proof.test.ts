import { createHash } from "node:crypto";
import { EmbeddedJWK, jwtVerify } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { fromBase64Url, toBase64Url } from "../../../host/base/index.ts";
import {
  createProof,
  ed25519Jwk,
  keyThumbprint,
  type SigningKey,
  ticketHash,
} from "../../../host/sealing/index.ts";
import { newSigningKey } from "./fixtures.ts";

const NOW = 1_700_000_000_999;
const clock = { now: () => NOW };

let key: SigningKey;
beforeAll(async () => {
  key = await newSigningKey();
});

async function verified(proof: string) {
  return jwtVerify(proof, EmbeddedJWK, { algorithms: ["EdDSA"], typ: "dpop+jwt" });
}
const proofFor = (url: string, ticket?: string) =>
  createProof({ key, method: "GET", url, clock, ...(ticket === undefined ? {} : { ticket }) });

describe("the thumbprint of a key", () => {
  it("is the one of RFC 8037, appendix A.3", async () => {
    const publicKey = fromBase64Url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    expect(await keyThumbprint(publicKey)).toBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    expect(ed25519Jwk(publicKey)).toEqual({
      kty: "OKP",
      crv: "Ed25519",
      x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
  });
});

describe("a proof", () => {
  it("names its key, and is signed with it", async () => {
    const { protectedHeader } = await verified(await proofFor("https://cloud.example/v1/x"));
    expect(protectedHeader).toEqual({ alg: "EdDSA", typ: "dpop+jwt", jwk: ed25519Jwk(key.publicKey) });
  });

  it("holds no more than method, target, time and a number of its own", async () => {
    const { payload } = await verified(await proofFor("https://cloud.example/v1/x"));
    expect(payload).toEqual({
      htm: "GET",
      htu: "https://cloud.example/v1/x",
      iat: 1_700_000_000,
      jti: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it.each([
    [
      "https://cloud.example/v1/streams/ab/batches?after=7&limit=3",
      "https://cloud.example/v1/streams/ab/batches",
    ],
    ["https://cloud.example/v1/x#part", "https://cloud.example/v1/x"],
    ["https://cloud.example:8443/?q", "https://cloud.example:8443/"],
    ["https://cloud.example:443/x", "https://cloud.example/x"],
    ["https://user:secret@cloud.example/x", "https://cloud.example/x"],
    ["https://CLOUD.example/a/../b", "https://cloud.example/b"],
  ])("for %s names %s", async (url, htu) => {
    expect((await verified(await proofFor(url))).payload.htu).toBe(htu);
  });

  it("belongs to the ticket that it goes with", async () => {
    const { payload } = await verified(await proofFor("https://cloud.example/x", "some.ticket.here"));
    expect(payload.ath).toBe(createHash("sha256").update("some.ticket.here").digest("base64url"));
    expect(ticketHash("some.ticket.here")).toBe(payload.ath);
  });

  it("is another one each time", async () => {
    const proofs = await Promise.all(Array.from({ length: 20 }, () => proofFor("https://cloud.example/x")));
    const numbers = await Promise.all(proofs.map(async (proof) => (await verified(proof)).payload.jti));
    expect(new Set(numbers).size).toBe(20);
  });

  it("is void with another key in its header", async () => {
    const other = await newSigningKey();
    const [, payload, signature] = (await proofFor("https://cloud.example/x")).split(".");
    const header = { alg: "EdDSA", typ: "dpop+jwt", jwk: ed25519Jwk(other.publicKey) };
    const encodedHeader = toBase64Url(new TextEncoder().encode(JSON.stringify(header)));
    await expect(verified(`${encodedHeader}.${payload}.${signature}`)).rejects.toThrow(/signature/);
  });
});
