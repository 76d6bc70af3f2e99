import { beforeEach, describe, expect, it } from "vitest";
import { createProofVerifier, type ProofVerifier } from "../../../host/identity/index.ts";
import {
  createProof,
  ed25519Jwk,
  keyThumbprint,
  type SigningKey,
  ticketHash,
} from "../../../host/sealing/index.ts";
import { createTestClock } from "../../support/system.ts";
import { forgedJwt, strangerKey } from "../http/attack.ts";

const url = "https://cloud.example/v1/batches";
const ticket = "a.b.c";

describe("the verifier of proofs", () => {
  let clock: ReturnType<typeof createTestClock>;
  let verifier: ProofVerifier;
  let key: SigningKey;

  beforeEach(async () => {
    clock = createTestClock();
    verifier = createProofVerifier(clock);
    key = await strangerKey();
  });

  const proof = (changes: { method?: string; url?: string; ticket?: string } = {}) =>
    createProof({ key, method: "POST", url, clock, ...changes });
  const verify = (made: string | undefined, changes: { ticket?: string; url?: string } = {}) =>
    verifier.verify({ proof: made, method: "POST", url, ...changes });
  const now = () => Math.floor(clock.now() / 1000);
  const claims = () => ({ htm: "POST", htu: url, iat: now(), jti: "0123456789abcdef" });
  const header = () => ({ alg: "EdDSA", typ: "dpop+jwt", jwk: ed25519Jwk(key.publicKey) });
  const invalid = (why: RegExp) =>
    expect.objectContaining({ code: "PROOF_INVALID", status: 401, message: expect.stringMatching(why) });

  it("tells whose key a fitting proof shows", async () => {
    expect(await verify(await proof())).toEqual({
      publicKey: key.publicKey,
      thumbprint: await keyThumbprint(key.publicKey),
    });
    expect(await verify(await proof({ ticket }), { ticket })).toMatchObject({ publicKey: key.publicKey });
  });

  it("refuses one for another method, another path or another service", async () => {
    await expect(verify(await proof({ method: "GET" }))).rejects.toThrow(invalid(/GET/));
    for (const other of [`${url}/`, "https://cloud.example/v1/batche", "http://cloud.example/v1/batches"]) {
      await expect(verify(await proof({ url: other }))).rejects.toThrow(invalid(/made for/));
    }
    expect(await verify(await proof({ url: `${url}?after=3#x` }))).toBeDefined();
  });

  it("refuses one that is missing, of another type, unsigned, or signed by another key than it names", async () => {
    await expect(verify(undefined)).rejects.toThrow(invalid(/no DPoP/));
    const other = await strangerKey();
    for (const forged of [
      "",
      "x",
      "a.b.c",
      await forgedJwt({ ...header(), alg: "none" }, claims(), null),
      await forgedJwt({ ...header(), typ: "JWT" }, claims(), key),
      await forgedJwt({ ...header(), typ: undefined }, claims(), key),
      await forgedJwt(header(), claims(), other),
      await forgedJwt({ ...header(), jwk: undefined }, claims(), key),
      await forgedJwt({ ...header(), jwk: { kty: "oct", k: "AAAA" } }, claims(), key),
      await forgedJwt({ ...header(), alg: "HS256" }, claims(), key),
      await forgedJwt({ ...header(), crit: ["exp"] }, claims(), key),
    ]) {
      await expect(verify(forged)).rejects.toThrow(invalid(/not a signed proof/));
    }
  });

  it("refuses one that lacks a claim or has it in another form", async () => {
    for (const changes of [
      { htm: undefined },
      { htu: undefined },
      { iat: undefined },
      { jti: undefined },
      { iat: now() + 0.5 },
      { jti: "short" },
      { jti: "x".repeat(65) },
      { htm: ["POST"] },
      { ath: 5 },
    ]) {
      const made = await forgedJwt(header(), { ...claims(), ...changes }, key);
      await expect(verify(made), JSON.stringify(changes)).rejects.toMatchObject({ code: "PROOF_INVALID" });
    }
    expect(await verify(await forgedJwt(header(), claims(), key))).toBeDefined();
  });

  it("refuses one from too far ahead or behind, and takes what is within the skew", async () => {
    clock.advance(600_000);
    for (const [offset, taken] of [
      [-91, false],
      [-89, true],
      [0, true],
      [29, true],
      [32, false],
    ] as const) {
      const jti = `0123456789abcdef${offset}`;
      const made = await forgedJwt(header(), { ...claims(), iat: now() + offset, jti }, key);
      if (taken) {
        expect(await verify(made), String(offset)).toBeDefined();
      } else {
        await expect(verify(made), String(offset)).rejects.toThrow(invalid(/too far from the clock/));
      }
    }
  });

  it("refuses one from before this process began, which may have been used with the one before it", async () => {
    const recorded = await proof();
    clock.advance(5000);
    const restarted = createProofVerifier(clock);
    await expect(restarted.verify({ proof: recorded, method: "POST", url })).rejects.toThrow(
      invalid(/older than this process/),
    );
    expect(await restarted.verify({ proof: await proof(), method: "POST", url })).toBeDefined();
  });

  it("refuses one for another ticket, for none where there is one, and for one where there is none", async () => {
    await expect(verify(await proof({ ticket: "d.e.f" }), { ticket })).rejects.toThrow(
      invalid(/another ticket/),
    );
    await expect(verify(await proof(), { ticket })).rejects.toThrow(invalid(/another ticket/));
    await expect(verify(await proof({ ticket }))).rejects.toThrow(invalid(/another ticket/));
    const hashOnly = { ...claims(), ath: ticketHash(ticket).slice(0, -1) };
    await expect(verify(await forgedJwt(header(), hashOnly, key), { ticket })).rejects.toThrow(
      invalid(/another ticket/),
    );
  });

  it("takes each proof once for as long as it would be valid, and another key's proof of the same number", async () => {
    // Near the end of a generation of the memory, so that the proof has to outlive it.
    clock.advance(600_000);
    expect(await verify(await proof())).toBeDefined();
    clock.advance(110_000);
    const early = await forgedJwt(header(), { ...claims(), iat: now() + 29 }, key);
    expect(await verify(early)).toBeDefined();
    for (let second = 0; second < 118; second++) {
      await expect(verify(early), `after ${second} s`).rejects.toMatchObject({
        code: "PROOF_REPLAYED",
        status: 401,
      });
      clock.advance(1000);
      // Traffic in between must not push it out of memory.
      expect(await verify(await proof())).toBeDefined();
    }
    clock.advance(3000);
    await expect(verify(early)).rejects.toThrow(invalid(/too far from the clock/));
    const other = await strangerKey();
    const fresh = { ...claims(), jti: "fedcba9876543210" };
    const sameNumber = await forgedJwt({ ...header(), jwk: ed25519Jwk(other.publicKey) }, fresh, other);
    const own = await forgedJwt(header(), fresh, key);
    expect(await verify(own)).toBeDefined();
    expect(await verify(sameNumber)).toBeDefined();
  });

  it("does not let a proof that it refused use up the number of a good one", async () => {
    const wrong = await forgedJwt(header(), { ...claims(), htm: "GET" }, key);
    await expect(verify(wrong)).rejects.toMatchObject({ code: "PROOF_INVALID" });
    const right = await forgedJwt(header(), claims(), key);
    expect(await verify(right)).toBeDefined();
    await expect(verify(right)).rejects.toMatchObject({ code: "PROOF_REPLAYED" });
  });
});
