import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Bytes, fromHex, MedcloudletError, randomBytes, toHex } from "../base/index.ts";
import { importSigningKey, type SigningKey } from "../sealing/index.ts";

/**
 * 32 random bytes from a file that only the service's user can read; made at the first start. It lies beside the
 * database, not in it: whoever copies the database gets no key.
 * @throws MedcloudletError `SIGNING_KEY_FILE`
 */
export async function loadOrCreateSecret(file: string): Promise<Bytes> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    const handle = await open(file, "wx", 0o600);
    try {
      await handle.writeFile(`${toHex(randomBytes(32))}\n`);
      // On the disk before anything is locked with it.
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") {
      throw new MedcloudletError(
        "SIGNING_KEY_FILE",
        `Cannot write the key to ${file}: check that its folder is there, and that you may.`,
        { cause },
      );
    }
  }
  const secret = (await readFile(file, "utf8")).trim();
  if (!/^[0-9a-f]{64}$/.test(secret)) {
    throw new MedcloudletError(
      "SIGNING_KEY_FILE",
      `${file} does not hold 64 hex digits: restore it from the backup, or remove it to begin with a new key.`,
    );
  }
  return fromHex(secret);
}

/** A service's own Ed25519 key, kept likewise. @throws MedcloudletError `SIGNING_KEY_FILE` */
export async function loadOrCreateSigningKey(file: string): Promise<SigningKey> {
  return importSigningKey(await loadOrCreateSecret(file));
}
