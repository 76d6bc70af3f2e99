import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, toHex, utf8 } from "../../host/base/index.ts";
import type { Ntru, NtruSetName } from "../../host/ntru/index.ts";

/**
 * SHA-256 of the official response files (PQCgenKAT_kem of the third-round package of NTRU), newlines and all.
 * The text is made again here, all 100 answers of each set; only the digests are kept.
 */
export const KNOWN_ANSWER_DIGESTS: Record<NtruSetName, string> = {
  ntruhps2048509: "f85cbfd585ee9e03feb10817f7a4ba42695a67af95db383c5ebbc2beab27e6bc",
  ntruhps2048677: "0e1d2eccfbc6e4f4d6f139b21de27417316202a5c113602d25704316aebb9303",
  ntruhps40961229: "64cd59d85211cedd65578d6cb3a8eab87d1ac08cf74fedf00759ab0b5f0aa413",
  ntruhps4096821: "95235f04c6206a82477fd5a877f184e99906d658a242dcd7ebb8337048129a4b",
  ntruhrss1373: "953856fbf1f57f2a1d6592d320082d6f945ecf9e9f06fea7ce8c0dced792d8a8",
  ntruhrss701: "1e7c8e02f7dc1a9796332d60d1b08995fff5dfe81f2ae7394ec2f4816dedf4b6",
};

export const KNOWN_ANSWER_COUNT = 100;

/** Where the random bytes of an answer come from: the generator of the NIST harness, or a recording of it. */
export interface RandomSource {
  next(length: number): Uint8Array;
}

/** Text of one answer; throws when decapsulation disagrees with encapsulation. */
function answer(ntru: Ntru, count: number, seed: Uint8Array, source: RandomSource): string {
  const { sampleFgBytes, sampleRmBytes } = ntru.parameters;
  // The order in which the reference draws: f and g, the rejection key, then r and m.
  const keySeed = concatBytes(source.next(sampleFgBytes), source.next(32));
  const { publicKey, secretKey } = ntru.generateKeyPair(keySeed);
  const { ciphertext, sharedSecret } = ntru.encapsulate(publicKey, source.next(sampleRmBytes));
  if (toHex(ntru.decapsulate(secretKey, ciphertext)) !== toHex(sharedSecret)) {
    throw new Error(`Answer ${count}: decapsulation gives another secret.`);
  }
  const line = (name: string, bytes: Uint8Array) => `${name} = ${toHex(bytes).toUpperCase()}\n`;
  const lines = [
    line("seed", seed),
    line("pk", publicKey),
    line("sk", secretKey),
    line("ct", ciphertext),
    line("ss", sharedSecret),
  ];
  return `count = ${count}\n${lines.join("")}\n`;
}

/**
 * SHA-256 of the response file that `ntru` gives. `open` makes the generator of the harness from 48 bytes; it is a
 * parameter because a browser has no synchronous AES and replays what Node drew.
 */
export function knownAnswersDigest(
  ntru: Ntru,
  name: NtruSetName,
  open: (entropy: Uint8Array) => RandomSource,
): string {
  const seeds = open(Uint8Array.from({ length: 48 }, (_, i) => i));
  let file = `# ${name}\n\n`;
  for (let count = 0; count < KNOWN_ANSWER_COUNT; count++) {
    const seed = seeds.next(48);
    file += answer(ntru, count, seed, open(seed));
  }
  return toHex(sha256(utf8(file)));
}
