/** The thread of a pool (pool.ts): loads the set that `workerData` names and answers one request at a time. */
import { parentPort, workerData } from "node:worker_threads";
import { type Bytes, concatBytes, MedcloudletError } from "../base/index.ts";
import type { Ntru } from "./kem.ts";
import { loadNtru } from "./load.ts";
import type { NtruSetName } from "./parameters.ts";
import type { PoolFailure, PoolReply, PoolRequest } from "./pool-messages.ts";

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

/** `count` views of equal length, one behind the other. */
function cut(bytes: Bytes, count: number): Bytes[] {
  const length = bytes.length / count;
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}

function wipe(parts: readonly Uint8Array[]): void {
  for (const part of parts) {
    part.fill(0);
  }
}

function outputOf(ntru: Ntru, { operation, count, input }: PoolRequest): Bytes {
  const { parameters } = ntru;
  let outputs: Bytes[] = [];
  try {
    if (operation === "generateKeyPairs") {
      outputs = ntru.generateKeyPairs(count).flatMap((keys) => [keys.publicKey, keys.secretKey]);
    } else if (operation === "encapsulateMany") {
      outputs = ntru
        .encapsulateMany(cut(input, count))
        .flatMap((sent) => [sent.ciphertext, sent.sharedSecret]);
    } else {
      const secretKey = input.subarray(0, parameters.secretKeyBytes);
      outputs = ntru.decapsulateMany(secretKey, cut(input.subarray(secretKey.length), count));
    }
    return concatBytes(...outputs);
  } finally {
    wipe([input, ...outputs]);
  }
}

try {
  const ntru = await loadNtru(workerData as NtruSetName);
  port.on("message", (request: PoolRequest) => {
    try {
      const output = outputOf(ntru, request);
      reply({ kind: "done", id: request.id, output }, [output.buffer]);
    } catch (error) {
      reply({ kind: "failed", id: request.id, failure: failureOf(error) });
    }
  });
  reply({ kind: "ready" });
} catch (error) {
  reply({ kind: "unable", failure: failureOf(error) });
}
