import { readFile } from "node:fs/promises";
import { instantiate } from "@assemblyscript/loader";
import { beforeAll, describe, expect, it } from "vitest";
import { NTRU_PARAMETERS, type Ntru, type NtruSetName } from "../../../host/ntru/index.ts";
import { bindNtru, type NtruModuleExports } from "../../../host/ntru/kem.ts";

/** Bytes of a secret that must not turn up in a row; eight do not by chance. */
const WINDOW = 8;

describe.each(Object.keys(NTRU_PARAMETERS) as NtruSetName[])("memory of %s", (name) => {
  const parameters = NTRU_PARAMETERS[name];
  let exports: NtruModuleExports;
  let ntru: Ntru;
  let clean: Buffer;

  beforeAll(async () => {
    const binary = await readFile(new URL(`../../../build/ntru/${name}.wasm`, import.meta.url));
    ({ exports } = await instantiate<NtruModuleExports>(binary));
    ntru = bindNtru(parameters, exports);
    clean = Buffer.from(exports.memory.buffer.slice(0));
  });

  const memory = () => Buffer.from(exports.memory.buffer);
  const holds = (secret: Uint8Array) => {
    for (let i = 0; i + WINDOW <= secret.length; i += WINDOW) {
      if (memory().includes(Buffer.from(secret.subarray(i, i + WINDOW)))) {
        return true;
      }
    }
    return false;
  };

  it("holds nothing of a call after it", () => {
    const { publicKey, secretKey } = ntru.generateKeyPair();
    expect(holds(secretKey)).toBe(false);
    expect(memory().equals(clean)).toBe(true);

    const { ciphertext, sharedSecret } = ntru.encapsulate(publicKey);
    expect(holds(sharedSecret)).toBe(false);
    expect(memory().equals(clean)).toBe(true);

    expect(ntru.decapsulate(secretKey, ciphertext)).toEqual(sharedSecret);
    expect(holds(secretKey) || holds(sharedSecret)).toBe(false);
    expect(memory().equals(clean)).toBe(true);

    ciphertext[0] = (ciphertext[0] as number) ^ 1;
    const rejected = ntru.decapsulate(secretKey, ciphertext);
    expect(holds(secretKey) || holds(rejected)).toBe(false);
    expect(memory().equals(clean)).toBe(true);
  });

  it("holds nothing after a refused seed", () => {
    const seed = new Uint8Array(parameters.sampleFgBytes + 32).fill(3);
    seed.fill(0, 0, parameters.n - 1);
    expect(() => ntru.generateKeyPair(seed)).toThrow();
    expect(memory().equals(clean)).toBe(true);
  });

  it("would show what is left without the wipe", () => {
    const careless = bindNtru(parameters, { ...exports, wipe: () => undefined });
    try {
      const { publicKey, secretKey } = careless.generateKeyPair();
      expect(holds(secretKey)).toBe(true);
      const { sharedSecret } = careless.encapsulate(publicKey);
      expect(holds(sharedSecret)).toBe(true);
    } finally {
      exports.wipe();
    }
    expect(memory().equals(clean)).toBe(true);
  });
});
