import { existsSync } from "node:fs";
import { resolve } from "node:path";

const FOLDER = process.env.MEDCLOUDLET_DATA ?? resolve(import.meta.dirname, "../../../shared/data");

/** Path of a file of the evaluation data, or null where it is not there; says so once for each file. */
export function evaluationFile(name: string): string | null {
  const file = resolve(FOLDER, name);
  if (existsSync(file)) {
    return file;
  }
  process.stderr.write(
    `\u001b[33mSKIPPED: evaluation data ${name} is not here; set MEDCLOUDLET_DATA.\u001b[39m\n`,
  );
  return null;
}
