import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, concatBytes, fromHex, toHex, utf8 } from "../base/index.ts";

/** HPKE's info for everything that is sealed in a community. */
const ENVELOPE_INFO = "medcloudlet community message v1";

/** Most moderators of a community: a report is sealed to each, and all of it is one request. */
export const MODERATORS_MOST = 8;

/** What is sealed, by the byte that keeps the kinds apart. */
export const ENVELOPE = { question: 1, answer: 2, report: 3, note: 4, appeal: 5 } as const;
export type EnvelopeKind = keyof typeof ENVELOPE;

/** Lengths a plaintext is padded to: so a sealed message tells which of three sizes it has and no more. */
const SIZES: Readonly<Record<EnvelopeKind, readonly number[]>> = {
  question: [1_024, 4_096, 8_192],
  answer: [1_024, 4_096, 8_192],
  // Body, franking key and statement of the largest message.
  report: [4_096, 16_384],
  note: [1_024],
  appeal: [4_096],
};

/** enc of suite 1, and the tag of AES-256-GCM. */
const ENVELOPE_OVERHEAD = 962 + 16;

/** Lengths in bytes that the plaintext of a kind may have. */
export function plaintextSizes(kind: EnvelopeKind): readonly number[] {
  return SIZES[kind];
}

/** Lengths in bytes that a sealed envelope, `enc | ciphertext`, may have. */
export function sealedSizes(kind: EnvelopeKind): readonly number[] {
  return SIZES[kind].map((size) => size + ENVELOPE_OVERHEAD);
}

/** Who sends what to whom; ids in hex. */
export interface EnvelopeBinding {
  readonly kind: EnvelopeKind;
  readonly community: string;
  /** The exchange; of reports, notes and appeals the report. */
  readonly subject: string;
  /** Pseudonym, or of a note the moderator's id. */
  readonly from: string;
  /** Pseudonym, or of a report or an appeal the moderator's id. */
  readonly to: string;
}

/** Additional data of the AEAD: `community 16 | subject 16 | from 16 | to 16 | kind u8`. */
export function envelopeAad({ kind, community, subject, from, to }: EnvelopeBinding): Bytes {
  return concatBytes(
    fromHex(community),
    fromHex(subject),
    fromHex(from),
    fromHex(to),
    Uint8Array.of(ENVELOPE[kind]),
  );
}

/** SHA-256 of sealed bytes in hex, as statements name them. */
export function sealedDigest(sealed: Bytes): string {
  return toHex(sha256(sealed));
}

/** The text form of the info, as HPKE takes it. */
export function envelopeInfo(): Bytes {
  return utf8(ENVELOPE_INFO);
}
