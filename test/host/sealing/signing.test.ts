import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../../../host/base/index.ts";
import { generateSigningSeed, importSigningKey, verifySignature } from "../../../host/sealing/index.ts";
import { flipped } from "./fixtures.ts";

describe("Ed25519", () => {
  // RFC 8032, section 7.1, tests 1 and 2.
  it.each([
    [
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
  ])("gives the known answer of seed %s", async (seed, publicKey, message, signature) => {
    const key = await importSigningKey(fromHex(seed));
    expect(toHex(key.publicKey)).toBe(publicKey);
    expect(toHex(await key.sign(fromHex(message)))).toBe(signature);
    expect(await verifySignature(fromHex(publicKey), fromHex(message), fromHex(signature))).toBe(true);
  });

  it("keeps the private half inside the platform", async () => {
    const { privateKey } = await importSigningKey(generateSigningSeed());
    expect(privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("pkcs8", privateKey)).rejects.toThrow();
  });

  it("verifies nothing that was changed, in key, message or signature", async () => {
    const key = await importSigningKey(generateSigningSeed());
    const message = utf8("I was here");
    const signature = await key.sign(message);
    expect(await verifySignature(key.publicKey, message, signature)).toBe(true);
    for (let at = 0; at < signature.length; at++) {
      expect(await verifySignature(key.publicKey, message, flipped(signature, at))).toBe(false);
    }
    for (let at = 0; at < message.length; at++) {
      expect(await verifySignature(key.publicKey, flipped(message, at), signature)).toBe(false);
    }
    for (let at = 0; at < 32; at++) {
      expect(await verifySignature(flipped(key.publicKey, at), message, signature)).toBe(false);
    }
  });

  it("answers broken input with false and never with an exception", async () => {
    const key = await importSigningKey(generateSigningSeed());
    const message = utf8("I was here");
    const signature = await key.sign(message);
    for (const publicKey of [new Uint8Array(), key.publicKey.slice(1), new Uint8Array(33)]) {
      expect(await verifySignature(publicKey, message, signature)).toBe(false);
    }
    for (const broken of [new Uint8Array(), signature.slice(1), new Uint8Array(65)]) {
      expect(await verifySignature(key.publicKey, message, broken)).toBe(false);
    }
  });
});
