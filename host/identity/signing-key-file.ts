import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fromHex, MedcloudletError, toHex } from "../base/index.ts";
import { generateSigningSeed, importSigningKey, type SigningKey } from "../sealing/index.ts";

/**
 * A service's own Ed25519 key from a file that only its user can read; made at the first start. It lies beside the
 * database, not in it: whoever copies the database gets no key.
 * @throws MedcloudletError `SIGNING_KEY_FILE`
 */
export async function loadOrCreateSigningKey(file: string): Promise<SigningKey> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, `${toHex(generateSigningSeed())}\n`, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") {
      throw new MedcloudletError("SIGNING_KEY_FILE", `Cannot write the signing key to ${file}.`, { cause });
    }
  }
  const seed = (await readFile(file, "utf8")).trim();
  if (!/^[0-9a-f]{64}$/.test(seed)) {
    throw new MedcloudletError(
      "SIGNING_KEY_FILE",
      `${file} does not hold 64 hex digits: restore it from the backup, or remove it to begin with a new key.`,
    );
  }
  return importSigningKey(fromHex(seed));
}
