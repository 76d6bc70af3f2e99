import { ristretto255, ristretto255_hasher } from "@noble/curves/ed25519.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { shake256 } from "@noble/hashes/sha3.js";
import { type Bytes, concatBytes, MedcloudletError, randomBytes, toHex, utf8 } from "../base/index.ts";
import {
  type PointList,
  RUN_BYTES,
  readMessage,
  refused,
  SET_SIZE,
  writeMessage,
} from "./similarity-messages.ts";

// Private similarity: Diffie-Hellman private set intersection, cardinality only (Meadows, 1986; Huberman, Franklin and
// Hogg, 1999; De Cristofaro, Gasti and Tsudik, "Fast and Private Computation of Cardinality of Set Intersection and
// Union", 2012), over ristretto255 (RFC 9496) with hashing to the group after RFC 9380.
//
// H(x)^(ab) is the same whoever raises first, and without a and b it tells nothing of x. Both sides learn how many
// elements they share and how many each has. The direction in which A learns and the one in which B learns use keys of
// their own, and whoever answers in a direction never sees the asker's final values of it. With one pair of keys for
// both directions A could hand B's own values back to it, and B would count as many matches as A likes.
//
// This is secure against a partner who keeps to the protocol and is curious. A partner who cheats may
// - put codes into the set that it does not have, and so ask "does the other have one of these?"; and in the places of
//   dummies put powers of its own points, whose relation survives the other's key and tells which ones matched. That
//   is at most 31 guesses a run, and runs are bounded by pair and epoch (similarity-budget.ts). With codes confirmed by a
//   hospital (confirmedCode) it can only ask for what was confirmed to it or to somebody who helps it;
// - state a wrong size, or a different set in each direction: what a credential signs is a commitment to the set, which
//   can be opened in a dispute and is not proven in the run;
// - break off after its own count.
// It cannot make up an overlap with codes it cannot guess. So similarity picks candidates, and never opens the gate.

const Point = ristretto255.Point;
export type Point = InstanceType<(typeof ristretto255)["Point"]>;

const HASH_DOMAIN = "medcloudlet similarity v1 ristretto255_XMD:SHA-512_R255MAP_RO_";
const REAL = 1;
const DUMMY = 0;
const DUMMY_BYTES = 32;
const MAX_CODE_LENGTH = 128;

/** What both sides learn. */
export interface Overlap {
  readonly common: number;
  readonly mine: number;
  readonly theirs: number;
  /** |A ∩ B| / |A ∪ B| = c / (|A| + |B| - c), 0 to 1. */
  readonly jaccard: number;
}

/** The side that begins. */
export interface SimilarityAsker {
  /** 1047 bytes for the partner. */
  readonly request: Bytes;
  /**
   * Takes the reply: one's own view of the overlap, and 2071 bytes that let the partner have theirs.
   * @throws MedcloudletError `SIMILARITY_MESSAGE_INVALID`
   */
  receive(reply: Bytes): { readonly overlap: Overlap; readonly confirmation: Bytes };
}

/** The side that is asked. */
export interface SimilarityAnswerer {
  /** 3095 bytes for the asker. */
  readonly reply: Bytes;
  /** Takes the confirmation. @throws MedcloudletError `SIMILARITY_MESSAGE_INVALID` */
  receive(confirmation: Bytes): Overlap;
}

/**
 * A code that a hospital confirmed: HMAC-SHA-256 under a key of the community that hospitals hold, as 64 hex digits.
 * Patients get the values of their own codes with their credential and compare these instead of the codes, so that
 * nobody can ask for a code that was not confirmed to them.
 */
export function confirmedCode(communityKey: Bytes, code: string): string {
  return toHex(hmac(sha256, communityKey, utf8(`medcloudlet confirmed code v1 ${code}`)));
}

/** Gives so many random bytes. */
export type Draw = (length: number) => Bytes;

/**
 * Where a run's keys, dummies and orders come from. A partner may answer tomorrow, when the program that asked is long
 * over: from the same 32 random bytes, kept until then, it makes the same run again. They are used for one run and one
 * partner's message only: a second message under the same keys would give its sender 31 more guesses.
 * Absent: fresh randomness that nobody keeps.
 */
function drawing(seed: Bytes | undefined): Draw {
  if (seed === undefined) {
    return randomBytes;
  }
  const stream = shake256.create({ dkLen: 0 }).update(utf8("medcloudlet similarity run v1")).update(seed);
  return (length) => new Uint8Array(stream.xof(length));
}

/** Bytes of a seed of {@link askSimilarity} and {@link answerSimilarity}. */
export const SIMILARITY_SEED_BYTES = 32;

/**
 * Begins a run: a -> H(x)^a for every x, shuffled among dummies.
 * @param codes coded conditions as opaque strings (SNOMED CT, ICD-10, or {@link confirmedCode}s), 1 to 32
 * @param seed 32 random bytes to make the same run from again; see `drawing`
 * @throws MedcloudletError `SIMILARITY_SET_INVALID`
 */
export function askSimilarity(codes: readonly string[], seed?: Bytes): SimilarityAsker {
  const draw = drawing(seed);
  const set = paddedSet(codes, draw);
  const run = draw(RUN_BYTES);
  // Keys of the direction in which we learn, and of the one in which the partner learns.
  const mine = randomScalar(draw);
  const theirs = randomScalar(draw);
  const request = writeMessage("request", {
    run,
    size: codes.length,
    lists: [shuffled(raiseAll(set, mine), draw)],
  });
  let used = false;

  return {
    request,
    receive(bytes) {
      if (used) {
        throw refused("this run has had its reply");
      }
      const reply = readMessage("reply", bytes, run);
      const [oursRaised, forUs, forThem] = reply.lists as [PointList, PointList, PointList];
      const common = countCommon(oursRaised, raiseAll(decodeAll(forUs), mine).map(encode));
      const overlap = overlapOf(common, codes.length, reply.size);
      const confirmation = writeMessage("confirmation", {
        run,
        size: 0,
        lists: [shuffled(raiseAll(decodeAll(forThem), theirs), draw), shuffled(raiseAll(set, theirs), draw)],
      });
      used = true;
      return { overlap, confirmation };
    },
  };
}

/**
 * Answers a request: the asker's values raised and shuffled, one's own set for the asker's count, and one's own set
 * under another key for one's own count.
 * @param seed 32 random bytes to make the same answer to this very request from again; see `drawing`
 * @throws MedcloudletError `SIMILARITY_SET_INVALID`, `SIMILARITY_MESSAGE_INVALID`
 */
export function answerSimilarity(codes: readonly string[], request: Bytes, seed?: Bytes): SimilarityAnswerer {
  const draw = drawing(seed);
  const set = paddedSet(codes, draw);
  const { run, size, lists: asked } = readMessage("request", request, null);
  const theirs = randomScalar(draw);
  const mine = randomScalar(draw);
  const reply = writeMessage("reply", {
    run,
    size: codes.length,
    lists: [
      shuffled(raiseAll(decodeAll(asked[0] as PointList), theirs), draw),
      shuffled(raiseAll(set, theirs), draw),
      shuffled(raiseAll(set, mine), draw),
    ],
  });
  let used = false;

  return {
    reply,
    receive(bytes) {
      if (used) {
        throw refused("this run has had its confirmation");
      }
      const { lists } = readMessage("confirmation", bytes, run);
      const [oursRaised, forUs] = lists as [PointList, PointList];
      const common = countCommon(oursRaised, raiseAll(decodeAll(forUs), mine).map(encode));
      const overlap = overlapOf(common, codes.length, size);
      used = true;
      return overlap;
    },
  };
}

/** The codes and as many dummies as it takes: random, so that no two ever match, and hashed apart from any code. */
export function paddedSet(codes: readonly string[], draw: Draw): Point[] {
  const fits =
    codes.length >= 1 &&
    codes.length <= SET_SIZE &&
    new Set(codes).size === codes.length &&
    codes.every((code) => code.length >= 1 && code.length <= MAX_CODE_LENGTH);
  if (!fits) {
    throw new MedcloudletError(
      "SIMILARITY_SET_INVALID",
      `A set holds 1 to ${SET_SIZE} different codes of 1 to ${MAX_CODE_LENGTH} characters: choose the ones to compare.`,
      { status: 400 },
    );
  }
  const real = codes.map((code) => toPoint(REAL, utf8(code)));
  const dummies = Array.from({ length: SET_SIZE - codes.length }, () => toPoint(DUMMY, draw(DUMMY_BYTES)));
  return [...real, ...dummies];
}

function toPoint(kind: number, value: Bytes): Point {
  return ristretto255_hasher.hashToCurve(concatBytes(Uint8Array.of(kind), value), { DST: HASH_DOMAIN });
}

/** Uniform and not zero: 512 random bits modulo the group's order are within 2^-256 of uniform. */
export function randomScalar(draw: Draw): bigint {
  for (;;) {
    const scalar = BigInt(`0x${toHex(sha512(draw(64)))}`) % Point.Fn.ORDER;
    if (scalar !== 0n) {
      return scalar;
    }
  }
}

export function raiseAll(points: readonly Point[], scalar: bigint): Point[] {
  return points.map((point) => point.multiply(scalar));
}

export function encode(point: Point): Bytes {
  return new Uint8Array(point.toBytes());
}

/** @throws MedcloudletError `SIMILARITY_MESSAGE_INVALID` for what is no canonical point, and for the identity */
export function decodeAll(list: PointList): Point[] {
  return list.map((bytes) => {
    let point: Point;
    try {
      point = Point.fromBytes(bytes);
    } catch {
      throw refused("a point is none");
    }
    if (point.is0()) {
      throw refused("a point is the identity");
    }
    return point;
  });
}

/** Encoded in random order (Fisher and Yates, with cryptographic randomness): an order would tell which ones match. */
export function shuffled(points: readonly Point[], draw: Draw): PointList {
  const list = points.map(encode);
  for (let i = list.length - 1; i > 0; i--) {
    const j = randomBelow(i + 1, draw);
    [list[i], list[j]] = [list[j] as Bytes, list[i] as Bytes];
  }
  return list;
}

/** Uniform in 0 to `bound` - 1, for `bound` up to 256; bytes that would favour small numbers are drawn again. */
function randomBelow(bound: number, draw: Draw): number {
  const limit = 256 - (256 % bound);
  for (;;) {
    const byte = draw(1)[0] as number;
    if (byte < limit) {
      return byte % bound;
    }
  }
}

/** Our own values come back from the partner and are checked as points too, before they count. */
export function countCommon(ours: PointList, theirs: PointList): number {
  decodeAll(ours);
  const known = new Set(ours.map(toHex));
  return theirs.filter((point) => known.has(toHex(point))).length;
}

/** @throws MedcloudletError `SIMILARITY_MESSAGE_INVALID` when more is shared than either has */
function overlapOf(common: number, mine: number, theirs: number): Overlap {
  if (common > Math.min(mine, theirs)) {
    throw refused("more elements match than its sender says to have");
  }
  return { common, mine, theirs, jaccard: common / (mine + theirs - common) };
}
