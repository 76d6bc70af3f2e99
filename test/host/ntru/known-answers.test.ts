import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { concatBytes, toHex } from "../../../host/base/index.ts";
import { loadNtru, type Ntru, type NtruSetName } from "../../../host/ntru/index.ts";
import { NistDrbg } from "./nist-drbg.ts";

/**
 * SHA-256 of the official response files (PQCgenKAT_kem of the third-round package of NTRU), newlines and all.
 * The text is made again here, all 100 answers of each set; only the digests are kept.
 */
const DIGESTS: Record<NtruSetName, string> = {
  ntruhps2048509: "f85cbfd585ee9e03feb10817f7a4ba42695a67af95db383c5ebbc2beab27e6bc",
  ntruhps2048677: "0e1d2eccfbc6e4f4d6f139b21de27417316202a5c113602d25704316aebb9303",
  ntruhps40961229: "64cd59d85211cedd65578d6cb3a8eab87d1ac08cf74fedf00759ab0b5f0aa413",
  ntruhps4096821: "95235f04c6206a82477fd5a877f184e99906d658a242dcd7ebb8337048129a4b",
  ntruhrss1373: "953856fbf1f57f2a1d6592d320082d6f945ecf9e9f06fea7ce8c0dced792d8a8",
  ntruhrss701: "1e7c8e02f7dc1a9796332d60d1b08995fff5dfe81f2ae7394ec2f4816dedf4b6",
};

const COUNT = 100;

/** The seeds of the 100 answers: 48 bytes each from a generator that starts with the bytes 0 to 47. */
function answerSeeds(): Uint8Array[] {
  const drbg = new NistDrbg(Uint8Array.from({ length: 48 }, (_, i) => i));
  return Array.from({ length: COUNT }, () => drbg.next(48));
}

interface Answer {
  readonly text: string;
  readonly agreed: boolean;
}

function answer(ntru: Ntru, count: number, seed: Uint8Array): Answer {
  const { sampleFgBytes, sampleRmBytes } = ntru.parameters;
  // The order in which the reference draws: f and g, the rejection key, then r and m.
  const drbg = new NistDrbg(seed);
  const keySeed = concatBytes(drbg.next(sampleFgBytes), drbg.next(32));
  const { publicKey, secretKey } = ntru.generateKeyPair(keySeed);
  const { ciphertext, sharedSecret } = ntru.encapsulate(publicKey, drbg.next(sampleRmBytes));
  const decapsulated = ntru.decapsulate(secretKey, ciphertext);
  const line = (name: string, bytes: Uint8Array) => `${name} = ${toHex(bytes).toUpperCase()}\n`;
  const text =
    `count = ${count}\n` +
    line("seed", seed) +
    line("pk", publicKey) +
    line("sk", secretKey) +
    line("ct", ciphertext) +
    line("ss", sharedSecret);
  return { text: `${text}\n`, agreed: toHex(decapsulated) === toHex(sharedSecret) };
}

describe("official known answers", () => {
  it.each(Object.entries(DIGESTS) as [NtruSetName, string][])("%s", async (name, digest) => {
    const ntru = await loadNtru(name);
    const answers = answerSeeds().map((seed, count) => answer(ntru, count, seed));
    expect(answers).toHaveLength(COUNT);
    expect(answers.every(({ agreed }) => agreed)).toBe(true);
    const file = `# ${name}\n\n${answers.map(({ text }) => text).join("")}`;
    expect(file.match(/^count = /gm)).toHaveLength(COUNT);
    expect(createHash("sha256").update(file).digest("hex")).toBe(digest);
  });
});
