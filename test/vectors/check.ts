import type { Ntru, NtruSetName } from "../../host/ntru/index.ts";
import { accumulate } from "./accumulate.ts";
import type { VectorFile } from "./format.ts";
import { KNOWN_ANSWER_DIGESTS, knownAnswersDigest, type RandomSource } from "./known-answers.ts";
import { runVectors } from "./run.ts";

/** What one set is held against. */
export interface CheckInput {
  readonly name: NtruSetName;
  readonly vectors: VectorFile;
  readonly accumulated: Readonly<Record<string, string>>;
  /** Runs of the accumulated hash; `accumulated` must have the number. */
  readonly runs: number;
  readonly open: (entropy: Uint8Array) => RandomSource;
}

/**
 * Official answers, published vectors and accumulated hash of one set: in whatever engine this runs.
 * @returns number of checks made
 * @throws Error that says what differs
 */
export function checkSet(ntru: Ntru, { name, vectors, accumulated, runs, open }: CheckInput): number {
  if (knownAnswersDigest(ntru, name, open) !== KNOWN_ANSWER_DIGESTS[name]) {
    throw new Error(`${name}: other answers than the official ones.`);
  }
  const { passed, failures } = runVectors(ntru, vectors);
  if (failures.length > 0) {
    throw new Error(failures.join("\n"));
  }
  if (accumulate(ntru, name, runs) !== accumulated[runs]) {
    throw new Error(`${name}: another accumulated hash of ${runs} runs.`);
  }
  return passed + 2;
}
