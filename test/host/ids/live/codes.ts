import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

/** Every error code that stands in the sources. */
export async function codesInSources(): Promise<Set<string>> {
  const root = resolve(import.meta.dirname, "../../../../host");
  const codes = new Set<string>();
  for (const file of await readdir(root, { recursive: true })) {
    if (file.endsWith(".ts") && !file.endsWith("answers.ts")) {
      const text = await readFile(join(root, file), "utf8");
      for (const [, code] of text.matchAll(/"([A-Z][A-Z_]{5,})"/g)) {
        codes.add(code as string);
      }
    }
  }
  return codes;
}
