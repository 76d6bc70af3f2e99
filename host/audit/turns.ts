import { setTimeout } from "node:timers/promises";
import { randomBytes, toHex } from "../base/index.ts";
import type { Collection } from "../store/index.ts";

/** How often a process that writes looks whether another asked, and the longest that it then stands back. */
const LOOK_EVERY_MS = 50;
const LONGEST_MS = 2000;

/** The one document by which a process asks the others to stand back. */
export interface StoredTurn {
  readonly _id: string;
  readonly writer: string;
  /** Another with each time that somebody asks. */
  readonly asked: string;
  /** How long one try takes it. */
  readonly neededMs: number;
}

/** Manners among processes that append to one log. */
export interface Turns {
  /** Asks the others to stand back for as long as one try takes. */
  ask(neededMs: number): Promise<void>;
  /** Stands back if another asked since the last time. */
  giveWay(): Promise<void>;
}

/**
 * A process that writes group after group needs one round trip for each; one that came too late needs three to try again,
 * and would come too late for ever. This is for fairness only: that no number is taken twice does not rest on it.
 */
export function createTurns(writer: string, collection: Collection<StoredTurn>): Turns {
  let heard: string | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  return {
    async ask(neededMs) {
      await collection.updateOne(
        { _id: "turn" },
        { $set: { writer, asked: toHex(randomBytes(8)), neededMs } },
        { upsert: true },
      );
    },
    async giveWay() {
      if (performance.now() - lookedAt < LOOK_EVERY_MS) {
        return;
      }
      lookedAt = performance.now();
      const turn = await collection.findOne({ _id: "turn" });
      if (turn !== null && turn.writer !== writer && turn.asked !== heard) {
        heard = turn.asked;
        await setTimeout(Math.min(turn.neededMs, LONGEST_MS));
      }
    },
  };
}
