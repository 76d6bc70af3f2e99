import type { Document } from "mongodb";
import type { Conjunction } from "./filter.ts";
import type { DumpedDocument, UpdateResult } from "./port.ts";
import type { CollectionPlan, Ordering, Window } from "./spec.ts";
import type { Seed, Update } from "./update.ts";

/** What an adapter does for `updateOne` and `findOneAndUpdate`. */
export interface Change {
  readonly filter: Conjunction;
  readonly update: Update;
  /** The start of the document to insert when nothing matches; `null`: do not upsert. */
  readonly seed: Seed | null;
}

/** One collection below the guard: every argument has been checked and copied, every error is one of ours. */
export interface CollectionAdapter {
  insertOne(document: Document & { _id: string }): Promise<void>;
  /** At least one; in order, and none behind the first that is refused. */
  insertMany(documents: readonly (Document & { _id: string })[]): Promise<void>;
  find(filter: Conjunction, window: Window): Promise<Document[]>;
  updateOne(change: Change): Promise<UpdateResult>;
  findOneAndUpdate(
    change: Change,
    options: { returnDocument: "before" | "after"; sort: readonly Ordering[] },
  ): Promise<Document | null>;
  /** How many were deleted. */
  delete(filter: Conjunction, how: "one" | "many"): Promise<number>;
  count(filter: Conjunction): Promise<number>;
}

/** A store below the guard. */
export interface StoreAdapter {
  collection(plan: CollectionPlan): Promise<CollectionAdapter>;
  ping(): Promise<void>;
  close(): Promise<void>;
  dump(): AsyncIterable<DumpedDocument>;
}
