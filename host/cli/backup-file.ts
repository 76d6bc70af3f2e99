import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writePrivateFile } from "./private-file.ts";

const STATE = z.strictObject({
  /** Back up after every change of the keystore. */
  automatic: z.boolean(),
  /** Version of the last backup made or restored here. */
  version: z.number().int().nonnegative(),
});
/** What a home knows of its backup at the KDC. */
export type BackupState = z.infer<typeof STATE>;

const fileIn = (home: string) => join(home, "backup.json");

export async function readBackupState(home: string): Promise<BackupState> {
  const text = await readFile(fileIn(home), "utf8").catch(() => undefined);
  return text === undefined ? { automatic: false, version: 0 } : STATE.parse(JSON.parse(text));
}

export function writeBackupState(home: string, state: BackupState): Promise<void> {
  return writePrivateFile(fileIn(home), `${JSON.stringify(state)}\n`);
}
