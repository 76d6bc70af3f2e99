import type { CollectionAdapter, StoreAdapter } from "./adapter.ts";
import { closed, invalid } from "./errors.ts";
import { parseFilter } from "./filter.ts";
import type { Collection, Store } from "./port.ts";
import { indexedPaths, parseOrderings, parseSpec, parseWindow } from "./spec.ts";
import { assertIndexableWithin, parseSeed, parseUpdate } from "./update.ts";
import { copyValue, isPlainObject } from "./values.ts";

/**
 * Puts the port in front of an adapter. Everything a caller passes is checked and copied here, once for every
 * adapter: operators outside the port, values servers disagree on and use after close never get further.
 */
export function guardStore(adapter: StoreAdapter): Store {
  let isClosed = false;

  function assertOpen(): void {
    if (isClosed) {
      throw closed();
    }
  }

  return {
    async collection<T extends { _id: string }>(spec: Parameters<Store["collection"]>[0]) {
      assertOpen();
      const plan = parseSpec(spec);
      return guardCollection<T>(await adapter.collection(plan), indexedPaths(plan), assertOpen);
    },
    async ping() {
      assertOpen();
      await adapter.ping();
    },
    async close() {
      if (!isClosed) {
        isClosed = true;
        await adapter.close();
      }
    },
    async *dump() {
      assertOpen();
      for await (const entry of adapter.dump()) {
        assertOpen();
        yield entry;
      }
    },
  };
}

function guardCollection<T extends { _id: string }>(
  adapter: CollectionAdapter,
  indexed: readonly string[],
  assertOpen: () => void,
): Collection<T> {
  function changeOf(filter: unknown, update: unknown, upsert: boolean | undefined) {
    const conditions = parseFilter(filter);
    const parsed = parseUpdate(update, indexed);
    return {
      filter: conditions,
      update: parsed,
      seed: upsert === true ? parseSeed(conditions, parsed, indexed) : null,
    };
  }

  async function find(filter: unknown, options: Parameters<typeof parseWindow>[0]): Promise<T[]> {
    assertOpen();
    return (await adapter.find(parseFilter(filter), parseWindow(options))) as T[];
  }

  return {
    async insertOne(document) {
      assertOpen();
      await adapter.insertOne(copyDocument(document, indexed));
    },
    async insertMany(documents) {
      assertOpen();
      const copies = documents.map((document) => copyDocument(document, indexed));
      if (copies.length > 0) {
        await adapter.insertMany(copies);
      }
    },
    async findOne(filter) {
      return (await find(filter, { limit: 1 }))[0] ?? null;
    },
    async find(filter, options = {}) {
      return await find(filter, options);
    },
    async updateOne(filter, update, options = {}) {
      assertOpen();
      return await adapter.updateOne(changeOf(filter, update, options.upsert));
    },
    async findOneAndUpdate(filter, update, options) {
      assertOpen();
      const { returnDocument } = options;
      if (returnDocument !== "before" && returnDocument !== "after") {
        throw invalid("returnDocument is before or after.");
      }
      const sort = parseOrderings(options.sort);
      const change = changeOf(filter, update, options.upsert);
      return (await adapter.findOneAndUpdate(change, { returnDocument, sort })) as T | null;
    },
    async deleteOne(filter) {
      assertOpen();
      return await adapter.delete(parseFilter(filter), "one");
    },
    async deleteMany(filter) {
      assertOpen();
      return await adapter.delete(parseFilter(filter), "many");
    },
    async countDocuments(filter) {
      assertOpen();
      return await adapter.count(parseFilter(filter));
    },
  };
}

function copyDocument(
  document: unknown,
  indexed: readonly string[],
): Record<string, unknown> & { _id: string } {
  const copy = copyValue(document);
  if (!isPlainObject(copy) || typeof copy._id !== "string" || copy._id === "") {
    throw invalid("A document is a plain object whose _id is a string that is not empty.");
  }
  for (const index of indexed) {
    assertIndexableWithin(copy, index, index);
  }
  return { ...copy, _id: copy._id };
}
