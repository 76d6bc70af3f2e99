import { randomUUID } from "node:crypto";
import { MongoClient } from "mongodb";
import { afterAll, describe, expect, it } from "vitest";
import { createMongoStore } from "../../../host/store/mongo-store.ts";
import { lackingAt, warn } from "../../support/guarantees.ts";
import { storeContract } from "./contract.ts";

const url = process.env.MONGODB_URL ?? "";

if (url !== "") {
  const database = `medcloudlet-test-${randomUUID()}`;
  const lacks = await lackingAt(url);
  for (const guarantee of lacks) {
    warn(`this server does not keep "${guarantee}": the cases of the contract that need it were SKIPPED.`);
  }

  afterAll(async () => {
    const client = new MongoClient(url);
    await client.db(database).dropDatabase();
    await client.close();
  });

  storeContract({
    name: "MongoDB",
    lacks,
    open: async () => createMongoStore({ url, database }),
  });
} else if (process.env.CI === "true") {
  it("runs the MongoDB contract in CI", () => {
    expect.fail("MONGODB_URL is not set: in CI the contract must run against a server.");
  });
} else {
  warn(
    "MONGODB_URL is not set: the store contract on MongoDB was SKIPPED (scripts/ferretdb/start.sh gives one).",
  );
  describe.skip("the store contract on MongoDB", () => {
    it("needs MONGODB_URL", () => undefined);
  });
}
