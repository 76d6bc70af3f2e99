import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";

/** Everything that is loaded with a file, types left out: our own files and the names of packages. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
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

it.each(["trust", "community"])("the room of %s loads nothing that a browser does not have", (room) => {
  const loaded = [...loadedWith(resolve(import.meta.dirname, `../../../host/${room}/index.ts`))];
  expect(loaded).toContain("@noble/curves/ed25519.js");
  expect(
    loaded.filter((name) => /^node:|\/host\/(store|http)\/|^(mongodb|libsql|express)$/.test(name)),
  ).toEqual([]);
});
