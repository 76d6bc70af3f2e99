import { createHmac } from "node:crypto";
import { MedcloudletError } from "../../base/index.ts";
import type { Store } from "../../store/index.ts";
import type { Ledger } from "../ledger.ts";

interface SaltMark {
  readonly _id: "salt";
  readonly mark: string;
}

/**
 * Refuses to go on with another salt than before: the ledger would know nobody again, and every difference between
 * releases would pass. Of the salt the store has a mark that nothing can be made of.
 * @throws MedcloudletError `RESEARCH_LEDGER_DAMAGED`
 */
export async function requireSalt({
  store,
  salt,
  ledger,
}: {
  readonly store: Store;
  readonly salt: Uint8Array;
  readonly ledger: Ledger;
}): Promise<void> {
  const marks = await store.collection<SaltMark>({ name: "research_salt", indexes: [] });
  const mark = createHmac("sha256", salt).update("medcloudlet ledger salt v1").digest("hex");
  const kept = await marks.findOne({ _id: { $eq: "salt" } });
  if (kept === null && (await ledger.list()).length === 0) {
    await marks.updateOne({ _id: { $eq: "salt" } }, { $setOnInsert: { mark } }, { upsert: true });
    return;
  }
  if (kept?.mark !== mark) {
    throw new MedcloudletError(
      "RESEARCH_LEDGER_DAMAGED",
      "The ledger was kept under another salt: restore ledger-salt from the backup. With a new one it would know nobody again.",
    );
  }
}
