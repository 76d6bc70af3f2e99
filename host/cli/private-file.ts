import { open, rename } from "node:fs/promises";

/** Writes a file as a whole, for its owner alone: after a crash or a power cut the old or the new one is there. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  // Two commands at once must not rename each other's drafts.
  const draft = `${file}.${process.pid}.new`;
  const handle = await open(draft, "w", 0o600);
  try {
    await handle.writeFile(text);
    // On the disk before it takes the old one's name.
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
