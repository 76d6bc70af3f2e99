import { hash, verify } from "@node-rs/argon2";

/**
 * Parameters from OWASP's Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane). Argon2id is the library's own
 * default, and a test holds it to that.
 */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** The PHC string to store for a password. Runs on libuv's pool, not on the main thread. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, PARAMETERS);
}

/** Compares passwords with stored PHC strings; an unknown account costs the same time as a wrong password. */
export async function createPasswordVerifier(): Promise<
  (stored: string | undefined, password: string) => Promise<boolean>
> {
  const nobody = await hashPassword("nobody has this password");
  return async (stored, password) => {
    const matches = await verify(stored ?? nobody, password);
    return matches && stored !== undefined;
  };
}
