/** The thread of a pool (pool.ts): loads the set that `workerData` names and answers one request at a time. */
import { parentPort, workerData } from "node:worker_threads";
import { type Bytes, MedcloudletError } from "../base/index.ts";
import type { Ntru } from "./kem.ts";
import { loadNtru } from "./load.ts";
import type { NtruSetName } from "./parameters.ts";
import {
  buffersOf,
  type PoolBytes,
  type PoolFailure,
  type PoolReply,
  type PoolRequest,
  valueAt,
} from "./pool-messages.ts";

const port = parentPort;
if (port === null) {
  throw new MedcloudletError("NTRU_POOL_WORKER_LOST", "This file runs in the workers of a pool only.");
}

function reply(message: PoolReply, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function failureOf(error: unknown): PoolFailure {
  if (error instanceof MedcloudletError) {
    return { code: error.code, message: error.message, status: error.status };
  }
  return { code: "NTRU_POOL_WORKER_LOST", message: String(error), status: 500 };
}

/** What `getRandomValues` gives at most. */
const MOST_RANDOM_BYTES = 65_536;

/** Puts a secret into its place and wipes the copy. */
function move(secret: Bytes, secrets: Bytes, index: number): void {
  secrets.set(secret, index * secret.length);
  secret.fill(0);
}

function keyPairs(ntru: Ntru, count: number): PoolBytes {
  const { publicKeyBytes, secretKeyBytes } = ntru.parameters;
  const publics = new Uint8Array(count * publicKeyBytes);
  const secrets = new Uint8Array(count * secretKeyBytes);
  for (let i = 0; i < count; i++) {
    const { publicKey, secretKey } = ntru.generateKeyPair();
    publics.set(publicKey, i * publicKeyBytes);
    move(secretKey, secrets, i);
  }
  return { publics, secrets };
}

/** Ciphertexts take the places of the public keys, which are as long. */
function encapsulations(ntru: Ntru, count: number, { publics }: PoolBytes): PoolBytes {
  const { publicKeyBytes, sharedSecretBytes, sampleRmBytes } = ntru.parameters;
  const secrets = new Uint8Array(count * sharedSecretBytes);
  // Asking for random bytes costs a tenth of an encapsulation, for many as for few: seeds are drawn in bulk.
  const most = Math.min(count, Math.floor(MOST_RANDOM_BYTES / sampleRmBytes));
  const seeds = new Uint8Array(most * sampleRmBytes);
  try {
    for (let i = 0; i < count; i++) {
      if (i % most === 0) {
        crypto.getRandomValues(seeds);
      }
      const publicKey = valueAt(publics, i, publicKeyBytes);
      const { ciphertext, sharedSecret } = ntru.encapsulate(
        publicKey,
        valueAt(seeds, i % most, sampleRmBytes),
      );
      publicKey.set(ciphertext);
      move(sharedSecret, secrets, i);
    }
    return { publics, secrets };
  } finally {
    seeds.fill(0);
  }
}

function decapsulations(ntru: Ntru, count: number, { publics, secrets: secretKey }: PoolBytes): PoolBytes {
  const { ciphertextBytes, sharedSecretBytes } = ntru.parameters;
  const secrets = new Uint8Array(count * sharedSecretBytes);
  try {
    for (let i = 0; i < count; i++) {
      move(ntru.decapsulate(secretKey, valueAt(publics, i, ciphertextBytes)), secrets, i);
    }
    return { publics: new Uint8Array(0), secrets };
  } finally {
    secretKey.fill(0);
  }
}

function outputOf(ntru: Ntru, { operation, count, input }: PoolRequest): PoolBytes {
  if (operation === "generateKeyPairs") {
    return keyPairs(ntru, count);
  }
  if (operation === "encapsulateMany") {
    return encapsulations(ntru, count, input);
  }
  return decapsulations(ntru, count, input);
}

try {
  const ntru = await loadNtru(workerData as NtruSetName);
  port.on("message", (request: PoolRequest) => {
    try {
      const output = outputOf(ntru, request);
      reply({ kind: "done", id: request.id, output }, buffersOf(output));
    } catch (error) {
      reply({ kind: "failed", id: request.id, failure: failureOf(error) });
    }
  });
  reply({ kind: "ready" });
} catch (error) {
  reply({ kind: "unable", failure: failureOf(error) });
}
