import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import {
  type Bytes,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  toBase64Url,
  utf8,
} from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { Account } from "./accounts.ts";
import { createSecretBox, type SecretBox } from "./secret-box.ts";

/** Keys for different uses out of one file. */
export function deriveKey(secret: Bytes, use: string): Bytes {
  return new Uint8Array(hkdf(sha256, secret, undefined, utf8(use), 32));
}

/** What second factors are kept under, from the 32 bytes of the factor key's file. */
export function factorBox(factorKey: Bytes): Promise<SecretBox> {
  return createSecretBox(deriveKey(factorKey, "medcloudlet second factors v1"));
}

/** Whose second factor a sealed secret is. */
export function factorContext(accountId: string): string {
  return `medcloudlet second factor v1 ${accountId}`;
}

/**
 * Moves every second factor from one key to another, an account at a time; what the new key opens stays as it is, so that
 * it can be cut off anywhere and begun again. For a KDC that does not serve meanwhile.
 * @returns how many were moved, and how many neither key opens: those accounts need a reset
 */
export async function moveFactors(
  store: Store,
  { from, to }: { readonly from: Bytes; readonly to: Bytes },
): Promise<{ moved: number; unreadable: number }> {
  const accounts = await store.collection<Account>({ name: "accounts", indexes: [] });
  const [earlier, current] = [await factorBox(from), await factorBox(to)];
  const opens = async (box: SecretBox, sealed: string, context: string): Promise<Bytes | null> => {
    try {
      return await box.open(fromBase64Url(sealed), context);
    } catch (error) {
      if (isMedcloudletError(error, "SECRET_BOX")) {
        return null;
      }
      throw error;
    }
  };
  let moved = 0;
  let unreadable = 0;
  const people = await accounts.find(
    { $or: [{ secondFactor: { $ne: null } }, { pendingFactor: { $ne: null } }] },
    { projection: { secondFactor: 1, pendingFactor: 1 } },
  );
  for (const { _id, secondFactor, pendingFactor } of people) {
    const context = factorContext(_id);
    for (const [name, factor] of [
      ["secondFactor", secondFactor],
      ["pendingFactor", pendingFactor],
    ] as const) {
      if (factor === null || (await opens(current, factor.sealed, context)) !== null) {
        continue;
      }
      const secret = await opens(earlier, factor.sealed, context);
      if (secret === null) {
        unreadable++;
        continue;
      }
      const sealed = toBase64Url(await current.seal(secret, context));
      secret.fill(0);
      const { matched } = await accounts.updateOne(
        { _id: { $eq: _id }, [`${name}.sealed`]: { $eq: factor.sealed } },
        { $set: { [`${name}.sealed`]: sealed } },
      );
      if (matched === 0) {
        throw new MedcloudletError(
          "FACTOR_KEY_BUSY",
          "An account was changed while the factor key was exchanged: stop every other KDC on this database and start again.",
          { status: 409 },
        );
      }
      moved++;
    }
  }
  return { moved, unreadable };
}
