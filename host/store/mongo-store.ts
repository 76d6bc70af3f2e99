import {
  BSON,
  type Document,
  type Collection as DriverCollection,
  MongoClient,
  MongoClientClosedError,
  type MongoClientOptions,
  MongoNotConnectedError,
  MongoTopologyClosedError,
  type UpdateFilter,
} from "mongodb";
import type { Change, CollectionAdapter, StoreAdapter } from "./adapter.ts";
import { closed, invalid } from "./errors.ts";
import { renderFilter } from "./filter.ts";
import { guardStore } from "./guard.ts";
import { fromMongoError, isDuplicateKey } from "./mongo-errors.ts";
import type { Store, UpdateResult } from "./port.ts";
import type { CollectionPlan, Ordering } from "./spec.ts";
import type { Update } from "./update.ts";
import { revive } from "./values.ts";

type Stored = Document & { _id: string };

const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const UPSERT_ATTEMPTS = 5;

const OPTIONS: MongoClientOptions = {
  appName: "medcloudlet",
  // An acknowledged write is in the journal of a majority: no failover takes it back.
  writeConcern: { w: "majority", journal: true },
  readPreference: "primary",
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  socketTimeoutMS: 30_000,
  promoteBuffers: true,
  ignoreUndefined: false,
};

/**
 * A store on a MongoDB server (or one that speaks its protocol). Connects with the first call: `ping()` tells
 * whether the server answers, within 5 seconds.
 */
export function createMongoStore({ url, database }: { url: string; database: string }): Store {
  const client = openClient(url);
  const db = client.db(database);

  const adapter: StoreAdapter = {
    async collection(plan) {
      const collection = db.collection<Stored>(plan.name);
      await attempt(plan.name, () => createIndexes(collection, plan));
      return mongoCollection(collection, plan.name);
    },
    async ping() {
      await attempt("the database", () => db.command({ ping: 1 }));
    },
    async close() {
      await attempt("the database", () => client.close());
    },
    async *dump() {
      const listed = await attempt("the database", () =>
        db.listCollections({}, { nameOnly: true }).toArray(),
      );
      for (const { name } of listed.filter((entry) => !entry.name.startsWith("system."))) {
        try {
          for await (const document of db.collection(name).find({})) {
            yield { collection: name, document: revive(document) };
          }
        } catch (error) {
          throw toStoreError(error, name);
        }
      }
    },
  };
  return guardStore(adapter);
}

function openClient(url: string): MongoClient {
  try {
    return new MongoClient(url, OPTIONS);
  } catch {
    throw invalid("The MongoDB URL cannot be used."); // the parser's error may quote a password
  }
}

/** One index a call: FerretDB 1.24 drops the connection when a call names two that are both there already. */
async function createIndexes(collection: DriverCollection<Stored>, plan: CollectionPlan): Promise<void> {
  for (const { fields, unique } of plan.indexes) {
    await collection.createIndex(new Map(fields), unique ? { unique } : {});
  }
}

function mongoCollection(collection: DriverCollection<Stored>, name: string): CollectionAdapter {
  /**
   * Two upserts of one key may both find nothing and both insert: the server then refuses one with a duplicate key.
   * Trying again finds the other's document, unless the clash is with a document the filter does not match.
   */
  async function change<R>({ seed }: Change, work: () => Promise<R>): Promise<R> {
    for (let attempts = 1; ; attempts++) {
      try {
        return await work();
      } catch (error) {
        if (seed === null || !isDuplicateKey(error) || attempts === UPSERT_ATTEMPTS) {
          throw toStoreError(error, name);
        }
      }
    }
  }

  return {
    async insertOne(document) {
      if (BSON.calculateObjectSize(document) > MAX_DOCUMENT_BYTES) {
        throw invalid("A document is larger than 16 MiB.");
      }
      await attempt(name, () => collection.insertOne(document));
    },
    async insertMany(documents) {
      if (documents.some((document) => BSON.calculateObjectSize(document) > MAX_DOCUMENT_BYTES)) {
        throw invalid("A document is larger than 16 MiB.");
      }
      await attempt(name, () => collection.insertMany([...documents], { ordered: true }));
    },
    async find(filter, { sort, skip, limit, projection }) {
      const found = await attempt(name, () =>
        collection
          .find<Document>(renderFilter(filter), {
            sort: sortOf(sort),
            skip,
            ...(limit === null ? {} : { limit }),
            ...(projection === null ? {} : { projection }),
          })
          .toArray(),
      );
      return found.map(revive);
    },
    async updateOne(requested): Promise<UpdateResult> {
      const result = await change(requested, () =>
        collection.updateOne(renderFilter(requested.filter), toDriver(requested.update), {
          upsert: requested.seed !== null,
        }),
      );
      return {
        matched: result.matchedCount,
        modified: result.modifiedCount,
        upserted: result.upsertedCount > 0,
      };
    },
    async findOneAndUpdate(requested, { returnDocument, sort }) {
      const found = await change(requested, () =>
        collection.findOneAndUpdate(renderFilter(requested.filter), toDriver(requested.update), {
          upsert: requested.seed !== null,
          returnDocument,
          sort: sortOf(sort),
        }),
      );
      return found === null ? null : revive(found);
    },
    async delete(filter, how) {
      const result = await attempt(name, () =>
        how === "one"
          ? collection.deleteOne(renderFilter(filter))
          : collection.deleteMany(renderFilter(filter)),
      );
      return result.deletedCount;
    },
    async count(filter) {
      return await attempt(name, () => collection.countDocuments(renderFilter(filter)));
    },
  };
}

function sortOf(sort: readonly Ordering[]): Map<string, 1 | -1> {
  return new Map(sort);
}

/** The guard checked what the driver's type would: operators by name, fields and values by kind. */
function toDriver(update: Update): UpdateFilter<Stored> {
  return update as UpdateFilter<Stored>;
}

async function attempt<R>(name: string, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    throw toStoreError(error, name);
  }
}

function toStoreError(error: unknown, name: string): unknown {
  const isClosed =
    error instanceof MongoClientClosedError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoTopologyClosedError;
  return isClosed ? closed() : fromMongoError(error, name);
}
