import { shake256 } from "@noble/hashes/sha3.js";
import { z } from "zod";
import {
  type Bytes,
  concatBytes,
  fromBase64Url,
  MedcloudletError,
  randomBytes,
  utf8,
} from "../base/index.ts";
import { bytesSchema, idSchema, signingKeySchema, timeSchema, verifyStatement } from "../sealing/index.ts";
import type { Credential } from "./receipts.ts";
import {
  countCommon,
  type Draw,
  decodeAll,
  encode,
  type Point,
  paddedSet,
  raiseAll,
  randomScalar,
  shuffled,
} from "./similarity.ts";
import { POINT_BYTES, type PointList, refused, SET_SIZE } from "./similarity-messages.ts";

// One-sided private set intersection, cardinality only, where the answering side cannot choose its set.
//
// In the two-sided protocol of similarity.ts a partner may bring any set it knows codes of, and one that guesses which of
// the asker's points belongs to a code of its own can make up matches. Among strangers who gain something by qualifying
// neither will do. Here the hospital blinds the set with a secret b of this one holder, pads it and signs it, H(y)^b for
// every confirmed code y and 32 points in all. The asker sends H(x)^a, the holder gives H(x)^(ab) in another order, and
// the asker raises the SIGNED points to a and counts. A match that is not there needs H(y)^(ab) for a y that the asker
// has not: computing it from H(y)^b and points without y is the Diffie-Hellman problem. So a holder can make the count
// smaller and never larger; codes of a friend are of no use, for they are not in the signed set, nor is another's answer,
// which is under another b.
//
// The asker learns the cardinality. The holder learns nothing at all, not even a size. b stays the same from run to run,
// so the signed points are a lasting name; the credential that goes with them is one anyway.

/** Bytes of the seed that a holder keeps. */
export const ATTESTED_SEED_BYTES = 32;
/** Bytes of a question, an answer and a set: 32 points each. */
export const ATTESTED_LIST_BYTES = SET_SIZE * POINT_BYTES;

/** "These are the blinded conditions of the holder of this credential." Signed by the hospital that signed it. */
export const ATTESTED_SET = {
  typ: "medcloudlet-attested-set",
  schema: z.strictObject({
    issuer: idSchema,
    community: idSchema,
    pseudonym: idSchema,
    /** The credential's key. */
    signingKey: signingKeySchema,
    /** 32 points, {@link ATTESTED_LIST_BYTES} bytes. */
    points: bytesSchema(ATTESTED_LIST_BYTES),
    from: timeSchema,
    until: timeSchema,
  }),
};
export type AttestedSet = z.infer<typeof ATTESTED_SET.schema>;

function drawn(seed: Bytes): Draw {
  const stream = shake256.create({ dkLen: 0 }).update(utf8("medcloudlet attested set v1")).update(seed);
  return (length) => new Uint8Array(stream.xof(length));
}

/** The first thing that a seed gives is b. */
function secretOf(draw: Draw): bigint {
  return randomScalar(draw);
}

/**
 * Blinds a set, as the hospital does. The same codes and seed give the same points.
 * @param codes {@link confirmedCode}s, 1 to 32
 * @param seed 32 random bytes, for the holder alone
 * @throws MedcloudletError `SIMILARITY_SET_INVALID`
 */
export function blindSet(codes: readonly string[], seed: Bytes): Bytes {
  const draw = drawn(seed);
  const secret = secretOf(draw);
  return concatBytes(...shuffled(raiseAll(paddedSet(codes, draw), secret), draw));
}

/** The side that asks: 1024 bytes for as many holders as it likes, and what to do with their answers. */
export interface AttestedAsker {
  readonly request: Bytes;
  /**
   * How many elements are in both.
   * @param points those that the hospital signed, {@link verifyAttestedSet}
   * @throws MedcloudletError `SIMILARITY_MESSAGE_INVALID`
   */
  count(answer: Bytes, points: Bytes): number;
}

/**
 * Begins. One request may go to many: what two holders can do with it together, each can do alone.
 * @throws MedcloudletError `SIMILARITY_SET_INVALID`
 */
export function askAttested(codes: readonly string[]): AttestedAsker {
  const secret = randomScalar(randomBytes);
  const set = paddedSet(codes, randomBytes);
  return {
    request: concatBytes(...shuffled(raiseAll(set, secret), randomBytes)),
    count: (answer, points) =>
      countCommon(listOf(answer), raiseAll(decodeAll(listOf(points)), secret).map(encode)),
  };
}

/**
 * Answers: the asker's points under one's own secret, in another order, so that the asker cannot tell which matched.
 * @throws MedcloudletError `SIMILARITY_MESSAGE_INVALID`
 */
export function answerAttested(seed: Bytes, request: Bytes): Bytes {
  const asked: Point[] = decodeAll(listOf(request));
  return concatBytes(...shuffled(raiseAll(asked, secretOf(drawn(seed))), randomBytes));
}

/** Exactly 32 different points' encodings. */
function listOf(bytes: Bytes): PointList {
  if (bytes.length !== ATTESTED_LIST_BYTES) {
    throw refused(`it has ${bytes.length} bytes instead of ${ATTESTED_LIST_BYTES}`);
  }
  const list = Array.from({ length: SET_SIZE }, (_, i) =>
    bytes.slice(i * POINT_BYTES, (i + 1) * POINT_BYTES),
  );
  if (new Set(list.map((point) => point.join())).size !== SET_SIZE) {
    throw refused("a point comes twice");
  }
  return list;
}

/**
 * The points of a set that belongs to a credential, which {@link verifyCredential} has checked.
 * @param issuerKey key of the hospital that the credential names
 * @throws MedcloudletError `STATEMENT_INVALID` (400), `ATTESTED_SET_MISMATCH` (403) for another credential's,
 *   `CREDENTIAL_EXPIRED` (403)
 */
export async function verifyAttestedSet(
  statement: string,
  credential: Credential,
  issuerKey: Bytes,
  now: number,
): Promise<Bytes> {
  const set: AttestedSet = await verifyStatement(ATTESTED_SET, statement, issuerKey);
  const theirs = (["issuer", "community", "pseudonym", "signingKey"] as const).every(
    (field) => set[field] === credential[field],
  );
  if (!theirs) {
    throw new MedcloudletError(
      "ATTESTED_SET_MISMATCH",
      "The set was confirmed for another credential: bring the one that came with yours.",
      { status: 403 },
    );
  }
  if (now < set.from || now >= set.until) {
    throw new MedcloudletError(
      "CREDENTIAL_EXPIRED",
      "The confirmed set is not valid now: ask the hospital for a new credential.",
      { status: 403 },
    );
  }
  return fromBase64Url(set.points);
}
