import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { isNtruSetName, loadNtru, NTRU_PARAMETERS, type NtruSetName } from "../../../host/ntru/index.ts";

function wasm(name: NtruSetName) {
  return readFile(new URL(`../../../build/ntru/${name}.wasm`, import.meta.url));
}

describe("loading", () => {
  it("takes bytes, a compiled module or a response", async () => {
    const bytes = await wasm("ntruhps2048677");
    const response = new Response(bytes, { headers: { "content-type": "application/wasm" } });
    const seed = new Uint8Array(3243).fill(1);
    const { publicKey } = (await loadNtru("ntruhps2048677")).generateKeyPair(seed);
    for (const module of [bytes, await WebAssembly.compile(bytes), response]) {
      const ntru = await loadNtru("ntruhps2048677", { module });
      expect(ntru.generateKeyPair(seed).publicKey).toEqual(publicKey);
    }
  });

  it("refuses a set it does not know", async () => {
    for (const name of ["ntruhps2048676", "", "constructor", "__proto__"]) {
      expect(isNtruSetName(name)).toBe(false);
      await expect(loadNtru(name as NtruSetName)).rejects.toMatchObject({
        code: "NTRU_SET_UNKNOWN",
        status: 400,
      });
    }
  });

  it("says what to do about a module that is no module", async () => {
    await expect(loadNtru("ntruhps2048677", { module: new Uint8Array(8) })).rejects.toMatchObject({
      code: "NTRU_WASM_UNAVAILABLE",
      status: 500,
      message: expect.stringContaining("npm run build"),
      cause: expect.anything(),
    });
  });

  it("refuses the module of another set, or of another program", async () => {
    const unavailable = { code: "NTRU_WASM_UNAVAILABLE" };
    const other = await wasm("ntruhps4096821");
    await expect(loadNtru("ntruhps2048677", { module: other })).rejects.toMatchObject(unavailable);
    const empty = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0]);
    await expect(loadNtru("ntruhps2048677", { module: empty })).rejects.toMatchObject(unavailable);
  });

  it("knows lengths that follow from n and q", () => {
    for (const [name, set] of Object.entries(NTRU_PARAMETERS)) {
      const packed = Math.ceil((Math.log2(set.q) * (set.n - 1)) / 8);
      const trits = Math.ceil((set.n - 1) / 5);
      const second = name.startsWith("ntruhrss") ? set.n - 1 : Math.ceil((30 * (set.n - 1)) / 8);
      expect(set.publicKeyBytes).toBe(packed);
      expect(set.ciphertextBytes).toBe(packed);
      expect(set.secretKeyBytes).toBe(2 * trits + packed + 32);
      expect(set.sampleFgBytes).toBe(set.n - 1 + second);
      expect(set.sampleRmBytes).toBe(set.sampleFgBytes);
    }
  });

  it("keeps instances apart", async () => {
    const [one, two] = await Promise.all([loadNtru("ntruhps2048509"), loadNtru("ntruhps2048509")]);
    const { publicKey, secretKey } = one.generateKeyPair();
    const { ciphertext, sharedSecret } = two.encapsulate(publicKey);
    expect(two.decapsulate(secretKey, ciphertext)).toEqual(sharedSecret);
  });
});
