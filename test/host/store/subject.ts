import type { Document } from "mongodb";
import { isMedcloudletError } from "../../../host/base/index.ts";
import type { Collection, IndexSpec, Store } from "../../../host/store/index.ts";
import type { Guarantee } from "../../support/guarantees.ts";

/** A kind of store the contract runs against. */
export interface Subject {
  readonly name: string;
  /** What this server is known not to keep; the cases that need it are skipped, loudly. */
  readonly lacks: ReadonlySet<Guarantee>;
  /** Opens the one store of this run (again). */
  open(): Promise<Store>;
}

export type Item = Document & { _id: string };

let names = 0;

/** A collection no other test has used. */
export async function freshCollection(
  store: Store,
  indexes: readonly IndexSpec<Item>[] = [],
): Promise<Collection<Item>> {
  names += 1;
  return await store.collection<Item>({ name: `items-${names}`, indexes });
}

/** The code a promise rejects with, or `null` when it fulfils. */
export async function codeOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    return isMedcloudletError(error) ? error.code : `not ours: ${String(error)}`;
  }
}
