import type { Worker } from "node:worker_threads";
import { type Bytes, concatBytes, MedcloudletError } from "../base/index.ts";
import {
  badRequest,
  requireCiphertext,
  requireCount,
  requireEach,
  requirePublicKey,
  requireSecretKey,
} from "./checks.ts";
import type { NtruEncapsulation, NtruKeyPair } from "./kem.ts";
import { isNtruSetName, NTRU_PARAMETERS, type NtruParameters, type NtruSetName } from "./parameters.ts";
import {
  buffersOf,
  type PoolBytes,
  type PoolFailure,
  type PoolReply,
  type PoolRequest,
  valueAt,
} from "./pool-messages.ts";

export interface NtruPoolOptions {
  /** Threads, 1 to 256; by default as many as the machine runs at once. */
  readonly workers?: number;
  /** The compiled pool-worker.js, where a bundler has put it elsewhere. */
  readonly workerUrl?: URL;
}

/**
 * The batch forms of `Ntru` on the threads of Node. Arguments are copied; results are in the order of the arguments
 * and the caller's own. Public keys, or ciphertexts, that came in one message are views of one buffer, which lives as
 * long as any of them; a secret key or shared secret has a buffer of its own. An idle pool does not keep the process
 * alive.
 *
 * A request rejects with the codes of the batch forms, with `NTRU_POOL_WORKER_LOST` (500) when a thread died over
 * it (the next request gets a new thread), and with `NTRU_POOL_CLOSED` (400) when the pool is, or was meanwhile,
 * closed.
 */
export interface NtruPool {
  readonly parameters: NtruParameters;
  generateKeyPairs(count: number): Promise<NtruKeyPair[]>;
  encapsulateMany(publicKeys: readonly Uint8Array[]): Promise<NtruEncapsulation[]>;
  decapsulateMany(secretKey: Uint8Array, ciphertexts: readonly Uint8Array[]): Promise<Bytes[]>;
  /** Ends the threads and rejects what is pending. Closing twice is no error. */
  close(): Promise<void>;
}

/** A round trip costs as much as several operations: fewer than this are not worth a message of their own. */
const LEAST_PER_MESSAGE = 50;
/** More than this are cut, so that no buffer grows without bound. */
const MOST_PER_MESSAGE = 250;
const MOST_WORKERS = 256;

interface Pending {
  resolve(output: PoolBytes): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
  load: number;
}

function workerFile(): URL {
  const path = import.meta.url.endsWith(".ts") ? "../../build/host/ntru/pool-worker.js" : "./pool-worker.js";
  return new URL(path, import.meta.url);
}

function errorOf({ code, message, status }: PoolFailure): MedcloudletError {
  return new MedcloudletError(code, message, { status });
}

function lost(cause: unknown): MedcloudletError {
  return new MedcloudletError("NTRU_POOL_WORKER_LOST", "A thread of the NTRU pool died.", { cause });
}

/** The numbers of operations of the messages that `count` operations become: equal shares for all threads. */
export function shares(count: number, workers: number): number[] {
  const messages = workers * Math.ceil(count / (workers * MOST_PER_MESSAGE));
  const share = Math.max(LEAST_PER_MESSAGE, Math.ceil(count / messages));
  return Array.from({ length: Math.ceil(count / share) }, (_, i) => Math.min(share, count - i * share));
}

/**
 * Starts the threads and loads the parameter set `name` in each. For bulk work in Node only.
 * @throws MedcloudletError `NTRU_SET_UNKNOWN` (400), `NTRU_POOL_WORKERS_INVALID` (400), `NTRU_WASM_UNAVAILABLE`
 * (500), `NTRU_POOL_WORKER_LOST` (500)
 */
export async function createNtruPool(name: NtruSetName, options: NtruPoolOptions = {}): Promise<NtruPool> {
  if (!isNtruSetName(name)) {
    throw badRequest("NTRU_SET_UNKNOWN", "There is no parameter set of this name.");
  }
  // Here and not at the top: the entry point of this module also loads in browsers.
  const { Worker } = await import("node:worker_threads");
  const { availableParallelism } = await import("node:os");
  const workers = options.workers ?? Math.min(availableParallelism(), MOST_WORKERS);
  if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
    throw badRequest("NTRU_POOL_WORKERS_INVALID", `A pool has 1 to ${MOST_WORKERS} workers.`);
  }
  const parameters: NtruParameters = NTRU_PARAMETERS[name];
  const url = options.workerUrl ?? workerFile();
  const threads = new Set<Thread>();
  let closed = false;
  let lastId = 0;

  function settle(thread: Thread, id: number, count: number): Pending | undefined {
    const pending = thread.pending.get(id);
    thread.pending.delete(id);
    thread.load -= count;
    if (thread.pending.size === 0) {
      thread.worker.unref();
    }
    return pending;
  }

  function drop(thread: Thread, error: Error): void {
    threads.delete(thread);
    for (const { reject } of thread.pending.values()) {
      reject(error);
    }
    thread.pending.clear();
  }

  /** A new thread, and the promise of its first word. */
  function start(): { thread: Thread; ready: Promise<void> } {
    // Without the flags of the process: some, as --input-type, keep a thread from starting.
    const worker = new Worker(url, { workerData: name, execArgv: [] });
    const thread: Thread = { worker, pending: new Map(), load: 0 };
    threads.add(thread);
    const ready = new Promise<void>((resolve, reject) => {
      const fail = (error: Error) => {
        drop(thread, error);
        reject(error);
      };
      worker.on("message", (message: PoolReply) => {
        if (message.kind === "ready") {
          resolve();
        } else if (message.kind === "unable") {
          fail(errorOf(message.failure));
        } else if (message.kind === "failed") {
          thread.pending.get(message.id)?.reject(errorOf(message.failure));
        } else {
          thread.pending.get(message.id)?.resolve(message.output);
        }
      });
      worker.on("error", (cause) => fail(lost(cause)));
      worker.on("exit", (code) => fail(lost(`exit code ${code}`)));
    });
    // Whoever does not wait for it hears of the failure through the requests.
    ready.catch(() => {});
    return { thread, ready };
  }

  function leastLoaded(): Thread {
    while (threads.size < workers) {
      start();
    }
    return [...threads].reduce((best, thread) => (thread.load < best.load ? thread : best));
  }

  async function send(
    operation: PoolRequest["operation"],
    count: number,
    input: PoolBytes,
  ): Promise<PoolBytes> {
    const thread = leastLoaded();
    const id = ++lastId;
    const answer = new Promise<PoolBytes>((resolve, reject) => {
      thread.pending.set(id, { resolve, reject });
    });
    thread.load += count;
    thread.worker.ref();
    const request: PoolRequest = { id, operation, count, input };
    thread.worker.postMessage(request, buffersOf(input));
    try {
      return await answer;
    } finally {
      settle(thread, id, count);
    }
  }

  /**
   * Sends `count` operations in shares and cuts the outputs into results. This is the one part of the work that the
   * threads do not share, and what it takes an operation limits what they gain.
   */
  async function run<Result>(
    operation: PoolRequest["operation"],
    count: number,
    inputOf: (from: number, to: number) => PoolBytes,
    resultOf: (output: PoolBytes, index: number) => Result,
  ): Promise<Result[]> {
    if (closed) {
      throw badRequest("NTRU_POOL_CLOSED", "The NTRU pool is closed.");
    }
    let from = 0;
    const answers = shares(count, workers).map(async (share) => {
      const input = inputOf(from, from + share);
      from += share;
      const output = await send(operation, share, input);
      const results = Array.from({ length: share }, (_, index) => resultOf(output, index));
      output.secrets.fill(0);
      return results;
    });
    return (await Promise.all(answers)).flat();
  }

  const { publicKeyBytes, secretKeyBytes, ciphertextBytes, sharedSecretBytes } = parameters;

  const pool: NtruPool = {
    parameters,

    async generateKeyPairs(count) {
      requireCount(count);
      return run(
        "generateKeyPairs",
        count,
        () => ({ publics: new Uint8Array(0), secrets: new Uint8Array(0) }),
        ({ publics, secrets }, index) => ({
          publicKey: valueAt(publics, index, publicKeyBytes),
          secretKey: valueAt(secrets, index, secretKeyBytes).slice(),
        }),
      );
    },

    async encapsulateMany(publicKeys) {
      requireEach(publicKeys, (publicKey) => requirePublicKey(parameters, publicKey));
      return run(
        "encapsulateMany",
        publicKeys.length,
        (from, to) => ({ publics: concatBytes(...publicKeys.slice(from, to)), secrets: new Uint8Array(0) }),
        ({ publics, secrets }, index) => ({
          ciphertext: valueAt(publics, index, ciphertextBytes),
          sharedSecret: valueAt(secrets, index, sharedSecretBytes).slice(),
        }),
      );
    },

    async decapsulateMany(secretKey, ciphertexts) {
      requireSecretKey(parameters, secretKey);
      requireEach(ciphertexts, (ciphertext) => requireCiphertext(parameters, ciphertext));
      return run(
        "decapsulateMany",
        ciphertexts.length,
        (from, to) => ({
          publics: concatBytes(...ciphertexts.slice(from, to)),
          secrets: concatBytes(secretKey),
        }),
        ({ secrets }, index) => valueAt(secrets, index, sharedSecretBytes).slice(),
      );
    },

    async close() {
      closed = true;
      const open = [...threads];
      for (const thread of open) {
        drop(thread, badRequest("NTRU_POOL_CLOSED", "The NTRU pool was closed before the answer came."));
      }
      await Promise.all(open.map(({ worker }) => worker.terminate()));
    },
  };

  try {
    await Promise.all(Array.from({ length: workers }, () => start().ready));
  } catch (error) {
    await pool.close();
    throw error;
  }
  for (const { worker } of threads) {
    worker.unref();
  }
  return pool;
}
