import { resolve } from "node:path";
import { expect, it } from "vitest";
import { loadedWith } from "../../support/loaded-with.ts";

it.each(["trust", "community"])("the room of %s loads nothing that a browser does not have", (room) => {
  const loaded = [...loadedWith(resolve(import.meta.dirname, `../../../host/${room}/index.ts`))];
  expect(loaded).toContain("@noble/curves/ed25519.js");
  expect(
    loaded.filter((name) => /^node:|\/host\/(store|http)\/|^(mongodb|libsql|express)$/.test(name)),
  ).toEqual([]);
});
