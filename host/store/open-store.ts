import { createEmbeddedStore } from "./embedded/embedded-store.ts";
import type { Store } from "./port.ts";

export interface OpenStoreOptions {
  /** `mongodb://…` or `mongodb+srv://…`; absent: the embedded store. */
  readonly mongodbUrl?: string | undefined;
  /** Name of the database on the server. */
  readonly database: string;
  /** Where the embedded store keeps its file. */
  readonly directory: string;
}

/**
 * Opens the store a process was configured for, and makes sure that it answers.
 * @throws MedcloudletError `STORE_UNAVAILABLE` (503), `STORE_VALUE_INVALID` (400) for a URL that is none
 */
export async function openStore({ mongodbUrl, database, directory }: OpenStoreOptions): Promise<Store> {
  const store =
    mongodbUrl === undefined || mongodbUrl === ""
      ? createEmbeddedStore({ directory })
      : // The driver takes a tenth of a second to load, which only whoever has a server should wait for.
        (await import("./mongo-store.ts")).createMongoStore({ url: mongodbUrl, database });
  try {
    await store.ping();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}
