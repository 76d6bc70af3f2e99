import { MongoNetworkError, MongoServerError } from "mongodb";
import { describe, expect, it } from "vitest";
import { openStore } from "../../../host/store/index.ts";
import { fromMongoError } from "../../../host/store/mongo-errors.ts";
import { createMongoStore } from "../../../host/store/mongo-store.ts";
import { codeOf } from "./subject.ts";

const NOWHERE = "mongodb://127.0.0.1:9/";

function serverError(code: number, message = "refused"): MongoServerError {
  return new MongoServerError({ message, code, codeName: "Name" });
}

describe("errors of the MongoDB adapter", () => {
  it.each([
    [serverError(11_000), "STORE_DUPLICATE", 409],
    [serverError(1, "constraint failed: UNIQUE constraint failed: index 'i' (2067)"), "STORE_DUPLICATE", 409],
    [serverError(1, "database is locked (5) (SQLITE_BUSY)"), "STORE_UNAVAILABLE", 503],
    [serverError(14_031), "STORE_UNAVAILABLE", 503],
    [serverError(189), "STORE_UNAVAILABLE", 503],
    [serverError(14), "STORE_VALUE_INVALID", 400],
    [serverError(13), "STORE_FAILURE", 500],
    [new MongoNetworkError("reset"), "STORE_UNAVAILABLE", 503],
    [new Error("anything"), "STORE_FAILURE", 500],
  ])("%s becomes %s (%i)", (error, code, status) => {
    expect(fromMongoError(error, "items")).toMatchObject({ code, status });
  });

  it("do not carry the values a server quotes", () => {
    const message = 'E11000 duplicate key error collection: d.items dup key: { handle: "alice" }';
    const quoted = new MongoServerError({ message, code: 11_000, keyValue: { handle: "alice" } });
    const refused = serverError(14, 'Cannot apply $inc to a value of non-numeric type: {_id: "alice"}');
    for (const error of [fromMongoError(quoted, "items"), fromMongoError(refused, "items")]) {
      expect(error.message).not.toContain("alice");
      expect(error.cause).toBeUndefined();
    }
  });

  it("say within seconds that the server is not there", async () => {
    const store = createMongoStore({ url: NOWHERE, database: "d" });
    const started = Date.now();
    expect(await codeOf(store.ping())).toBe("STORE_UNAVAILABLE");
    expect(Date.now() - started).toBeLessThan(10_000);
    await store.close();
    expect(await codeOf(store.ping())).toBe("STORE_CLOSED");
  });

  it("say so when the store is opened, and that a URL is none", async () => {
    const open = (mongodbUrl: string) => openStore({ mongodbUrl, database: "d", directory: "/nonexistent" });
    expect(await codeOf(open(NOWHERE))).toBe("STORE_UNAVAILABLE");
    expect(await codeOf(open("http://127.0.0.1/"))).toBe("STORE_VALUE_INVALID");
  });
});
