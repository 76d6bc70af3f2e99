import { hash, verify } from "@node-rs/argon2";
import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { adjacencyGraphs, dictionary } from "@zxcvbn-ts/language-common";
import { MedcloudletError } from "../base/index.ts";

/**
 * Parameters from OWASP's Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane). Argon2id is the library's own
 * default, and a test holds it to that.
 */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Fewer guesses than this (as a power of ten), and somebody who tries a hundred an hour has a chance. */
const LEAST_GUESSES_LOG10 = 8;
/** What is looked at: the estimate's cost grows faster than the length. */
const ESTIMATED_CHARACTERS = 64;

const estimator = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });

/** @throws MedcloudletError `PASSWORD_WEAK` for a password from lists, keyboard rows, repetitions or the handle */
function requireStrength(password: string, handle: string): void {
  const { guessesLog10 } = estimator.check(password.slice(0, ESTIMATED_CHARACTERS), [handle]);
  if (guessesLog10 < LEAST_GUESSES_LOG10) {
    throw new MedcloudletError(
      "PASSWORD_WEAK",
      "This password is among the first that somebody would try: take four or five words that do not belong together.",
      { status: 400 },
    );
  }
}

/**
 * The PHC string to store for a new password of an account. Runs on libuv's pool, not on the main thread.
 * @throws MedcloudletError `PASSWORD_WEAK`
 */
export async function hashPassword(password: string, handle: string): Promise<string> {
  requireStrength(password, handle);
  return hash(password, PARAMETERS);
}

/** Compares passwords with stored PHC strings; an unknown account costs the same time as a wrong password. */
export async function createPasswordVerifier(): Promise<
  (stored: string | undefined, password: string) => Promise<boolean>
> {
  const nobody = await hash("nobody has this password", PARAMETERS);
  return async (stored, password) => {
    const matches = await verify(stored ?? nobody, password);
    return matches && stored !== undefined;
  };
}
