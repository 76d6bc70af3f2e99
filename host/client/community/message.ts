import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { z } from "zod";
import {
  type Bytes,
  concatBytes,
  equalBytes,
  MedcloudletError,
  randomBytes,
  utf8,
} from "../../base/index.ts";
import { type EnvelopeBinding, envelopeAad, envelopeInfo, plaintextSizes } from "../../community/index.ts";
import type { Recipient, SealingSuite } from "../../sealing/index.ts";

/** HMAC-SHA-256 keys of one fixed length below the block size: two keys never stand for one (RFC 2104, section 3). */
const FRANKING_KEY_BYTES = 32;
const LENGTH_BYTES = 4;
const ENC_BYTES = 962;
/** Bytes of a text in UTF-8; beside it there is room for an identity card. */
export const MESSAGE_BYTES = 4_000;

const CONTENT = z.strictObject({
  format: z.literal("medcloudlet-community-message-1"),
  text: z
    .string()
    .min(1)
    .refine((text) => utf8(text).length <= MESSAGE_BYTES),
  /** Who the sender is, only where they chose to say so: a statement, see identity-card.ts. */
  card: z.string().max(4_000).exactOptional(),
});
/** What somebody writes to a partner. */
export type MessageContent = Omit<z.infer<typeof CONTENT>, "format">;

/** Something sealed for the community's relay, and the commitment that its sender signs beside it. */
export interface SealedMessage {
  /** `enc | ciphertext`. */
  readonly sealed: Bytes;
  /** HMAC-SHA-256 of the body under the franking key: through it a report can be checked. */
  readonly commitment: Bytes;
}

/** A message as its reader has it: enough to report it, which nobody needs to do. */
export interface OpenedMessage {
  readonly content: MessageContent;
  /** The bytes that the commitment is over. */
  readonly body: Bytes;
  readonly frankingKey: Bytes;
}

/** The commitment of message franking (Grubbs, Lu and Ristenpart, CRYPTO 2017): binding, for HMAC of a fixed key length. */
export function frank(frankingKey: Bytes, body: Bytes): Bytes {
  return new Uint8Array(hmac(sha256, frankingKey, body));
}

/** A text, and a card where there is one, as the bytes that are franked. @throws MedcloudletError `MESSAGE_LENGTH` (400) */
function encodeContent(content: MessageContent): Bytes {
  const parsed = CONTENT.safeParse({ format: "medcloudlet-community-message-1", ...content });
  if (!parsed.success) {
    throw new MedcloudletError(
      "MESSAGE_LENGTH",
      `A message has 1 to ${MESSAGE_BYTES} bytes of text: shorten it, or send it in parts.`,
      { status: 400, cause: parsed.error },
    );
  }
  return utf8(JSON.stringify(parsed.data));
}

/** What a franked body says. @throws MedcloudletError `MESSAGE_MALFORMED` (422) */
export function decodeContent(body: Bytes): MessageContent {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    const { format, ...content } = CONTENT.parse(JSON.parse(text));
    return content;
  } catch (cause) {
    throw malformed(cause);
  }
}

/**
 * `head | u32 length | bytes | zeros` up to one of the lengths of a kind, sealed to one reader.
 * @throws MedcloudletError `MESSAGE_LENGTH` (400)
 */
async function sealPadded(
  to: { readonly suite: SealingSuite; readonly receivingKey: Bytes; readonly binding: EnvelopeBinding },
  head: Bytes,
  bytes: Bytes,
): Promise<Bytes> {
  const { suite, receivingKey, binding } = to;
  const used = head.length + LENGTH_BYTES + bytes.length;
  const size = plaintextSizes(binding.kind).find((length) => length >= used);
  if (size === undefined) {
    throw new MedcloudletError("MESSAGE_LENGTH", "This is longer than what can be sent: shorten it.", {
      status: 400,
    });
  }
  const padded = new Uint8Array(size);
  padded.set(head);
  new DataView(padded.buffer).setUint32(head.length, bytes.length, true);
  padded.set(bytes, head.length + LENGTH_BYTES);
  const { enc, ciphertext } = await suite.seal(receivingKey, envelopeInfo(), envelopeAad(binding), padded);
  padded.fill(0);
  return concatBytes(enc, ciphertext);
}

async function openPadded(
  receiving: Recipient,
  binding: EnvelopeBinding,
  sealed: Bytes,
  headBytes: number,
): Promise<{ head: Bytes; bytes: Bytes }> {
  const parts = { enc: sealed.slice(0, ENC_BYTES), ciphertext: sealed.slice(ENC_BYTES) };
  const padded = await receiving.open(parts, envelopeInfo(), envelopeAad(binding));
  const from = headBytes + LENGTH_BYTES;
  const length = padded.length < from ? -1 : new DataView(padded.buffer).getUint32(headBytes, true);
  if (length < 0 || from + length > padded.length) {
    throw malformed();
  }
  return { head: padded.slice(0, headBytes), bytes: padded.slice(from, from + length) };
}

/** Seals a report, a note or an appeal. @throws MedcloudletError `MESSAGE_LENGTH` (400) */
export function sealBytes(
  suite: SealingSuite,
  receivingKey: Bytes,
  binding: EnvelopeBinding,
  bytes: Bytes,
): Promise<Bytes> {
  return sealPadded({ suite, receivingKey, binding }, new Uint8Array(0), bytes);
}

/** Undoes {@link sealBytes}. @throws MedcloudletError `SEALED_OPEN_FAILED`, `MESSAGE_MALFORMED` (422) */
export async function openBytes(
  receiving: Recipient,
  binding: EnvelopeBinding,
  sealed: Bytes,
): Promise<Bytes> {
  return (await openPadded(receiving, binding, sealed, 0)).bytes;
}

/** Seals a question or an answer to one partner. @throws MedcloudletError `MESSAGE_LENGTH` (400) */
export async function sealMessage(
  suite: SealingSuite,
  receivingKey: Bytes,
  binding: EnvelopeBinding,
  content: MessageContent,
): Promise<SealedMessage> {
  const body = encodeContent(content);
  const frankingKey = randomBytes(FRANKING_KEY_BYTES);
  const sealed = await sealPadded({ suite, receivingKey, binding }, frankingKey, body);
  return { sealed, commitment: frank(frankingKey, body) };
}

/**
 * Opens a message and holds it to its sender's commitment: what could not be reported is not shown.
 * @param commitment from the sender's statement, whose signature has been checked
 * @throws MedcloudletError `SEALED_OPEN_FAILED`, `MESSAGE_MALFORMED`, `MESSAGE_COMMITMENT` (422)
 */
export async function openMessage(
  receiving: Recipient,
  binding: EnvelopeBinding,
  sealed: Bytes,
  commitment: Bytes,
): Promise<OpenedMessage> {
  const { head: frankingKey, bytes: body } = await openPadded(receiving, binding, sealed, FRANKING_KEY_BYTES);
  if (!equalBytes(frank(frankingKey, body), commitment)) {
    throw new MedcloudletError(
      "MESSAGE_COMMITMENT",
      "The message is not what its sender signed a commitment to, so it is not shown: nobody could report it.",
      { status: 422 },
    );
  }
  return { content: decodeContent(body), body, frankingKey };
}

function malformed(cause?: unknown): MedcloudletError {
  return new MedcloudletError("MESSAGE_MALFORMED", "There is no message of a member in what was opened.", {
    status: 422,
    cause,
  });
}
