export { createEmbeddedStore } from "./embedded/embedded-store.ts";
export { isDuplicate } from "./errors.ts";
export { type OpenStoreOptions, openStore } from "./open-store.ts";
export type {
  Collection,
  CollectionSpec,
  Direction,
  DumpedDocument,
  FindOneAndUpdateOptions,
  FindOptions,
  IndexSpec,
  ProjectionSpec,
  SortSpec,
  Store,
  UpdateOptions,
  UpdateResult,
} from "./port.ts";
