import type { Document, Filter, UpdateFilter } from "mongodb";

/** `1` ascending, `-1` descending. */
export type Direction = 1 | -1;

/**
 * One index. The order of `fields` matters, as in MongoDB. Dotted paths reach into nested objects. A unique index
 * treats a missing field as `null`. Indexed fields hold scalars only: arrays and objects are refused there.
 */
export interface IndexSpec<T> {
  readonly fields: Readonly<Partial<Record<(keyof T & string) | (string & {}), Direction>>>;
  readonly unique?: boolean;
}

/** What a room says about a collection when it opens it. `name`: letters, digits, `_`, `-` and `.`, at most 64. */
export interface CollectionSpec<T> {
  readonly name: string;
  readonly indexes: readonly IndexSpec<T>[];
}

/** Order of results. Documents that compare equal come in no promised order: end the sort with `_id` to page. */
export type SortSpec<T> = Readonly<Partial<Record<(keyof T & string) | (string & {}), Direction>>>;

/** Either the fields to keep (all `1`) or the fields to leave out (all `0`); `_id` may always be said apart. */
export type ProjectionSpec<T> = Readonly<Partial<Record<(keyof T & string) | (string & {}), 0 | 1>>>;

export interface FindOptions<T> {
  readonly sort?: SortSpec<T>;
  /** At most this many documents; a positive integer. Absent: all. */
  readonly limit?: number;
  /** Leave out this many documents first; zero or a positive integer. */
  readonly skip?: number;
  /** With a projection the fields left out are absent from the results, whatever `T` says. */
  readonly projection?: ProjectionSpec<T>;
}

export interface UpdateOptions {
  /** Insert when nothing matches; then `_id` must follow from the filter (equality) or `$setOnInsert`. */
  readonly upsert?: boolean;
}

export interface FindOneAndUpdateOptions<T> extends UpdateOptions {
  /** Which state to return. An upsert that inserted returns `null` for `"before"`. */
  readonly returnDocument: "before" | "after";
  /** Which of several matching documents to take: the first in this order. */
  readonly sort?: SortSpec<T>;
}

export interface UpdateResult {
  /** 0 or 1: documents the filter matched. */
  readonly matched: number;
  /** 0 or 1: documents that really changed. */
  readonly modified: number;
  readonly upserted: boolean;
}

/**
 * A collection of documents under MongoDB's query language, as far as MongoDB, FerretDB and the embedded store agree.
 *
 * Values: well-formed strings, finite numbers, booleans, `null`, `Date`, `Uint8Array`, plain objects and arrays of
 * these (no array directly in an array), at most 32 levels deep and 16 MiB in all. Field names are not empty, hold no
 * `.` and start with no `$`. `undefined` is refused: leave the field out.
 *
 * Filters compare fields with scalars: equality (an array field matches when an element does), `$eq $ne $in $nin
 * $exists $not`, and `$gt $gte $lt $lte` with a number, a string or a Date (only values of the same type match);
 * around them `$and` and `$or`. Dotted paths reach into objects; through arrays of objects servers differ.
 *
 * Updates: `$set $unset $inc $setOnInsert`, `$min $max` (number, string or Date), `$push` (one value or `$each`),
 * `$pull` (a scalar).
 *
 * Any other operator is refused with `STORE_OPERATOR_FORBIDDEN` (400), any other value, path or option with
 * `STORE_VALUE_INVALID` (400), before an adapter sees it; so is an update that does not suit the document it meets.
 *
 * A value that came with a request belongs under `$eq`, `$in` or another operator (`{ owner: { $eq: input } }`):
 * there only scalars are taken, so input can never become a condition.
 *
 * Every write that was acknowledged (its promise fulfilled) is on disk.
 *
 * Every method may also reject with `STORE_UNAVAILABLE` (503, worth retrying: server gone, disk full, file locked),
 * `STORE_CLOSED` (503) and `STORE_FAILURE` (500: a damaged file, a server that refuses its user).
 */
export interface Collection<T extends { _id: string }> {
  /** @throws MedcloudletError `STORE_DUPLICATE` (409) when `_id` or a unique index is taken. */
  insertOne(document: T): Promise<void>;
  /**
   * Inserts documents in their order, in one round trip. When it rejects, and after a crash, some from the beginning may
   * be there and none behind the first that is missing.
   * @throws MedcloudletError `STORE_DUPLICATE` (409) when an `_id` or a unique index is taken.
   */
  insertMany(documents: readonly T[]): Promise<void>;
  findOne(filter: Filter<T>): Promise<T | null>;
  find(filter: Filter<T>, options?: FindOptions<T>): Promise<T[]>;
  /**
   * Changes one matching document atomically.
   * @throws MedcloudletError `STORE_DUPLICATE` (409) when the result clashes with a unique index.
   */
  updateOne(filter: Filter<T>, update: UpdateFilter<T>, options?: UpdateOptions): Promise<UpdateResult>;
  /** Like `updateOne`, and returns the document before or after the change; `null` when there is none. */
  findOneAndUpdate(
    filter: Filter<T>,
    update: UpdateFilter<T>,
    options: FindOneAndUpdateOptions<T>,
  ): Promise<T | null>;
  /** How many documents were deleted: 0 or 1. */
  deleteOne(filter: Filter<T>): Promise<number>;
  /** How many documents were deleted. */
  deleteMany(filter: Filter<T>): Promise<number>;
  countDocuments(filter: Filter<T>): Promise<number>;
}

/** One entry of a dump. */
export interface DumpedDocument {
  readonly collection: string;
  readonly document: Document;
}

export interface Store {
  /** Opens a collection; creates it and the indexes that are missing. */
  collection<T extends { _id: string }>(spec: CollectionSpec<T>): Promise<Collection<T>>;
  /** Fulfils when the store answers. @throws MedcloudletError `STORE_UNAVAILABLE` or `STORE_CLOSED` */
  ping(): Promise<void>;
  /** Releases everything; closing twice is fine. Afterwards every call rejects with `STORE_CLOSED`. */
  close(): Promise<void>;
  /**
   * Every document of every collection, for backups and for tests that look for leaked secrets. The embedded store
   * gives the state of one moment, a server what is there as it goes.
   */
  dump(): AsyncIterable<DumpedDocument>;
}
