import { z } from "zod";
import { type Bytes, type Clock, fromBase64Url, MedcloudletError } from "../base/index.ts";
import { idSchema } from "../sealing/index.ts";
import { type EnvelopeKind, sealedDigest, sealedSizes } from "./envelope.ts";

const MINUTE_MS = 60 * 1000;
export const DAY_MS = 24 * 60 * MINUTE_MS;
/** No agreement and no suspension lasts longer. */
export const LONGEST_MS = 366 * DAY_MS;

const OLDEST_MS = DAY_MS;
const AHEAD_MS = 5 * MINUTE_MS;

/** A signed statement as text; its kind is checked where it is verified. */
export const statementSchema = z.string().min(1).max(8_192);
/** Community documents carry several public keys. */
export const longStatementSchema = z.string().min(1).max(65_536);
/** Sealed bytes in JSON. */
export const sealedSchema = z.string().min(1).max(24_000);

export const communityParams = z.strictObject({ community: idSchema });

/**
 * A statement the relay has not seen is of now: an old one, out of whatever drawer, starts nothing.
 * @throws MedcloudletError `STATEMENT_STALE` (409)
 */
export function assertFresh(at: number, clock: Clock): void {
  const now = clock.now();
  if (at < now - OLDEST_MS || at > now + AHEAD_MS) {
    throw new MedcloudletError(
      "STATEMENT_STALE",
      "The statement's time is more than a day ago or lies ahead: check the clock and sign a new one.",
      { status: 409 },
    );
  }
}

/**
 * Sealed bytes of a request, which must have one of the sizes that all of this kind are padded to and be what was signed.
 * @throws MedcloudletError `SEALED_SIZE_INVALID`, `SEALED_DIGEST_MISMATCH` (400)
 */
export function readSealed(kind: EnvelopeKind, text: string, digest: string): Bytes {
  let bytes: Bytes;
  try {
    bytes = fromBase64Url(text);
  } catch (cause) {
    throw sizeInvalid(kind, cause);
  }
  if (!sealedSizes(kind).includes(bytes.length)) {
    throw sizeInvalid(kind);
  }
  if (sealedDigest(bytes) !== digest) {
    throw new MedcloudletError(
      "SEALED_DIGEST_MISMATCH",
      "The sealed bytes are not the ones that the statement names.",
      { status: 400 },
    );
  }
  return bytes;
}

function sizeInvalid(kind: EnvelopeKind, cause?: unknown): MedcloudletError {
  return new MedcloudletError(
    "SEALED_SIZE_INVALID",
    `A sealed ${kind} has ${sealedSizes(kind).join(" or ")} bytes: pad it, that its length tells nothing.`,
    { status: 400, cause },
  );
}

/** "There is no such thing here for you": the same whether it is somebody else's or nobody's. */
export function unknown(what: string, code: string): MedcloudletError {
  return new MedcloudletError(code, `There is no such ${what} of yours in this community.`, { status: 404 });
}

/**
 * Stamps that order what an inbox tells: microseconds by the clock, each later than the one before. One maker for each
 * process; an inbox looks ten seconds back, which makes up for clocks that differ and writes that overtake.
 */
export function createStamps(clock: Clock): () => number {
  let last = 0;
  return () => {
    last = Math.max(last + 1, clock.now() * 1000);
    return last;
  };
}
