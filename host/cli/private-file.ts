import { rename, writeFile } from "node:fs/promises";

/** Writes a file as a whole, for its owner alone: after a crash the old or the new one is there. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  // Two commands at once must not rename each other's drafts.
  const draft = `${file}.${process.pid}.new`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, file);
}
