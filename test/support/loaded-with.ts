import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** Everything that is loaded with a file, types left out: our own files and the names of packages. */
export function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) {
    return seen;
  }
  seen.add(file);
  const source = readFileSync(file, "utf8");
  for (const [, clause, from] of source.matchAll(/^(?:import|export)\s+([^;]*?)\s*from "([^"]+)";/gms)) {
    const name = from as string;
    const onlyTypes = (clause as string).startsWith("type ");
    if (!onlyTypes && name.startsWith(".")) {
      loadedWith(resolve(file, "..", name), seen);
    } else if (!onlyTypes) {
      seen.add(name);
    }
  }
  return seen;
}
