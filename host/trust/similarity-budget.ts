import { isMedcloudletError, MedcloudletError } from "../base/index.ts";
import type { Store } from "../store/index.ts";

/** Runs of the similarity protocol that one pair may make in one epoch, whoever begins: one, and one that broke off. */
export const RUNS_A_PAIR = 2;
/** Runs that one patient may begin in one epoch, with all partners together: what a scan of a community costs. */
export const RUNS_A_PATIENT = 50;

/** How many runs have been counted under this name in this epoch; the id holds both. */
export interface RunCount {
  readonly _id: string;
  readonly epoch: number;
  readonly runs: number;
}

/** Bounds how often somebody may look: each run answers one question about the other's conditions. */
export interface SimilarityBudget {
  /**
   * Counts one run before it begins. It counts whether or not it comes to an end: a run that breaks off has told the
   * asker its count already.
   * @throws MedcloudletError `SIMILARITY_BUDGET_SPENT` (429)
   */
  spend(community: string, asker: string, partner: string, epoch: number): Promise<void>;
  /** Deletes the counts of epochs before this one. */
  forgetBefore(epoch: number): Promise<number>;
}

/** The name of a pair, the same for both orders. */
function pairName(one: string, two: string): string {
  return one < two ? `${one}:${two}` : `${two}:${one}`;
}

/**
 * @param store where counts live; each is one document and goes up atomically. The asker's count goes first: a crash
 *   between the two costs the asker a run and never gives one away.
 */
export async function createSimilarityBudget({ store }: { store: Store }): Promise<SimilarityBudget> {
  const counts = await store.collection<RunCount>({
    name: "similarity_runs",
    indexes: [{ fields: { epoch: 1 } }],
  });

  async function count(name: string, epoch: number, most: number): Promise<void> {
    const _id = `${epoch}:${name}`;
    try {
      await counts.updateOne(
        { _id: { $eq: _id }, runs: { $lt: most } },
        { $inc: { runs: 1 }, $setOnInsert: { epoch } },
        { upsert: true },
      );
    } catch (cause) {
      if (!isMedcloudletError(cause, "STORE_DUPLICATE")) {
        throw cause;
      }
      // The document is there and its count is full: the upsert tried to insert a second one. Or two first runs raced,
      // and the one that lost comes back.
      const { matched } = await counts.updateOne(
        { _id: { $eq: _id }, runs: { $lt: most } },
        { $inc: { runs: 1 } },
      );
      if (matched === 0) {
        throw new MedcloudletError(
          "SIMILARITY_BUDGET_SPENT",
          "No more comparisons in this epoch: wait for the next one.",
          { status: 429, cause },
        );
      }
    }
  }

  return {
    async spend(community, asker, partner, epoch) {
      await count(`${community}:${asker}`, epoch, RUNS_A_PATIENT);
      await count(`${community}:${pairName(asker, partner)}`, epoch, RUNS_A_PAIR);
    },
    forgetBefore: (epoch) => counts.deleteMany({ epoch: { $lt: epoch } }),
  };
}
