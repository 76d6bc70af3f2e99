import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  createNtruPool,
  loadNtru,
  type Ntru,
  type NtruPool,
  type NtruSetName,
} from "../../../host/ntru/index.ts";
import { shares } from "../../../host/ntru/pool.ts";

const NAME = "ntruhps2048509";
let ntru: Ntru;
let folder: string;
const pools: NtruPool[] = [];

async function open(options: Parameters<typeof createNtruPool>[1]): Promise<NtruPool> {
  const pool = await createNtruPool(NAME, options);
  pools.push(pool);
  return pool;
}

/** A worker that says it is ready and then does as `body` says. */
async function workerOf(body: string): Promise<URL> {
  const path = join(folder, `worker-${pools.length}-${body.length}.mjs`);
  await writeFile(path, `import { parentPort } from "node:worker_threads";\n${body}\n`);
  return pathToFileURL(path);
}

beforeAll(async () => {
  ntru = await loadNtru(NAME);
  folder = await mkdtemp(join(tmpdir(), "ntru-pool-"));
});

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("batch forms", () => {
  it("do as many operations as they are given, in order", () => {
    const keys = ntru.generateKeyPairs(3);
    const sent = ntru.encapsulateMany(keys.map(({ publicKey }) => publicKey));
    const [first] = keys as [(typeof keys)[0]];
    const ciphertexts = sent.map(({ ciphertext }) => ciphertext);
    const secrets = ntru.decapsulateMany(first.secretKey, ciphertexts);
    expect(new Set(keys.map(({ secretKey }) => secretKey.join())).size).toBe(3);
    expect(secrets).toEqual(ciphertexts.map((ciphertext) => ntru.decapsulate(first.secretKey, ciphertext)));
    expect(secrets[0]).toEqual(sent[0]?.sharedSecret);
    expect(secrets[1]).not.toEqual(sent[1]?.sharedSecret);
    expect(ntru.generateKeyPairs(0)).toEqual([]);
    expect(ntru.encapsulateMany([])).toEqual([]);
  });

  it("name the element that is wrong", () => {
    const { publicKey, secretKey } = ntru.generateKeyPair();
    expect(() => ntru.encapsulateMany([publicKey, publicKey.slice(1)])).toThrow(
      expect.objectContaining({ code: "NTRU_PUBLIC_KEY_LENGTH", status: 400, details: { index: 1 } }),
    );
    expect(() => ntru.encapsulateMany([new Uint8Array(publicKey.length)])).toThrow(
      expect.objectContaining({ code: "NTRU_PUBLIC_KEY_INVALID", details: { index: 0 } }),
    );
    expect(() => ntru.decapsulateMany(secretKey, [new Uint8Array(1)])).toThrow(
      expect.objectContaining({ code: "NTRU_CIPHERTEXT_LENGTH", details: { index: 0 } }),
    );
    for (const count of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => ntru.generateKeyPairs(count)).toThrow(
        expect.objectContaining({ code: "NTRU_COUNT_INVALID", status: 400 }),
      );
    }
  });
});

describe("pool", () => {
  it("cuts work into equal shares of at least 50", () => {
    expect(shares(0, 2)).toEqual([]);
    expect(shares(1, 2)).toEqual([1]);
    expect(shares(60, 2)).toEqual([50, 10]);
    expect(shares(200, 2)).toEqual([100, 100]);
    expect(shares(1000, 2)).toEqual([250, 250, 250, 250]);
    expect(shares(1001, 1).reduce((sum, share) => sum + share)).toBe(1001);
  });

  it("gives in order what the single operations give, and leaves the arguments alone", async () => {
    const pool = await open({ workers: 2 });
    const keys = await pool.generateKeyPairs(130);
    const publicKeys = keys.map(({ publicKey }) => publicKey);
    const sent = await pool.encapsulateMany(publicKeys);
    expect(keys).toHaveLength(130);
    expect(sent.map(({ ciphertext, sharedSecret }, i) => [ciphertext, sharedSecret, i])).toEqual(
      keys.map(({ secretKey }, i) => {
        const ciphertext = sent[i]?.ciphertext as Uint8Array;
        return [ciphertext, ntru.decapsulate(secretKey, ciphertext), i];
      }),
    );
    const { secretKey } = keys[7] as (typeof keys)[0];
    const ciphertexts = sent.map(({ ciphertext }) => ciphertext);
    const secrets = await pool.decapsulateMany(secretKey, ciphertexts);
    expect(secrets).toEqual(ntru.decapsulateMany(secretKey, ciphertexts));
    expect(secrets[7]).toEqual(sent[7]?.sharedSecret);
    expect(secretKey.some((byte) => byte !== 0)).toBe(true);
    expect(publicKeys[0]).toHaveLength(ntru.parameters.publicKeyBytes);
    expect(await pool.encapsulateMany([])).toEqual([]);
  });

  it("puts what is public in shared buffers and every secret in one of its own", async () => {
    const pool = await open({ workers: 1 });
    const keys = await pool.generateKeyPairs(3);
    const sent = await pool.encapsulateMany(keys.map(({ publicKey }) => publicKey));
    const secrets = [
      ...keys.map(({ secretKey }) => secretKey),
      ...sent.map(({ sharedSecret }) => sharedSecret),
    ];
    expect(secrets.map(({ buffer }) => buffer.byteLength)).toEqual([935, 935, 935, 32, 32, 32]);
    expect(keys.map(({ publicKey }) => publicKey.buffer.byteLength)).toEqual(Array(3).fill(3 * 699));
    expect(sent.map(({ ciphertext }) => ciphertext.buffer.byteLength)).toEqual(Array(3).fill(3 * 699));
  });

  it("rejects with the codes of the single operations", async () => {
    const pool = await open({ workers: 1 });
    const { publicKey, secretKey } = ntru.generateKeyPair();
    const zero = new Uint8Array(publicKey.length);
    await expect(pool.encapsulateMany([publicKey, zero])).rejects.toMatchObject({
      code: "NTRU_PUBLIC_KEY_INVALID",
      details: { index: 1 },
    });
    await expect(pool.decapsulateMany(publicKey, [])).rejects.toMatchObject({
      code: "NTRU_SECRET_KEY_LENGTH",
    });
    await expect(pool.decapsulateMany(secretKey, [secretKey])).rejects.toMatchObject({
      code: "NTRU_CIPHERTEXT_LENGTH",
    });
    await expect(pool.generateKeyPairs(-1)).rejects.toMatchObject({ code: "NTRU_COUNT_INVALID" });
  });

  it("refuses a set it does not know and numbers of workers that make no sense", async () => {
    await expect(createNtruPool("ntru" as NtruSetName)).rejects.toMatchObject({ code: "NTRU_SET_UNKNOWN" });
    for (const workers of [0, -1, 1.5, 257, Number.NaN]) {
      await expect(createNtruPool(NAME, { workers })).rejects.toMatchObject({
        code: "NTRU_POOL_WORKERS_INVALID",
        status: 400,
      });
    }
  });

  it("rejects what is pending when it is closed, and everything after", async () => {
    const pool = await open({ workers: 1 });
    const pending = pool.generateKeyPairs(500);
    const rejected = expect(pending).rejects.toMatchObject({ code: "NTRU_POOL_CLOSED" });
    await pool.close();
    await rejected;
    await expect(pool.generateKeyPairs(1)).rejects.toMatchObject({ code: "NTRU_POOL_CLOSED", status: 400 });
    await pool.close();
  });

  it("rejects what a dying thread had to do, and goes on with another", async () => {
    for (const death of ["process.exit(3)", 'throw new Error("broken")']) {
      const workerUrl = await workerOf(`
        parentPort.on("message", ({ count, id }) => {
          if (count === 50) { ${death}; }
          parentPort.postMessage({ kind: "done", id, output: { publics: new Uint8Array(699 * count), secrets: new Uint8Array(935 * count) } });
        });
        parentPort.postMessage({ kind: "ready" });`);
      const pool = await open({ workers: 1, workerUrl });
      await expect(pool.generateKeyPairs(50)).rejects.toMatchObject({
        code: "NTRU_POOL_WORKER_LOST",
        status: 500,
      });
      expect(await pool.generateKeyPairs(2)).toHaveLength(2);
    }
  });

  it("passes on why a thread cannot start or an operation failed", async () => {
    const failure = '{ code: "NTRU_WASM_UNAVAILABLE", message: "none", status: 500 }';
    const unable = await workerOf(`parentPort.postMessage({ kind: "unable", failure: ${failure} });`);
    const unavailable = { code: "NTRU_WASM_UNAVAILABLE", status: 500, message: "none" };
    await expect(createNtruPool(NAME, { workers: 2, workerUrl: unable })).rejects.toMatchObject(unavailable);
    const missing = pathToFileURL(join(folder, "missing.mjs"));
    await expect(createNtruPool(NAME, { workers: 1, workerUrl: missing })).rejects.toMatchObject({
      code: "NTRU_POOL_WORKER_LOST",
      cause: expect.anything(),
    });
    const failing = await workerOf(`
      parentPort.on("message", ({ id }) => parentPort.postMessage({ kind: "failed", id, failure: ${failure} }));
      parentPort.postMessage({ kind: "ready" });`);
    const pool = await open({ workers: 1, workerUrl: failing });
    await expect(pool.generateKeyPairs(1)).rejects.toMatchObject(unavailable);
  });
});
