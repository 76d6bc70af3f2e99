import type { Store } from "../store/index.ts";

/**
 * Everything that the KDC keeps of a patient, beside the account and the audit log: collection and the field that names
 * the account. `_id`: the document's own id, `prefix`: what its id begins with. A test deletes an account that has some
 * of each and looks for its id in every document that is left, so that what comes new is not forgotten here.
 */
const KEPT: readonly { readonly name: string; readonly field: string; readonly how?: "prefix" }[] = [
  { name: "wrapped_keys", field: "owner" },
  { name: "waiting_consents", field: "owner" },
  { name: "consents", field: "owner" },
  { name: "emergency_shares", field: "owner" },
  { name: "emergencies", field: "owner" },
  { name: "record_parts", field: "owner" },
  { name: "devices", field: "owner" },
  { name: "epochs", field: "owner" },
  { name: "access_requests", field: "patient" },
  { name: "backups", field: "_id" },
  { name: "recoveries", field: "_id" },
  { name: "recovery_uses", field: "_id", how: "prefix" },
  { name: "recovery_requests", field: "owner" },
  { name: "guardian_sets", field: "_id" },
  { name: "factor_resets", field: "accountId" },
  { name: "known_clients", field: "accountId" },
  { name: "account_events", field: "accountId" },
  { name: "notices", field: "accountId" },
  { name: "sessions", field: "accountId" },
];

/** Deletes everything that is kept of an account, beside the account itself. Doing so again finishes what was cut off. */
export async function deleteKept(store: Store, accountId: string): Promise<void> {
  for (const { name, field, how } of KEPT) {
    const collection = await store.collection<{ readonly _id: string }>({ name, indexes: [] });
    await collection.deleteMany(
      how === "prefix"
        ? { _id: { $gt: `${accountId} `, $lt: `${accountId}~` } }
        : { [field]: { $eq: accountId } },
    );
  }
}
