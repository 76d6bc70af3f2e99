import { ristretto255 } from "@noble/curves/ed25519.js";
import { describe, expect, it } from "vitest";
import { concatBytes, randomBytes, toBase64Url, toHex } from "../../../host/base/index.ts";
import { signStatement } from "../../../host/sealing/index.ts";
import {
  ATTESTED_LIST_BYTES,
  ATTESTED_SET,
  answerAttested,
  askAttested,
  blindSet,
  type Credential,
  verifyAttestedSet,
} from "../../../host/trust/index.ts";
import { randomScalar } from "../../../host/trust/similarity.ts";
import { newSigningKey } from "../sealing/fixtures.ts";

const PATIENT = ["a", "b", "c", "d", "e"];
const holder = (codes: readonly string[]) => {
  const seed = randomBytes(32);
  return { seed, points: blindSet(codes, seed) };
};
const pointsOf = (list: Uint8Array) => Array.from({ length: 32 }, (_, i) => list.slice(i * 32, (i + 1) * 32));

describe("a comparison with a confirmed set", () => {
  it("counts what both have, for every holder who answers one request", () => {
    const asker = askAttested(PATIENT);
    expect(asker.request).toHaveLength(ATTESTED_LIST_BYTES);
    for (const [codes, common] of [
      [["a", "c", "x"], 2],
      [["x", "y"], 0],
      [PATIENT, 5],
      [[...PATIENT, ..."fghijklmnopqrstuvwxyz".split(""), "1", "2", "3", "4", "5", "6"], 5],
    ] as const) {
      const { seed, points } = holder(codes);
      expect(asker.count(answerAttested(seed, asker.request), points)).toBe(common);
    }
  });

  it("says the same set the same way, and another set or seed another", () => {
    const { seed, points } = holder(["a", "b"]);
    expect(toHex(blindSet(["a", "b"], seed))).toBe(toHex(points));
    expect(toHex(blindSet(["a", "b"], randomBytes(32)))).not.toBe(toHex(points));
    const asked = askAttested(["a"]);
    expect(toHex(askAttested(["a"]).request)).not.toBe(toHex(asked.request));
  });

  it("gives in to none who claims more: an own set, a friend's answer, powers of the asker's points, the signed points", () => {
    const asker = askAttested(PATIENT);
    const mine = holder(["a"]);
    const friend = holder(PATIENT);
    const honest = asker.count(answerAttested(mine.seed, asker.request), mine.points);
    expect(honest).toBe(1);
    // The friend answers for me: another secret.
    expect(asker.count(answerAttested(friend.seed, asker.request), mine.points)).toBe(0);
    // The asker's points as they came, and my signed points as an answer.
    expect(asker.count(asker.request, mine.points)).toBe(0);
    expect(asker.count(mine.points, mine.points)).toBe(0);
    // Every one of the asker's points raised to any number of secrets: matches only by codes in the signed set.
    const secret = randomScalar(randomBytes);
    const raised = concatBytes(
      ...pointsOf(asker.request).map(
        (point) => new Uint8Array(ristretto255.Point.fromBytes(point).multiply(secret).toBytes()),
      ),
    );
    expect(asker.count(raised, mine.points)).toBe(0);
    // Both pool what they have: half the answer by each. The one code of mine is all that can count.
    const both = concatBytes(
      ...pointsOf(answerAttested(mine.seed, asker.request)).slice(0, 16),
      ...pointsOf(answerAttested(friend.seed, asker.request)).slice(16),
    );
    expect(asker.count(both, mine.points)).toBeLessThanOrEqual(1);
  });

  it("refuses lists that are none", () => {
    const asker = askAttested(PATIENT);
    const { seed, points } = holder(["a"]);
    const answer = answerAttested(seed, asker.request);
    const twice = concatBytes(answer.slice(0, 32), answer.slice(0, -32));
    const zero = concatBytes(new Uint8Array(32), answer.slice(32));
    const noPoint = concatBytes(new Uint8Array(32).fill(0xff), answer.slice(32));
    for (const bad of [answer.slice(1), concatBytes(answer, answer), twice, zero, noPoint]) {
      expect(() => asker.count(bad, points)).toThrow(
        expect.objectContaining({ code: "SIMILARITY_MESSAGE_INVALID" }),
      );
      expect(() => answerAttested(seed, bad)).toThrow(
        expect.objectContaining({ code: "SIMILARITY_MESSAGE_INVALID" }),
      );
    }
    expect(() => blindSet([], seed)).toThrow(expect.objectContaining({ code: "SIMILARITY_SET_INVALID" }));
    const vocabulary = Array.from({ length: 33 }, (_, i) => `code ${i}`);
    expect(() => blindSet(vocabulary, seed)).toThrow(
      expect.objectContaining({ code: "SIMILARITY_SET_INVALID" }),
    );
  });

  it("counts only with points that the hospital signed for this credential, now", async () => {
    const hospital = await newSigningKey();
    const other = await newSigningKey();
    const key = await newSigningKey();
    const { points } = holder(["a"]);
    const id = () => toHex(randomBytes(16));
    const credential: Credential = {
      issuer: id(),
      community: id(),
      pseudonym: id(),
      signingKey: toBase64Url(key.publicKey),
      standing: "patient",
      conditions: toHex(randomBytes(32)),
      from: 1000,
      until: 2000,
    };
    const { issuer, community, pseudonym, signingKey } = credential;
    const set = {
      issuer,
      community,
      pseudonym,
      signingKey,
      points: toBase64Url(points),
      from: 1000,
      until: 1500,
    };
    const signed = (changes: Partial<typeof set> = {}, by = hospital) =>
      signStatement(ATTESTED_SET, { ...set, ...changes }, by);
    const check = async (statement: Promise<string>, now = 1200) =>
      verifyAttestedSet(await statement, credential, hospital.publicKey, now);
    expect(toHex(await check(signed()))).toBe(toHex(points));
    await expect(check(signed({}, other))).rejects.toMatchObject({ code: "STATEMENT_INVALID" });
    await expect(check(signed({}, key))).rejects.toMatchObject({ code: "STATEMENT_INVALID" });
    for (const changes of [
      { pseudonym: id() },
      { community: id() },
      { issuer: id() },
      { signingKey: toBase64Url(other.publicKey) },
    ]) {
      await expect(check(signed(changes))).rejects.toMatchObject({ code: "ATTESTED_SET_MISMATCH" });
    }
    await expect(check(signed(), 1500)).rejects.toMatchObject({ code: "CREDENTIAL_EXPIRED" });
    await expect(check(signed(), 999)).rejects.toMatchObject({ code: "CREDENTIAL_EXPIRED" });
  });
});
