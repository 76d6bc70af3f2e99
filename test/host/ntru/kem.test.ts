import { sha3_256 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { concatBytes, randomBytes, toHex } from "../../../host/base/index.ts";
import {
  loadNtru,
  NTRU_PARAMETERS,
  type Ntru,
  type NtruEncapsulation,
  type NtruKeyPair,
  type NtruSetName,
} from "../../../host/ntru/index.ts";
import { liftHrss, modulo, multiply } from "../../assembly/reference.ts";
import { packMessage, packQ, sumOfTrits, unpackSumZero } from "./codec.ts";

const RUNS = { numRuns: 25 };
const NAMES = Object.keys(NTRU_PARAMETERS) as NtruSetName[];

function seedOf(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length, size: "max" });
}

describe.each(NAMES)("key encapsulation with %s", (name) => {
  const parameters = NTRU_PARAMETERS[name];
  const { n, q, ciphertextBytes, publicKeyBytes, sampleFgBytes, sampleRmBytes, secretKeyBytes } = parameters;
  const isHrss = name.startsWith("ntruhrss");
  const unusedBits = 8 * ciphertextBytes - Math.log2(q) * (n - 1);
  let ntru: Ntru;
  let keys: NtruKeyPair;
  let sent: NtruEncapsulation;

  beforeAll(async () => {
    ntru = await loadNtru(name);
    keys = ntru.generateKeyPair();
    sent = ntru.encapsulate(keys.publicKey);
  });

  const decapsulate = (ciphertext: Uint8Array) => toHex(ntru.decapsulate(keys.secretKey, ciphertext));
  const rejection = (ciphertext: Uint8Array, secretKey = keys.secretKey) =>
    toHex(sha3_256(concatBytes(secretKey.slice(-32), ciphertext)));

  it("gives results of the promised lengths that the caller owns", () => {
    expect(keys.publicKey).toHaveLength(publicKeyBytes);
    expect(keys.secretKey).toHaveLength(secretKeyBytes);
    expect(sent.ciphertext).toHaveLength(ciphertextBytes);
    expect(sent.sharedSecret).toHaveLength(32);
    for (const bytes of [keys.publicKey, keys.secretKey, sent.ciphertext, sent.sharedSecret]) {
      expect(bytes.byteLength).toBe(bytes.buffer.byteLength);
    }
    expect(ntru.parameters).toBe(parameters);
  });

  it("agrees on the secret, and the seeds determine everything", () => {
    fc.assert(
      fc.property(seedOf(sampleFgBytes + 32), seedOf(sampleRmBytes), (keySeed, seed) => {
        fc.pre(keySeed.slice(0, sampleFgBytes).some((byte) => byte % 3 !== 0));
        const pair = ntru.generateKeyPair(keySeed);
        const { ciphertext, sharedSecret } = ntru.encapsulate(pair.publicKey, seed);
        expect(toHex(pair.secretKey.slice(-32))).toBe(toHex(keySeed.slice(-32)));
        expect(ntru.generateKeyPair(keySeed)).toEqual(pair);
        expect(ntru.encapsulate(pair.publicKey, seed)).toEqual({ ciphertext, sharedSecret });
        expect(ntru.decapsulate(pair.secretKey, ciphertext)).toEqual(sharedSecret);
        expect(ntru.decapsulate(pair.secretKey, ciphertext)).toEqual(sharedSecret);
      }),
      RUNS,
    );
  });

  it("draws fresh randomness without a seed", () => {
    expect(ntru.generateKeyPair()).not.toEqual(ntru.generateKeyPair());
    expect(ntru.encapsulate(keys.publicKey)).not.toEqual(ntru.encapsulate(keys.publicKey));
  });

  it("rejects a flipped bit with the hash of rejection key and ciphertext", () => {
    // HRSS puts no condition on m, so adding 1 to one of the last coefficients may turn the encryption of (r, m)
    // into one of (r, another m): a different secret that is no rejection. From far enough below the top this would
    // need so many coefficients in a row to allow it that it does not happen.
    const bits = Math.log2(q) * (n - 1 - (isHrss ? 120 : 0));
    fc.assert(
      fc.property(fc.nat(bits - 1), (bit) => {
        const { ciphertext } = ntru.encapsulate(keys.publicKey);
        ciphertext[bit >> 3] = (ciphertext[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(decapsulate(ciphertext)).toBe(rejection(ciphertext));
      }),
      { numRuns: 100 },
    );
  });

  it("never gives the sender's secret for a changed ciphertext", () => {
    const { ciphertext, sharedSecret } = sent;
    for (let bit = 0; bit < 8 * ciphertextBytes; bit += 3) {
      const changed = ciphertext.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(decapsulate(changed)).not.toBe(toHex(sharedSecret));
    }
  });

  it("rejects each unused bit of the ciphertext", () => {
    expect(unusedBits).toBe({ 509: 4, 677: 4, 701: 4, 821: 0, 1229: 0, 1373: 0 }[n]);
    for (let bit = 8 - unusedBits; bit < 8; bit++) {
      const changed = sent.ciphertext.slice();
      changed[ciphertextBytes - 1] = (changed[ciphertextBytes - 1] as number) | (1 << bit);
      expect(decapsulate(changed)).toBe(rejection(changed));
    }
  });

  it("depends on the rejection key only when it rejects", () => {
    const secretKey = keys.secretKey.slice();
    secretKey.set(randomBytes(32), secretKeyBytes - 32);
    expect(ntru.decapsulate(secretKey, sent.ciphertext)).toEqual(sent.sharedSecret);
    const changed = sent.ciphertext.slice();
    changed[0] = (changed[0] as number) ^ 1;
    expect(toHex(ntru.decapsulate(secretKey, changed))).toBe(rejection(changed, secretKey));
    expect(decapsulate(changed)).toBe(rejection(changed));
  });

  it("rejects a ciphertext for another key", () => {
    const other = ntru.generateKeyPair();
    const { ciphertext } = ntru.encapsulate(other.publicKey);
    expect(decapsulate(ciphertext)).toBe(rejection(ciphertext));
  });

  it("takes random bytes of the right length and rejects them", () => {
    const ciphertext = randomBytes(ciphertextBytes);
    expect(decapsulate(ciphertext)).toBe(rejection(ciphertext));
  });

  it("rejects all ones, with and without the unused bits", () => {
    const ones = new Uint8Array(ciphertextBytes).fill(255);
    expect(decapsulate(ones)).toBe(rejection(ones));
    ones[ciphertextBytes - 1] = 255 >> unusedBits;
    expect(decapsulate(ones)).toBe(rejection(ones));
  });

  it("rejects all zeros where m must have a weight", () => {
    // Zero encrypts r = 0 and m = 0, which HRSS allows.
    const zeros = new Uint8Array(ciphertextBytes);
    const none = new Array<number>(n).fill(0);
    const accepted = toHex(sha3_256(packMessage(parameters, none, none)));
    expect(decapsulate(zeros)).toBe(isHrss ? accepted : rejection(zeros));
  });

  describe("with ciphertexts made by hand", () => {
    const zeros = () => new Array<number>(n).fill(0);
    const weight = isHrss ? 254 : q / 8 - 2;
    /** Some ternary r, and m with the ones and minus ones that HPS asks for. */
    const plaintext = () => {
      const r = zeros().map((_, i) => (i === n - 1 ? 0 : ((i * i) % 3) - 1 + (i % 2)));
      const m = zeros().map((_, i) => (i < weight / 2 ? 1 : i < weight ? -1 : 0));
      return { r: r.map((value) => Math.max(-1, Math.min(1, value))), m };
    };
    const encrypt = (r: readonly number[], m: readonly number[], publicKey = keys.publicKey) => {
      const h = unpackSumZero(parameters, publicKey);
      const product = multiply(r, h);
      const lifted = isHrss ? liftHrss(m) : m;
      return packQ(
        parameters,
        product.map((value, i) => value + (lifted[i] as number)),
      );
    };
    const secretOf = (r: readonly number[], m: readonly number[]) =>
      toHex(sha3_256(packMessage(parameters, r, m)));

    it("accepts what encryption could have made", () => {
      const { r, m } = plaintext();
      expect(decapsulate(encrypt(r, m))).toBe(secretOf(r, m));
      expect(decapsulate(encrypt(zeros(), m))).toBe(secretOf(zeros(), m));
    });

    it.each([0, 1, 7, 8, n - 3, n - 2])("rejects r whose coefficient %i is outside -1, 0, 1", (place) => {
      for (const value of [2, -2, 3]) {
        const { r, m } = plaintext();
        r[place] = value;
        const ciphertext = encrypt(r, m);
        expect(decapsulate(ciphertext)).toBe(rejection(ciphertext));
      }
    });

    it("asks m for its weight in HPS alone", () => {
      const changes: ((m: number[]) => void)[] = [
        // One less of each sign: the sum stays zero.
        (m) => {
          m[0] = 0;
          m[weight - 1] = 0;
        },
        // One more of each sign.
        (m) => {
          m[n - 2] = 1;
          m[n - 3] = -1;
        },
        (m) => {
          m.fill(0);
        },
      ];
      for (const change of changes) {
        const { r, m } = plaintext();
        change(m);
        const ciphertext = encrypt(r, m);
        expect(decapsulate(ciphertext)).toBe(isHrss ? secretOf(r, m) : rejection(ciphertext));
      }
    });

    if (!isHrss) {
      it("asks m for as many ones as minus ones", () => {
        // With one 1 too many and one -1 too few, the ciphertext sums to zero only when a multiple of Phi_n is added,
        // which garbles the decryption by other keys than those with f(1) = 0, one in fifty.
        let pair = ntru.generateKeyPair();
        while (sumOfTrits(parameters, pair.secretKey) !== 0) {
          pair = ntru.generateKeyPair();
        }
        const { r, m } = plaintext();
        const secret = (ciphertext: Uint8Array) => toHex(ntru.decapsulate(pair.secretKey, ciphertext));
        const even = encrypt(r, m, pair.publicKey);
        expect(secret(even)).toBe(secretOf(r, m));

        m[weight - 1] = 1;
        let multiple = 0;
        while (modulo(multiple * n + 2, q) !== 0) {
          multiple++;
        }
        const uneven = encrypt(
          r,
          m.map((value) => value + multiple),
          pair.publicKey,
        );
        expect(secret(uneven)).toBe(rejection(uneven, pair.secretKey));
      });
    }
  });

  it("refuses inputs of the wrong length, with a code for each", () => {
    const code = (call: () => unknown) => {
      try {
        call();
      } catch (error) {
        return error;
      }
      return undefined;
    };
    for (const difference of [-1, 1]) {
      const bytes = (length: number) => new Uint8Array(length + difference).fill(1);
      const badRequest = (expected: string) => expect.objectContaining({ code: expected, status: 400 });
      expect(code(() => ntru.generateKeyPair(bytes(sampleFgBytes + 32)))).toEqual(
        badRequest("NTRU_SEED_LENGTH"),
      );
      expect(code(() => ntru.encapsulate(keys.publicKey, bytes(sampleRmBytes)))).toEqual(
        badRequest("NTRU_SEED_LENGTH"),
      );
      expect(code(() => ntru.encapsulate(bytes(publicKeyBytes)))).toEqual(
        badRequest("NTRU_PUBLIC_KEY_LENGTH"),
      );
      expect(code(() => ntru.decapsulate(bytes(secretKeyBytes), sent.ciphertext))).toEqual(
        badRequest("NTRU_SECRET_KEY_LENGTH"),
      );
      expect(code(() => ntru.decapsulate(keys.secretKey, bytes(ciphertextBytes)))).toEqual(
        badRequest("NTRU_CIPHERTEXT_LENGTH"),
      );
    }
    expect(() => ntru.generateKeyPair(new Uint8Array(0))).toThrow(/0 bytes instead of/);
  });

  it("refuses public keys with another spelling, and zero", () => {
    const invalid = expect.objectContaining({ code: "NTRU_PUBLIC_KEY_INVALID", status: 400 });
    const refusal = (publicKey: Uint8Array) => {
      try {
        ntru.encapsulate(publicKey);
      } catch (error) {
        return error;
      }
      return undefined;
    };
    for (let bit = 8 - unusedBits; bit < 8; bit++) {
      const changed = keys.publicKey.slice();
      changed[publicKeyBytes - 1] = (changed[publicKeyBytes - 1] as number) | (1 << bit);
      expect(refusal(changed)).toEqual(invalid);
    }
    expect(refusal(new Uint8Array(publicKeyBytes))).toEqual(invalid);
    const highest = keys.publicKey.slice();
    highest[publicKeyBytes - 1] = 255 >> unusedBits;
    expect(refusal(highest)).toBeUndefined();
  });

  it("refuses a seed that gives f = 0", () => {
    const zeroF = new Uint8Array(sampleFgBytes + 32);
    zeroF.set(randomBytes(sampleFgBytes - (n - 1)), n - 1);
    expect(() => ntru.generateKeyPair(zeroF)).toThrow(
      expect.objectContaining({ code: "NTRU_SEED_DEGENERATE", status: 400 }),
    );
  });
});
