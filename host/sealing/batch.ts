import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, concatBytes, fromHex, MedcloudletError, toHex, utf8 } from "../base/index.ts";
import { NTRU_PARAMETERS } from "../ntru/index.ts";
import { pad, unpad } from "./padding.ts";
import { decodeReadings, encodeReadings, type ReadingColumn } from "./readings.ts";
import { REGION, type Region, regionOfByte } from "./region.ts";
import { SIGNATURE_BYTES, type SigningKey, verifySignature } from "./signing.ts";
import { AEAD_TAG_BYTES, type Recipient, type SealingSuite, SUITE } from "./suite.ts";
import { X25519_BYTES } from "./x25519.ts";

/** How urgent a batch is; the number is the priority byte on the wire, and the smaller goes first. */
export const PRIORITY = { emergency: 0, abnormal: 1, regular: 2, bulk: 3 } as const;
export type Priority = keyof typeof PRIORITY;

/** What a sealed batch says in the clear. Ids are 16 bytes as lower-case hex, times ms since 1970 UTC. */
export interface BatchHeader {
  readonly region: Region;
  readonly priority: Priority;
  readonly epochId: string;
  readonly streamId: string;
  readonly deviceId: string;
  /** Counts up from 0 on each device; at most 2^53 - 1. */
  readonly sequence: number;
  readonly firstTime: number;
  readonly lastTime: number;
}

/** A sealed batch taken apart, nothing of it verified or opened. */
export interface SealedBatch {
  readonly header: BatchHeader;
  readonly suite: number;
  readonly enc: Bytes;
  readonly body: Bytes;
  readonly signature: Bytes;
  /** The header bytes: additional authenticated data of the body. */
  readonly aad: Bytes;
  /** Everything before the signature. */
  readonly signed: Bytes;
}

const MAGIC = utf8("MCLB");
const VERSION = 1;
const HEADER_BYTES = 80;
const INFO = utf8("medcloudlet sealed batch v1");
const ENC_BYTES: Readonly<Record<number, number>> = {
  [SUITE.ntruHps2048677X25519]: NTRU_PARAMETERS.ntruhps2048677.ciphertextBytes + X25519_BYTES,
};

/** No sealed batch is larger: a data set goes as many batches. */
export const MAX_BATCH_BYTES = 1024 * 1024;

const PRIORITY_NAMES = new Map<number, Priority>(
  Object.entries(PRIORITY).map(([name, code]) => [code, name as Priority]),
);

function refuse(code: string, message: string): MedcloudletError {
  return new MedcloudletError(code, message, { status: 400 });
}

function id16(hex: string, what: string): Bytes {
  const bytes = fromHex(hex);
  if (bytes.length !== 16) {
    throw refuse("BATCH_FIELD_INVALID", `${what} has ${bytes.length} bytes, not 16.`);
  }
  return bytes;
}

function encodeHeader(suite: number, header: BatchHeader): Bytes {
  if (!Number.isSafeInteger(header.sequence) || header.sequence < 0) {
    throw refuse("BATCH_FIELD_INVALID", "The sequence is not a whole number from 0 to 2^53 - 1.");
  }
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  bytes.set([VERSION, suite, REGION[header.region], PRIORITY[header.priority]], 4);
  bytes.set(id16(header.epochId, "epoch id"), 8);
  bytes.set(id16(header.streamId, "stream id"), 24);
  bytes.set(id16(header.deviceId, "device id"), 40);
  view.setBigUint64(56, BigInt(header.sequence), true);
  view.setBigInt64(64, BigInt(header.firstTime), true);
  view.setBigInt64(72, BigInt(header.lastTime), true);
  return bytes;
}

function decodeHeader(bytes: Bytes): { suite: number; header: BatchHeader } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw refuse("BATCH_MAGIC_INVALID", "This is not a sealed batch: it does not begin with MCLB.");
  }
  if (bytes[4] !== VERSION) {
    throw refuse("BATCH_VERSION_UNSUPPORTED", `Batch version ${bytes[4]} is not supported, only ${VERSION}.`);
  }
  const suite = bytes[5] as number;
  if (ENC_BYTES[suite] === undefined) {
    throw refuse("BATCH_SUITE_UNSUPPORTED", `Sealing suite ${suite} is not supported.`);
  }
  const region = regionOfByte(bytes[6]);
  const priority = PRIORITY_NAMES.get(bytes[7] as number);
  if (region === undefined || priority === undefined) {
    throw refuse("BATCH_FIELD_INVALID", "Region or priority is unknown.");
  }
  const header = {
    region,
    priority,
    epochId: toHex(bytes.subarray(8, 24)),
    streamId: toHex(bytes.subarray(24, 40)),
    deviceId: toHex(bytes.subarray(40, 56)),
    sequence: Number(view.getBigUint64(56, true)),
    firstTime: Number(view.getBigInt64(64, true)),
    lastTime: Number(view.getBigInt64(72, true)),
  };
  for (const value of [header.sequence, header.firstTime, header.lastTime]) {
    if (!Number.isSafeInteger(value)) {
      throw refuse("BATCH_FIELD_INVALID", "A sequence or time lies beyond 2^53 - 1.");
    }
  }
  if (header.lastTime < header.firstTime) {
    throw refuse("BATCH_FIELD_INVALID", "The last time lies before the first.");
  }
  return { suite, header };
}

/**
 * Seals columns of readings to an epoch public key and signs the whole as a device.
 *
 * First and last time are taken from the columns.
 * @throws MedcloudletError `READINGS_INVALID`, `BATCH_EMPTY`, `BATCH_TOO_LARGE`, `BATCH_FIELD_INVALID`
 */
export async function sealBatch(input: {
  readonly suite: SealingSuite;
  readonly epochPublicKey: Bytes;
  readonly signingKey: SigningKey;
  readonly header: Omit<BatchHeader, "firstTime" | "lastTime">;
  readonly columns: readonly ReadingColumn[];
}): Promise<Bytes> {
  const { suite, columns } = input;
  const filled = columns.filter((column) => column.times.length > 0);
  if (filled.length === 0) {
    throw refuse("BATCH_EMPTY", "There is no reading to seal: measure before sealing.");
  }
  const plaintext = pad(encodeReadings(filled));
  const firstTime = Math.min(...filled.map((column) => column.times[0] as number));
  const lastTime = Math.max(...filled.map((column) => column.times.at(-1) as number));
  const aad = encodeHeader(suite.id, { ...input.header, firstTime, lastTime });
  const { enc, ciphertext } = await suite.seal(input.epochPublicKey, INFO, aad, plaintext);
  plaintext.fill(0);

  const lengths = new DataView(new ArrayBuffer(6));
  lengths.setUint16(0, enc.length, true);
  lengths.setUint32(2, ciphertext.length, true);
  const encLength = new Uint8Array(lengths.buffer, 0, 2);
  const bodyLength = new Uint8Array(lengths.buffer, 2, 4);
  const signed = concatBytes(aad, encLength, enc, bodyLength, ciphertext);
  if (signed.length + SIGNATURE_BYTES > MAX_BATCH_BYTES) {
    throw refuse("BATCH_TOO_LARGE", "The batch exceeds 1 MiB: send the readings in several batches.");
  }
  return concatBytes(signed, await input.signingKey.sign(signed));
}

/**
 * Takes a sealed batch apart and checks its form; signature and content are not looked at.
 * @throws MedcloudletError `BATCH_TRUNCATED`, `BATCH_TRAILING_BYTES`, `BATCH_TOO_LARGE`, `BATCH_MAGIC_INVALID`,
 *   `BATCH_VERSION_UNSUPPORTED`, `BATCH_SUITE_UNSUPPORTED`, `BATCH_FIELD_INVALID`
 */
export function parseBatch(source: Uint8Array): SealedBatch {
  if (source.length > MAX_BATCH_BYTES) {
    throw refuse(
      "BATCH_TOO_LARGE",
      "A sealed batch has at most 1 MiB: send the readings in several batches.",
    );
  }
  const bytes = new Uint8Array(source);
  const truncated = () => refuse("BATCH_TRUNCATED", "The sealed batch ends too early: send it again whole.");
  if (bytes.length < HEADER_BYTES + 2) {
    throw truncated();
  }
  const { suite, header } = decodeHeader(bytes);
  const view = new DataView(bytes.buffer);
  const encLength = view.getUint16(HEADER_BYTES, true);
  if (encLength !== ENC_BYTES[suite]) {
    throw refuse(
      "BATCH_FIELD_INVALID",
      `Suite ${suite} has ${ENC_BYTES[suite]} bytes of enc, not ${encLength}.`,
    );
  }
  const bodyLengthAt = HEADER_BYTES + 2 + encLength;
  if (bytes.length < bodyLengthAt + 4) {
    throw truncated();
  }
  const bodyAt = bodyLengthAt + 4;
  const bodyLength = view.getUint32(bodyLengthAt, true);
  const signatureAt = bodyAt + bodyLength;
  if (bodyLength < AEAD_TAG_BYTES) {
    throw refuse("BATCH_FIELD_INVALID", "The body is shorter than its authentication tag.");
  }
  if (bytes.length < signatureAt + SIGNATURE_BYTES) {
    throw truncated();
  }
  if (bytes.length > signatureAt + SIGNATURE_BYTES) {
    throw refuse("BATCH_TRAILING_BYTES", "Something follows the signature of the sealed batch.");
  }
  return {
    header,
    suite,
    enc: bytes.subarray(HEADER_BYTES + 2, bodyLengthAt),
    body: bytes.subarray(bodyAt, signatureAt),
    signature: bytes.subarray(signatureAt),
    aad: bytes.subarray(0, HEADER_BYTES),
    signed: bytes.subarray(0, signatureAt),
  };
}

/**
 * Checks the device's signature over everything before it.
 * @throws MedcloudletError `BATCH_SIGNATURE_INVALID`
 */
export async function verifyBatch(batch: SealedBatch, devicePublicKey: Bytes): Promise<void> {
  if (!(await verifySignature(devicePublicKey, batch.signed, batch.signature))) {
    throw refuse(
      "BATCH_SIGNATURE_INVALID",
      "The signature does not fit: the batch was changed or is another device's.",
    );
  }
}

/**
 * Opens a batch whose signature was verified.
 * @throws MedcloudletError `SEALED_OPEN_FAILED`, `READINGS_MALFORMED`, `READINGS_CODE_UNKNOWN`
 */
export async function openBatch(batch: SealedBatch, recipient: Recipient): Promise<ReadingColumn[]> {
  const plaintext = await recipient.open({ enc: batch.enc, ciphertext: batch.body }, INFO, batch.aad);
  return decodeReadings(unpad(plaintext));
}

/** SHA-256 of a whole sealed batch, hex: its name in receipts. */
export function batchDigest(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}
