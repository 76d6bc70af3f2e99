import { shake256 } from "@noble/hashes/sha3.js";
import { toHex } from "../../host/base/index.ts";
import type { Ntru, NtruSetName } from "../../host/ntru/index.ts";
import { ByteStream } from "./stream.ts";

/**
 * The accumulated hash: SHAKE256 (32 bytes) over, for each run, public key, secret key, ciphertext, shared secret, the
 * secret that decapsulation finds, and the secret that it gives for a random ciphertext. Seeds and random ciphertexts
 * come from SHAKE256 of `medcloudlet accumulated NAME`, in the order key seed, encapsulation seed, ciphertext.
 * @param progress called before each run
 */
export function accumulate(
  ntru: Ntru,
  name: NtruSetName,
  runs: number,
  progress: (run: number) => void = () => {},
): string {
  const { sampleFgBytes, sampleRmBytes, ciphertextBytes } = ntru.parameters;
  const stream = new ByteStream(`medcloudlet accumulated ${name}`);
  const hash = shake256.create({ dkLen: 32 });
  for (let run = 0; run < runs; run++) {
    progress(run);
    const { publicKey, secretKey } = ntru.generateKeyPair(stream.next(sampleFgBytes + 32));
    const { ciphertext, sharedSecret } = ntru.encapsulate(publicKey, stream.next(sampleRmBytes));
    hash.update(publicKey).update(secretKey).update(ciphertext).update(sharedSecret);
    hash.update(ntru.decapsulate(secretKey, ciphertext));
    hash.update(ntru.decapsulate(secretKey, stream.next(ciphertextBytes)));
  }
  return toHex(hash.digest());
}
