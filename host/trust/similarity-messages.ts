import { type Bytes, concatBytes, equalBytes, MedcloudletError, utf8 } from "../base/index.ts";

/** Every set has exactly this many elements once it is padded, so that a message's length tells nothing. */
export const SET_SIZE = 32;
/** A ristretto255 element (RFC 9496, section 4.3.2). */
export const POINT_BYTES = 32;
/** Names one run of the protocol; both halves of it and all three messages carry the same. */
export const RUN_BYTES = 16;

const MAGIC = utf8("MCLS");
const VERSION = 1;
const HEADER_BYTES = MAGIC.length + 2 + RUN_BYTES + 1;
const LIST_BYTES = SET_SIZE * POINT_BYTES;

/** The three messages, by their type byte, and how many lists of points each holds. */
export const MESSAGE = {
  request: { type: 1, lists: 1 },
  reply: { type: 2, lists: 3 },
  confirmation: { type: 3, lists: 2 },
} as const;
export type MessageName = keyof typeof MESSAGE;

/** A list of {@link SET_SIZE} encoded points. */
export type PointList = readonly Bytes[];

/** A message as it lies on the wire, points not yet decoded. */
export interface SimilarityMessage {
  readonly run: Bytes;
  /** Real elements in the sender's set, 1 to 32; 0 in a confirmation, whose sender said it before. */
  readonly size: number;
  readonly lists: readonly PointList[];
}

/**
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 4 | `MCLS` |
 * | 4 | 1 | version, 1 |
 * | 5 | 1 | type: 1 request, 2 reply, 3 confirmation |
 * | 6 | 16 | run |
 * | 22 | 1 | real elements of the sender's set (0 in a confirmation) |
 * | 23 | 1024 each | lists of 32 points: request 1, reply 3, confirmation 2 |
 *
 * So a request has 1047 bytes, a reply 3095, a confirmation 2071.
 */
export function writeMessage(name: MessageName, { run, size, lists }: SimilarityMessage): Bytes {
  return concatBytes(
    MAGIC,
    Uint8Array.of(VERSION, MESSAGE[name].type),
    run,
    Uint8Array.of(size),
    ...lists.flat(),
  );
}

/** Length of a message in bytes. */
export function messageBytes(name: MessageName): number {
  return HEADER_BYTES + MESSAGE[name].lists * LIST_BYTES;
}

/**
 * Takes a message apart. Whether its points are points is for whoever computes with them.
 * @throws MedcloudletError `SIMILARITY_MESSAGE_INVALID` for another length, magic, version, type or run, a size out of
 *   range, or a list with the same point twice
 */
export function readMessage(name: MessageName, bytes: Bytes, run: Bytes | null): SimilarityMessage {
  if (bytes.length !== messageBytes(name)) {
    throw refused(`it has ${bytes.length} bytes instead of ${messageBytes(name)}`);
  }
  if (!equalBytes(bytes.subarray(0, 6), concatBytes(MAGIC, Uint8Array.of(VERSION, MESSAGE[name].type)))) {
    throw refused(`it is not a ${name} of version ${VERSION}`);
  }
  const itsRun = bytes.slice(6, 6 + RUN_BYTES);
  if (run !== null && !equalBytes(itsRun, run)) {
    throw refused("it belongs to another run");
  }
  const size = bytes[HEADER_BYTES - 1] as number;
  const sizeFits = name === "confirmation" ? size === 0 : size >= 1 && size <= SET_SIZE;
  if (!sizeFits) {
    throw refused("the size of its set is out of range");
  }
  const lists = Array.from({ length: MESSAGE[name].lists }, (_, list) =>
    Array.from({ length: SET_SIZE }, (_, i) => {
      const at = HEADER_BYTES + list * LIST_BYTES + i * POINT_BYTES;
      return bytes.slice(at, at + POINT_BYTES);
    }),
  );
  for (const list of lists) {
    if (new Set(list.map((point) => point.join())).size !== SET_SIZE) {
      throw refused("a point comes twice");
    }
  }
  return { run: itsRun, size, lists };
}

/** The one error for whatever is wrong with a message. */
export function refused(why: string): MedcloudletError {
  return new MedcloudletError(
    "SIMILARITY_MESSAGE_INVALID",
    `The similarity message is refused: ${why}. Start a new run with this partner, or none.`,
    { status: 400 },
  );
}
