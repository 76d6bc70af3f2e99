import { resolve } from "node:path";
import { expect, it } from "vitest";
import { loadedWith } from "../../../support/loaded-with.ts";

it("a member's side of a community loads nothing that a browser does not have", () => {
  const door = resolve(import.meta.dirname, "../../../../host/client/community/index.ts");
  const loaded = [...loadedWith(door)];
  expect(loaded).toContain("@noble/curves/ed25519.js");
  expect(
    loaded.filter((name) => /^node:|\/host\/(store|http|identity)\/|^(mongodb|libsql|express)$/.test(name)),
  ).toEqual([]);
});
