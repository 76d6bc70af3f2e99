import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, concatBytes, randomBytes, toBase64Url, utf8 } from "../../../host/base/index.ts";
import { createHttpClient } from "../../../host/client/index.ts";
import { envelopeAad, envelopeInfo, plaintextSizes } from "../../../host/community/index.ts";
import type { SigningKey } from "../../../host/sealing/index.ts";
import type { System } from "../../support/system.ts";

/** Whoever sends: a member's key, or a ticket with its key. */
export type Sender = { readonly key: SigningKey; readonly ticket?: string } | undefined;

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

/** Sends JSON to the cloudlet and gives the answer, problem or not. */
export function callerOf(system: System) {
  const http = createHttpClient({
    clock: system.clock,
    // Problems are answers here.
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      const { status } = response;
      return new Response(JSON.stringify({ status, json: status === 204 ? null : await response.json() }));
    },
  });
  return async (method: "GET" | "POST", path: string, sender: Sender, json?: unknown): Promise<Answer> =>
    (await http.json({
      method,
      url: `${system.cloudlet.url}/v1${path}`,
      ...(sender === undefined
        ? {}
        : {
            credentials:
              sender.ticket === undefined ? { key: sender.key } : { key: sender.key, ticket: sender.ticket },
          }),
      ...(json === undefined ? {} : { json }),
    })) as Answer;
}

/** Something sealed in a community: as large as the smallest size it fits into. */
export async function sealTo(
  system: Pick<System, "suite">,
  to: Bytes,
  binding: Parameters<typeof envelopeAad>[0],
  body: Bytes,
): Promise<Bytes> {
  const size = plaintextSizes(binding.kind).find((one) => one >= body.length) ?? body.length;
  const plaintext = new Uint8Array(size);
  plaintext.set(body);
  const { enc, ciphertext } = await system.suite.seal(to, envelopeInfo(), envelopeAad(binding), plaintext);
  return concatBytes(enc, ciphertext);
}

/** A question's or answer's plaintext without its padding, and its commitment. */
export function franked(body: string): { plaintext: Bytes; commitment: string; frankingKey: Bytes } {
  const frankingKey = randomBytes(32);
  const bytes = utf8(body);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length, true);
  return {
    plaintext: concatBytes(frankingKey, length, bytes),
    commitment: toBase64Url(hmac(sha256, frankingKey, bytes)),
    frankingKey,
  };
}
