import { sha256 } from "@noble/hashes/sha2.js";
import { deflateSync } from "fflate";
import {
  type Bytes,
  concatBytes,
  fromHex,
  isMedcloudletError,
  MedcloudletError,
  toHex,
  utf8,
} from "../base/index.ts";
import { NTRU_PARAMETERS } from "../ntru/index.ts";
import { inflateExactly } from "./inflate.ts";
import { pad, unpad } from "./padding.ts";
import { REGION, type Region, regionOfByte } from "./region.ts";
import { AEAD_TAG_BYTES, type Recipient, type SealingSuite, SUITE } from "./suite.ts";
import { X25519_BYTES } from "./x25519.ts";

/**
 * What a sealed part of a patient's record says in the clear. Nothing in it is shared by two regions of one patient:
 * no owner, no key, no signature. Who made it says a statement of the owner, which the cloud never sees.
 */
export interface RecordPartHeader {
  readonly region: Region;
  /** 16 bytes as lower-case hex. */
  readonly epochId: string;
  /** 16 bytes as lower-case hex. */
  readonly streamId: string;
  /** Counts up from 1 in each stream; at most 2^53 - 1. */
  readonly version: number;
}

/** A sealed part taken apart, nothing of it verified or opened. */
export interface SealedRecordPart {
  readonly header: RecordPartHeader;
  readonly suite: number;
  readonly enc: Bytes;
  readonly body: Bytes;
  /** The header bytes: additional authenticated data of the body. */
  readonly aad: Bytes;
}

const MAGIC = utf8("MCLR");
const VERSION = 1;
const HEADER_BYTES = 48;
const INFO = utf8("medcloudlet sealed record part v1");
const ENC_BYTES = NTRU_PARAMETERS.ntruhps2048677.ciphertextBytes + X25519_BYTES;

/** No sealed part is larger. */
export const MAX_RECORD_PART_BYTES = 2 * 1024 * 1024;
/** An opened part inflates to no more than this. */
const MAX_RECORD_CONTENT_BYTES = 16 * 1024 * 1024;
/** Most records' identity and profile are smaller than this: below it the length of an address does not show. */
const LEAST_PADDED_BYTES = 1024;

function refuse(code: string, message: string): MedcloudletError {
  return new MedcloudletError(code, message, { status: 400 });
}

function malformed(what: string): MedcloudletError {
  return new MedcloudletError("RECORD_MALFORMED", `The opened record is malformed: ${what}.`, {
    status: 422,
  });
}

function id16(hex: string, what: string): Bytes {
  const bytes = fromHex(hex);
  if (bytes.length !== 16) {
    throw refuse("RECORD_PART_FIELD_INVALID", `${what} has ${bytes.length} bytes, not 16.`);
  }
  return bytes;
}

function isVersion(version: number): boolean {
  return Number.isSafeInteger(version) && version >= 1;
}

function encodeHeader(suite: number, { region, epochId, streamId, version }: RecordPartHeader): Bytes {
  if (!isVersion(version)) {
    throw refuse("RECORD_PART_FIELD_INVALID", "The version is not a whole number from 1 to 2^53 - 1.");
  }
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(MAGIC, 0);
  bytes.set([VERSION, suite, REGION[region], 0], 4);
  bytes.set(id16(epochId, "epoch id"), 8);
  bytes.set(id16(streamId, "stream id"), 24);
  new DataView(bytes.buffer).setBigUint64(40, BigInt(version), true);
  return bytes;
}

function decodeHeader(bytes: Bytes): { suite: number; header: RecordPartHeader } {
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw refuse(
      "RECORD_PART_MAGIC_INVALID",
      "This is no sealed part of a record: it does not begin with MCLR.",
    );
  }
  if (bytes[4] !== VERSION) {
    throw refuse(
      "RECORD_PART_VERSION_UNSUPPORTED",
      `Version ${bytes[4]} of record parts is not supported, only ${VERSION}.`,
    );
  }
  const suite = bytes[5] as number;
  if (suite !== SUITE.ntruHps2048677X25519) {
    throw refuse("RECORD_PART_SUITE_UNSUPPORTED", `Sealing suite ${suite} is not supported.`);
  }
  const region = regionOfByte(bytes[6]);
  const version = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(40, true));
  if (region === undefined || bytes[7] !== 0 || !isVersion(version)) {
    throw refuse("RECORD_PART_FIELD_INVALID", "Region, reserved byte or version is out of range.");
  }
  const epochId = toHex(bytes.subarray(8, 24));
  const streamId = toHex(bytes.subarray(24, 40));
  return { suite, header: { region, epochId, streamId, version } };
}

/** `u32 size | DEFLATE of that size`, padded as batches are, and never shorter than the least. */
function pack(content: Bytes): Bytes {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, content.length, true);
  const padded = pad(concatBytes(size, deflateSync(content, { level: 9 })));
  const packed = new Uint8Array(Math.max(padded.length, LEAST_PADDED_BYTES));
  packed.set(padded);
  return packed;
}

function unpack(packed: Bytes): Bytes {
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
  if (size > MAX_RECORD_CONTENT_BYTES) {
    throw malformed("it inflates beyond the limit");
  }
  return inflateExactly(inner.subarray(4), size, malformed);
}

/**
 * Seals one region's part of a record to the region's epoch key.
 * @throws MedcloudletError `RECORD_PART_TOO_LARGE`, `RECORD_PART_FIELD_INVALID`, `SEALING_KEY_LENGTH`
 */
export async function sealRecordPart(input: {
  readonly suite: SealingSuite;
  readonly epochPublicKey: Bytes;
  readonly header: RecordPartHeader;
  readonly content: Bytes;
}): Promise<Bytes> {
  const { suite, header, content } = input;
  const tooLarge = () =>
    refuse("RECORD_PART_TOO_LARGE", "This region of the record is too large: leave out what is oldest.");
  if (content.length > MAX_RECORD_CONTENT_BYTES) {
    throw tooLarge();
  }
  const aad = encodeHeader(suite.id, header);
  const packed = pack(content);
  const { enc, ciphertext } = await suite.seal(input.epochPublicKey, INFO, aad, packed);
  packed.fill(0);
  const lengths = new DataView(new ArrayBuffer(6));
  lengths.setUint16(0, enc.length, true);
  lengths.setUint32(2, ciphertext.length, true);
  const encLength = new Uint8Array(lengths.buffer, 0, 2);
  const bodyLength = new Uint8Array(lengths.buffer, 2, 4);
  const sealed = concatBytes(aad, encLength, enc, bodyLength, ciphertext);
  if (sealed.length > MAX_RECORD_PART_BYTES) {
    throw tooLarge();
  }
  return sealed;
}

/**
 * Takes a sealed part apart and checks its form; nothing is verified or opened.
 * @throws MedcloudletError `RECORD_PART_TRUNCATED`, `RECORD_PART_TRAILING_BYTES`, `RECORD_PART_TOO_LARGE`,
 *   `RECORD_PART_MAGIC_INVALID`, `RECORD_PART_VERSION_UNSUPPORTED`, `RECORD_PART_SUITE_UNSUPPORTED`,
 *   `RECORD_PART_FIELD_INVALID`
 */
export function parseRecordPart(source: Uint8Array): SealedRecordPart {
  if (source.length > MAX_RECORD_PART_BYTES) {
    throw refuse(
      "RECORD_PART_TOO_LARGE",
      "A sealed part of a record has at most 2 MiB: leave out what is oldest.",
    );
  }
  const bytes = new Uint8Array(source);
  const bodyLengthAt = HEADER_BYTES + 2 + ENC_BYTES;
  const bodyAt = bodyLengthAt + 4;
  const truncated = () =>
    refuse("RECORD_PART_TRUNCATED", "The sealed part ends too early: send it again whole.");
  if (bytes.length < HEADER_BYTES + 2) {
    throw truncated();
  }
  const { suite, header } = decodeHeader(bytes);
  const view = new DataView(bytes.buffer);
  const encLength = view.getUint16(HEADER_BYTES, true);
  if (encLength !== ENC_BYTES) {
    throw refuse(
      "RECORD_PART_FIELD_INVALID",
      `Suite ${suite} has ${ENC_BYTES} bytes of enc, not ${encLength}.`,
    );
  }
  if (bytes.length < bodyAt) {
    throw truncated();
  }
  const bodyLength = view.getUint32(bodyLengthAt, true);
  if (bodyLength < AEAD_TAG_BYTES) {
    throw refuse("RECORD_PART_FIELD_INVALID", "The body is shorter than its authentication tag.");
  }
  if (bytes.length < bodyAt + bodyLength) {
    throw truncated();
  }
  if (bytes.length > bodyAt + bodyLength) {
    throw refuse("RECORD_PART_TRAILING_BYTES", "Something follows the body of the sealed part.");
  }
  return {
    header,
    suite,
    enc: bytes.subarray(HEADER_BYTES + 2, bodyLengthAt),
    body: bytes.subarray(bodyAt),
    aad: bytes.subarray(0, HEADER_BYTES),
  };
}

/**
 * Opens a part that was checked against its owner's statement.
 * @throws MedcloudletError `SEALED_OPEN_FAILED`, `RECORD_MALFORMED`
 */
export async function openRecordPart(part: SealedRecordPart, recipient: Recipient): Promise<Bytes> {
  return unpack(await recipient.open({ enc: part.enc, ciphertext: part.body }, INFO, part.aad));
}

/** SHA-256 of a whole sealed part, 64 hex digits: what the owner's statement names. */
export function recordPartDigest(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}
