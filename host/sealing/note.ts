import { sha256 } from "@noble/hashes/sha2.js";
import { deflateSync } from "fflate";
import { z } from "zod";
import {
  type Bytes,
  concatBytes,
  fromHex,
  isMedcloudletError,
  MedcloudletError,
  toHex,
  utf8,
} from "../base/index.ts";
import { inflateExactly } from "./inflate.ts";
import { unpad } from "./padding.ts";
import { REGION, type Region, regionOfByte } from "./region.ts";
import { digestSchema, ENC_BYTES, idSchema, timeSchema } from "./statements.ts";
import { AEAD_TAG_BYTES, type Recipient, type SealingSuite, SUITE } from "./suite.ts";

/** A note has at most so many characters (UTF-16 units). */
export const NOTE_CHARACTERS = 4000;
/** A sealed note has exactly one of these lengths, so that its length tells little of what is said. */
const NOTE_SIZES = [4096, 8192, 16_384] as const;
const NAME_CHARACTERS = 100;

/** Line breaks and tabs are writing; other control characters are none, and half a surrogate pair is no character. */
const noteTextSchema = z
  .string()
  .max(NOTE_CHARACTERS)
  .refine((text) => !/[^\P{Cc}\n\t]|\p{Cs}/u.test(text), "expected written text");

/**
 * "I wrote these words into this stream at this time." Signed by the author, sealed together with the words: the cloud
 * sees neither. The stream and the epoch are in it so that nobody who opened a note can seal it to others as if its
 * author had.
 */
export const NOTE = {
  typ: "medcloudlet-note",
  schema: z.strictObject({
    /** 16 random bytes by the author. */
    noteId: idSchema,
    streamId: idSchema,
    epochId: idSchema,
    /** Account id. */
    author: idSchema,
    /** What the author calls themselves. */
    authorName: z
      .string()
      .max(NAME_CHARACTERS)
      .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u),
    /** ms since 1970 UTC, by the author's clock. */
    at: timeSchema,
    /** The note of the same author in whose place this one stands; null for a first one. */
    replaces: idSchema.nullable(),
    /** True where the author takes back what stood before; there are no words then. */
    retracted: z.boolean(),
    /** SHA-256 of the text in UTF-8, 64 hex digits. */
    digest: digestSchema,
  }),
};
export type Note = z.infer<typeof NOTE.schema>;

const CONTENT = z.strictObject({
  format: z.literal("medcloudlet-note-1"),
  /** A {@link NOTE}. */
  statement: z.string().max(4096),
  /** The author's identity. */
  identity: z.string().max(4096),
  /** The patient's consent that let the author in; null where the patient wrote. */
  consent: z.string().max(4096).nullable(),
  text: noteTextSchema,
});
/** What a sealed note holds; its statements are still to be verified. */
export type NoteContent = Omit<z.infer<typeof CONTENT>, "format">;

/** What a sealed note says in the clear. */
export interface NoteHeader {
  readonly region: Region;
  /** 16 bytes as lower-case hex. */
  readonly epochId: string;
  /** 16 bytes as lower-case hex. */
  readonly streamId: string;
}

/** A sealed note taken apart, nothing of it verified or opened. */
export interface SealedNote {
  readonly header: NoteHeader;
  readonly enc: Bytes;
  readonly body: Bytes;
  /** The header bytes: additional authenticated data of the body. */
  readonly aad: Bytes;
}

const MAGIC = utf8("MCLN");
const VERSION = 1;
const HEADER_BYTES = 40;
const BODY_AT = HEADER_BYTES + 2 + ENC_BYTES;
const INFO = utf8("medcloudlet sealed note v1");
/** More than the longest text and its statements take as JSON, with every character escaped. */
const MAX_CONTENT_BYTES = 64 * 1024;

/** No sealed note is longer. */
export const MAX_NOTE_BYTES = NOTE_SIZES[2];

function refuse(code: string, message: string): MedcloudletError {
  return new MedcloudletError(code, message, { status: 400 });
}

function malformed(what: string): MedcloudletError {
  return new MedcloudletError("NOTE_MALFORMED", `The opened note is malformed: ${what}.`, { status: 422 });
}

function id16(hex: string): Bytes {
  const bytes = fromHex(hex);
  if (bytes.length !== 16) {
    throw refuse("NOTE_FIELD_INVALID", "A stream or epoch id has 16 bytes.");
  }
  return bytes;
}

/**
 * Refuses what is no text for a note.
 * @throws MedcloudletError `NOTE_TOO_LONG`, `NOTE_TEXT_INVALID`
 */
export function requireNoteText(text: string): void {
  if (text.length > NOTE_CHARACTERS) {
    throw refuse(
      "NOTE_TOO_LONG",
      `A note has at most ${NOTE_CHARACTERS} characters, this one ${text.length}: write a second one.`,
    );
  }
  if (text.trim() === "" || !noteTextSchema.safeParse(text).success) {
    throw refuse("NOTE_TEXT_INVALID", "A note is written text: words, without control characters.");
  }
}

/** SHA-256 of the text in UTF-8, 64 hex digits: what the author's statement names. */
export function noteTextDigest(text: string): string {
  return toHex(sha256(utf8(text)));
}

/** SHA-256 of a whole sealed note, 64 hex digits: its id at the cloud. */
export function noteDigest(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}

/** `u32 length | u32 size | DEFLATE of that size | zeros`, as long as the smallest size that it fits into leaves. */
function pack(content: NoteContent): Bytes {
  const json = utf8(JSON.stringify({ format: "medcloudlet-note-1", ...content }));
  const deflated = deflateSync(json, { level: 9 });
  const size = NOTE_SIZES.find((bytes) => bytes - BODY_AT - AEAD_TAG_BYTES >= 8 + deflated.length);
  if (size === undefined) {
    throw refuse("NOTE_TOO_LONG", "This note is too long: write a second one.");
  }
  const packed = new Uint8Array(size - BODY_AT - AEAD_TAG_BYTES);
  const view = new DataView(packed.buffer);
  view.setUint32(0, 4 + deflated.length, true);
  view.setUint32(4, json.length, true);
  packed.set(deflated, 8);
  return packed;
}

function unpack(packed: Bytes): NoteContent {
  let inner: Uint8Array;
  try {
    inner = unpad(packed);
  } catch (error) {
    throw isMedcloudletError(error) ? malformed("a length field is broken") : error;
  }
  if (inner.length < 4) {
    throw malformed("it ends too early");
  }
  const size = new DataView(inner.buffer, inner.byteOffset).getUint32(0, true);
  if (size > MAX_CONTENT_BYTES) {
    throw malformed("it inflates beyond the limit");
  }
  let json: unknown;
  try {
    const inflated = inflateExactly(inner.subarray(4), size, malformed);
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(inflated));
  } catch (error) {
    throw isMedcloudletError(error) ? error : malformed("it is not JSON");
  }
  const parsed = CONTENT.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(`${issue?.path.join(".") || "content"}: ${issue?.message ?? "unexpected"}`);
  }
  const { format, ...content } = parsed.data;
  return content;
}

/**
 * Seals a note to an epoch's key. Whoever opens it checks the statements in it; nothing here does.
 * @throws MedcloudletError `NOTE_TOO_LONG`, `NOTE_FIELD_INVALID`, `SEALING_KEY_LENGTH`
 */
export async function sealNote(input: {
  readonly suite: SealingSuite;
  readonly epochPublicKey: Bytes;
  readonly header: NoteHeader;
  readonly content: NoteContent;
}): Promise<Bytes> {
  const { suite, header, content } = input;
  const aad = new Uint8Array(HEADER_BYTES);
  aad.set(MAGIC, 0);
  aad.set([VERSION, suite.id, REGION[header.region], 0], 4);
  aad.set(id16(header.epochId), 8);
  aad.set(id16(header.streamId), 24);
  const packed = pack(content);
  const { enc, ciphertext } = await suite.seal(input.epochPublicKey, INFO, aad, packed);
  packed.fill(0);
  const length = new Uint8Array(2);
  new DataView(length.buffer).setUint16(0, enc.length, true);
  return concatBytes(aad, length, enc, ciphertext);
}

/**
 * Takes a sealed note apart and checks its form; nothing is verified or opened.
 * @throws MedcloudletError `NOTE_SIZE_INVALID`, `NOTE_MAGIC_INVALID`, `NOTE_VERSION_UNSUPPORTED`,
 *   `NOTE_SUITE_UNSUPPORTED`, `NOTE_FIELD_INVALID`
 */
export function parseNote(source: Uint8Array): SealedNote {
  const sizes: readonly number[] = NOTE_SIZES;
  if (!sizes.includes(source.length)) {
    throw refuse(
      "NOTE_SIZE_INVALID",
      `A sealed note has ${NOTE_SIZES.join(", ")} bytes and no other length.`,
    );
  }
  const bytes = new Uint8Array(source);
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw refuse("NOTE_MAGIC_INVALID", "This is no sealed note: it does not begin with MCLN.");
  }
  if (bytes[4] !== VERSION) {
    throw refuse(
      "NOTE_VERSION_UNSUPPORTED",
      `Version ${bytes[4]} of notes is not supported, only ${VERSION}.`,
    );
  }
  if (bytes[5] !== SUITE.ntruHps2048677X25519) {
    throw refuse("NOTE_SUITE_UNSUPPORTED", `Sealing suite ${bytes[5]} is not supported.`);
  }
  const region = regionOfByte(bytes[6]);
  const encLength = new DataView(bytes.buffer).getUint16(HEADER_BYTES, true);
  if (region === undefined || bytes[7] !== 0 || encLength !== ENC_BYTES) {
    throw refuse("NOTE_FIELD_INVALID", "Region, reserved byte or length of enc is out of range.");
  }
  const header = {
    region,
    epochId: toHex(bytes.subarray(8, 24)),
    streamId: toHex(bytes.subarray(24, 40)),
  };
  return {
    header,
    enc: bytes.subarray(HEADER_BYTES + 2, BODY_AT),
    body: bytes.subarray(BODY_AT),
    aad: bytes.subarray(0, HEADER_BYTES),
  };
}

/** Opens a sealed note. @throws MedcloudletError `SEALED_OPEN_FAILED`, `NOTE_MALFORMED` */
export async function openNote(note: SealedNote, recipient: Recipient): Promise<NoteContent> {
  return unpack(await recipient.open({ enc: note.enc, ciphertext: note.body }, INFO, note.aad));
}
