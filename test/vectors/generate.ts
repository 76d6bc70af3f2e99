import { sha3_256 } from "@noble/hashes/sha3.js";
import { concatBytes, toHex } from "../../host/base/index.ts";
import type { Ntru, NtruSetName } from "../../host/ntru/index.ts";
import { liftHrss, modulo, multiply } from "../assembly/reference.ts";
import { packMessage, packQ, sumOfTrits, unpackSumZero } from "../host/ntru/codec.ts";
import type {
  DecapsulationGroup,
  DecapsulationTest,
  EncapsulationGroup,
  EncapsulationTest,
  KeyPairGroup,
  KeyPairTest,
  VectorFile,
  VectorResult,
} from "./format.ts";
import { ByteStream } from "./stream.ts";

const NOTES = {
  Valid: "Made by the rules.",
  BitFlip: "One bit of a valid ciphertext is flipped.",
  NonCanonical:
    "Bits of the last byte that no coefficient uses are set: accepting them makes ciphertexts malleable.",
  Length: "An input is too short or too long.",
  AllZero: "Every byte is zero.",
  AllOne: "Every bit, or every bit that is used, is one.",
  WrongKey: "Made for another key pair.",
  Random: "Uniformly random bytes.",
  WrongWeight: "HPS: m has another number of ones or minus ones than the set asks for.",
  NonTernary: "A coefficient of r is outside -1, 0, 1.",
  Unlucky: "Legal, and so improbable that random tests never meet it.",
  RejectionKey: "The rejection key in the secret key is another one.",
  InvalidPublicKey: "A public key that this project refuses, though the reference code takes it.",
  Degenerate: "f is zero, so there is no key pair.",
};

type Flag = keyof typeof NOTES;
type Decapsulation = VectorResult & { readonly ciphertext: string; readonly secretKey?: string };

/** Makes the vectors of one parameter set: the same bytes whenever it runs. */
class Generator {
  readonly #ntru: Ntru;
  readonly #name: NtruSetName;
  readonly #stream: ByteStream;
  readonly #isHrss: boolean;
  #tcId = 0;

  constructor(ntru: Ntru, name: NtruSetName) {
    this.#ntru = ntru;
    this.#name = name;
    this.#stream = new ByteStream(`medcloudlet vectors ${name}`);
    this.#isHrss = name.startsWith("ntruhrss");
  }

  file(): VectorFile {
    const testGroups = [
      this.#keyPairs(),
      this.#encapsulations(),
      this.#decapsulations(),
      ...(this.#isHrss ? [] : [this.#unevenWeight()]),
    ];
    const flags = new Set<string>(testGroups.flatMap(({ tests }) => tests.flatMap((test) => test.flags)));
    return {
      algorithm: this.#name,
      licence: "Apache-2.0",
      numberOfTests: this.#tcId,
      notes: Object.fromEntries(Object.entries(NOTES).filter(([flag]) => flags.has(flag))),
      testGroups,
    };
  }

  #head(comment: string, ...flags: Flag[]) {
    this.#tcId++;
    return { tcId: this.#tcId, comment, flags };
  }

  /** The large sets get fewer tests, for the size of the files. */
  get #isLarge(): boolean {
    return this.#ntru.parameters.n > 800;
  }

  #keySeed(): Uint8Array {
    return this.#stream.next(this.#ntru.parameters.sampleFgBytes + 32);
  }

  get #unusedBits(): number {
    const { n, q, ciphertextBytes } = this.#ntru.parameters;
    return 8 * ciphertextBytes - Math.log2(q) * (n - 1);
  }

  #keyPairs(): KeyPairGroup {
    const seed = this.#keySeed();
    const make = (bytes: Uint8Array, comment: string, flag: Flag): KeyPairTest => {
      const { publicKey, secretKey } = this.#ntru.generateKeyPair(bytes);
      return {
        ...this.#head(comment, flag),
        seed: toHex(bytes),
        result: "valid",
        publicKey: toHex(publicKey),
        secretKey: toHex(secretKey),
      };
    };
    const refuse = (bytes: Uint8Array, comment: string, flag: Flag, error: string): KeyPairTest => ({
      ...this.#head(comment, flag),
      seed: toHex(bytes),
      result: "invalid",
      error,
    });
    return {
      type: "keyPair",
      tests: [
        make(seed, "random seed", "Valid"),
        refuse(new Uint8Array(seed.length), "zero seed", "Degenerate", "NTRU_SEED_DEGENERATE"),
        refuse(new Uint8Array(0), "empty seed", "Length", "NTRU_SEED_LENGTH"),
      ],
    };
  }

  #encapsulations(): EncapsulationGroup {
    const { publicKeyBytes, sampleRmBytes } = this.#ntru.parameters;
    const { publicKey } = this.#ntru.generateKeyPair(this.#keySeed());
    const make = (seed: Uint8Array, comment: string, flag: Flag): EncapsulationTest => {
      const { ciphertext, sharedSecret } = this.#ntru.encapsulate(publicKey, seed);
      return {
        ...this.#head(comment, flag),
        seed: toHex(seed),
        result: "valid",
        ciphertext: toHex(ciphertext),
        sharedSecret: toHex(sharedSecret),
      };
    };
    const tests = [make(this.#stream.next(sampleRmBytes), "random seed", "Valid")];
    if (!this.#isLarge) {
      const zeros = new Uint8Array(sampleRmBytes);
      tests.push(make(zeros, "zero seed: r is zero, all keys to sort by are equal", "Unlucky"));
      tests.push(make(zeros.fill(254), "r of minus ones alone, all keys to sort by are equal", "Unlucky"));
    }
    const short = "";
    tests.push({
      ...this.#head("empty seed", "Length"),
      seed: short,
      result: "invalid",
      error: "NTRU_SEED_LENGTH",
    });
    const refuseKey = (key: Uint8Array, comment: string, flag: Flag, error: string) => {
      // Keys are looked at before seeds, so the seed can stay empty.
      const head = this.#head(comment, flag);
      tests.push({ ...head, seed: short, publicKey: toHex(key), result: "invalid", error });
    };
    refuseKey(publicKey.slice(1), "public key one byte short", "Length", "NTRU_PUBLIC_KEY_LENGTH");
    refuseKey(
      concatBytes(publicKey, new Uint8Array(1)),
      "public key one byte long",
      "Length",
      "NTRU_PUBLIC_KEY_LENGTH",
    );
    const invalid = "NTRU_PUBLIC_KEY_INVALID";
    refuseKey(new Uint8Array(publicKeyBytes), "public key of zeros", "InvalidPublicKey", invalid);
    if (this.#unusedBits > 0) {
      const changed = setBit(publicKey, 8 * publicKeyBytes - 1);
      refuseKey(changed, "public key with an unused bit set", "InvalidPublicKey", invalid);
    }
    return { type: "encapsulate", publicKey: toHex(publicKey), tests };
  }

  #decapsulations(): DecapsulationGroup {
    const { n, q, ciphertextBytes, sampleRmBytes, secretKeyBytes } = this.#ntru.parameters;
    const { publicKey, secretKey } = this.#ntru.generateKeyPair(this.#keySeed());
    const other = this.#ntru.generateKeyPair(this.#keySeed());
    const tests: DecapsulationTest[] = [];
    const add = (comment: string, flag: Flag, test: Decapsulation) => {
      tests.push({ ...this.#head(comment, flag), ...test });
    };
    const accept = (comment: string, flag: Flag, ciphertext: Uint8Array, sharedSecret: string) =>
      add(comment, flag, { ciphertext: toHex(ciphertext), result: "valid", sharedSecret });
    const reject = (comment: string, flag: Flag, ciphertext: Uint8Array) =>
      add(comment, flag, rejected(secretKey, ciphertext));
    const refuse = (comment: string, ciphertext: Uint8Array) => {
      const error = "NTRU_CIPHERTEXT_LENGTH";
      add(comment, "Length", { ciphertext: toHex(ciphertext), result: "invalid", error });
    };

    const sent = this.#ntru.encapsulate(publicKey, this.#stream.next(sampleRmBytes));
    accept("made by encapsulation", "Valid", sent.ciphertext, toHex(sent.sharedSecret));

    // HRSS asks nothing of m, so a flip near the top may give the encryption of another m: flip further down.
    const bits = Math.log2(q) * (n - 1 - (this.#isHrss ? 120 : 0));
    for (const bit of this.#isLarge ? [0, bits - 1] : [0, 7, Math.floor(bits / 2), bits - 1]) {
      reject(`bit ${bit} flipped`, "BitFlip", flipBit(sent.ciphertext, bit));
    }
    for (let bit = 8 * ciphertextBytes - this.#unusedBits; bit < 8 * ciphertextBytes; bit++) {
      reject(`unused bit ${bit} set`, "NonCanonical", setBit(sent.ciphertext, bit));
    }
    refuse("empty", new Uint8Array(0));
    refuse("one byte short", sent.ciphertext.slice(0, -1));
    refuse("one byte long", concatBytes(sent.ciphertext, new Uint8Array(1)));
    add("empty secret key", "Length", {
      secretKey: "",
      ciphertext: toHex(sent.ciphertext),
      result: "invalid",
      error: "NTRU_SECRET_KEY_LENGTH",
    });

    const none = new Array<number>(n).fill(0);
    const zeros = new Uint8Array(ciphertextBytes);
    if (this.#isHrss) {
      accept("zero: r and m are zero, which HRSS allows", "AllZero", zeros, this.#secretOf(none, none));
    } else {
      reject("zero: m is zero", "AllZero", zeros);
    }
    const ones = new Uint8Array(ciphertextBytes).fill(255);
    reject("ones", "AllOne", ones);
    if (this.#unusedBits > 0) {
      ones[ciphertextBytes - 1] = 255 >> this.#unusedBits;
      reject("ones in all bits that are used", "AllOne", ones);
    }
    const random = this.#stream.next(ciphertextBytes);
    random[ciphertextBytes - 1] = (random[ciphertextBytes - 1] as number) & (255 >> this.#unusedBits);
    reject("random", "Random", random);
    const astray = this.#ntru.encapsulate(other.publicKey, this.#stream.next(sampleRmBytes));
    reject("made for another key", "WrongKey", astray.ciphertext);

    const changedKey = secretKey.slice();
    changedKey.set(this.#stream.next(32), secretKeyBytes - 32);
    if (!this.#isLarge) {
      add("another rejection key, valid ciphertext", "RejectionKey", {
        secretKey: toHex(changedKey),
        ciphertext: toHex(sent.ciphertext),
        result: "valid",
        sharedSecret: toHex(sent.sharedSecret),
      });
    }
    const flipped = flipBit(sent.ciphertext, 0);
    add("another rejection key, bit 0 flipped", "RejectionKey", {
      secretKey: toHex(changedKey),
      ...rejected(changedKey, flipped),
    });

    this.#madeByHand(publicKey, accept, reject);
    return { type: "decapsulate", publicKey: toHex(publicKey), secretKey: toHex(secretKey), tests };
  }

  /** Encryptions of chosen r and m by the slow reference, with secrets that the WebAssembly had no part in. */
  #madeByHand(
    publicKey: Uint8Array,
    accept: (comment: string, flag: Flag, ciphertext: Uint8Array, secret: string) => void,
    reject: (comment: string, flag: Flag, ciphertext: Uint8Array) => void,
  ): void {
    const { n } = this.#ntru.parameters;
    const r = this.#trits();
    const m = this.#message();
    const none = r.map(() => 0);
    const valid = (comment: string, flag: Flag, left: readonly number[], right: readonly number[]) =>
      accept(comment, flag, this.#encrypt(publicKey, left, right), this.#secretOf(left, right));
    valid("made by hand", "Valid", r, m);
    valid("r is zero", "Unlucky", none, m);
    valid(
      "r of ones alone",
      "Unlucky",
      replaced(
        r.map(() => 1),
        [n - 1, 0],
      ),
      m,
    );
    const changes: [number, number][] = [
      [0, 2],
      [0, -2],
      [n >> 1, 3],
      [n - 2, 2],
    ];
    for (const [place, value] of this.#isLarge ? changes.slice(2) : changes) {
      const comment = `coefficient ${place} of r is ${value}`;
      reject(comment, "NonTernary", this.#encrypt(publicKey, replaced(r, [place, value]), m));
    }
    const plus = m.indexOf(1);
    const minus = m.indexOf(-1);
    const weights: [string, number[]][] = [
      ["one less of each sign", replaced(m, [plus, 0], [minus, 0])],
      ["one more of each sign", replaced(m, [n - 2, 1], [n - 3, -1])],
      ["m is zero", none],
    ];
    for (const [comment, changed] of weights) {
      if (this.#isHrss) {
        valid(comment, "Unlucky", r, changed);
      } else {
        reject(comment, "WrongWeight", this.#encrypt(publicKey, r, changed));
      }
    }
  }

  /**
   * m with a one too many and a minus one too few. The ciphertext sums to zero only when a multiple of Phi_n is added,
   * which garbles the decryption by other keys than those with f(1) = 0: hence a key pair of its own.
   */
  #unevenWeight(): DecapsulationGroup {
    const { n, q } = this.#ntru.parameters;
    let pair = this.#ntru.generateKeyPair(this.#keySeed());
    while (sumOfTrits(this.#ntru.parameters, pair.secretKey) !== 0) {
      pair = this.#ntru.generateKeyPair(this.#keySeed());
    }
    const r = this.#trits();
    const m = this.#message();
    let multiple = 0;
    while (modulo(multiple * n + 2, q) !== 0) {
      multiple++;
    }
    const uneven = replaced(m, [m.indexOf(-1), 1]).map((value) => value + multiple);
    const even = this.#encrypt(pair.publicKey, r, m);
    return {
      type: "decapsulate",
      publicKey: toHex(pair.publicKey),
      secretKey: toHex(pair.secretKey),
      tests: [
        {
          ...this.#head("made by hand for a key with f(1) = 0", "Valid"),
          ciphertext: toHex(even),
          result: "valid",
          sharedSecret: this.#secretOf(r, m),
        },
        {
          ...this.#head("a one too many, a minus one too few", "WrongWeight"),
          ...rejected(pair.secretKey, this.#encrypt(pair.publicKey, r, uneven)),
        },
      ],
    };
  }

  #trits(): number[] {
    const { n } = this.#ntru.parameters;
    return [...this.#stream.next(n - 1)].map((byte) => (byte % 3) - 1).concat(0);
  }

  /** m with the ones and minus ones that HPS asks for; HRSS would take others too. */
  #message(): number[] {
    const { n, q } = this.#ntru.parameters;
    const weight = this.#isHrss ? 254 : q / 8 - 2;
    return Array.from({ length: n }, (_, i) => (i < weight / 2 ? 1 : i < weight ? -1 : 0));
  }

  #encrypt(publicKey: Uint8Array, r: readonly number[], m: readonly number[]): Uint8Array {
    const lifted = this.#isHrss ? liftHrss(m) : m;
    const product = multiply(r, unpackSumZero(this.#ntru.parameters, publicKey));
    return packQ(
      this.#ntru.parameters,
      product.map((value, i) => value + (lifted[i] as number)),
    );
  }

  #secretOf(r: readonly number[], m: readonly number[]): string {
    return toHex(sha3_256(packMessage(this.#ntru.parameters, r, m)));
  }
}

/** The implicit rejection by its definition: SHA3-256(rejection key || ciphertext). */
function rejected(secretKey: Uint8Array, ciphertext: Uint8Array) {
  const sharedSecret = toHex(sha3_256(concatBytes(secretKey.slice(-32), ciphertext)));
  return { ciphertext: toHex(ciphertext), result: "rejected" as const, sharedSecret };
}

function replaced(values: readonly number[], ...changes: readonly [number, number][]): number[] {
  const copy = [...values];
  for (const [place, value] of changes) {
    copy[place] = value;
  }
  return copy;
}

function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
}

function setBit(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, i) => (i === bit >> 3 ? byte | (1 << (bit & 7)) : byte));
}

/** The vector file of one set, as text. */
export function generateVectors(ntru: Ntru, name: NtruSetName): string {
  return `${JSON.stringify(new Generator(ntru, name).file(), null, 1)}\n`;
}
