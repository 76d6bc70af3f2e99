import type { Collection, Store } from "../../store/index.ts";
import { BINS } from "../evaluation/binned.ts";
import type { BenignCounts } from "./self-test.ts";

interface KeptCounts {
  readonly _id: string;
  readonly since: number;
  readonly bins: readonly number[];
}

/** What benign requests scored before a restart. */
export interface SelfTestStore {
  readonly kept: BenignCounts | undefined;
  keep(counts: BenignCounts): Promise<void>;
}

/**
 * Keeps counts by what they were counted with: those of other rules or of another model are forgotten. Several processes of
 * one service overwrite each other's: what is kept then is one of theirs.
 * @param detector names rules and model; null keeps nothing, for a model without a name could be any
 */
export async function openSelfTestStore(store: Store, detector: string | null): Promise<SelfTestStore> {
  const counts: Collection<KeptCounts> = await store.collection({ name: "ids_self_test", indexes: [] });
  if (detector === null) {
    return { kept: undefined, keep: async () => {} };
  }
  const [found] = await counts.find({ _id: { $eq: detector } });
  return {
    kept: found !== undefined && found.bins.length === BINS ? found : undefined,
    async keep({ since, bins }) {
      await counts.deleteMany({ _id: { $ne: detector } });
      await counts.updateOne({ _id: { $eq: detector } }, { $set: { since, bins } }, { upsert: true });
    },
  };
}
