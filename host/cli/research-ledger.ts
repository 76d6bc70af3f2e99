import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MedcloudletError, randomBytes, systemClock } from "../base/index.ts";
import { createLedger, type Ledger } from "../research/index.ts";
import { createEmbeddedStore } from "../store/index.ts";

const SALT_BYTES = 32;

/** The ledger's secret, made at the first use. It lies beside the store and not in it. */
async function saltOf(folder: string): Promise<Uint8Array> {
  const file = join(folder, "salt");
  try {
    await writeFile(file, randomBytes(SALT_BYTES), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
  }
  const salt = await readFile(file);
  if (salt.length !== SALT_BYTES) {
    throw new MedcloudletError(
      "RESEARCH_LEDGER_DAMAGED",
      `${file} is not whole: restore the ledger from a backup; with another salt it would know nobody again.`,
    );
  }
  return salt;
}

/** Works with the ledger of a folder, which is made where there is none. */
export async function withLedger<T>(folder: string, work: (ledger: Ledger) => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const salt = await saltOf(folder);
  const store = createEmbeddedStore({ directory: folder });
  try {
    return await work(await createLedger({ store, clock: systemClock, salt }));
  } finally {
    await store.close();
  }
}
