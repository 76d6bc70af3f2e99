import type { LockedVault } from "./worker/session-questions.ts";

const DATABASE = "medcloudlet";
const STORE = "vaults";
/** One person a browser: whoever logs in on a machine that keeps another's vault replaces it. */
const KEY = "vault";
const NONCE_BYTES = 12;

interface Kept {
  readonly handle: string;
  readonly nonce: Uint8Array<ArrayBuffer>;
  readonly ciphertext: ArrayBuffer;
  /** Cannot be taken out of this browser by any script: who copies the rest has nothing to guess passphrases at. */
  readonly key: CryptoKey;
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}

/** One act at a time, whichever tab it is done in. */
function inTurn(act: () => Promise<void>): Promise<void> {
  return navigator.locks.request("medcloudlet-vault", act);
}

async function inStore<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await openDatabase();
  try {
    return await new Promise((done, fail) => {
      const transaction = database.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => done(request.result);
      transaction.onerror = () => fail(transaction.error);
      transaction.onabort = () => fail(transaction.error);
    });
  } finally {
    database.close();
  }
}

/**
 * Keeps a locked vault in this browser, locked once more with a key that no script can read. One tab at a time.
 * @param join puts together what another tab kept and what is to be kept
 */
export function keepVault(
  vault: LockedVault,
  join: (kept: LockedVault) => Promise<LockedVault>,
): Promise<void> {
  return inTurn(async () => {
    const kept = await keptVault();
    await put(kept === null || kept.handle !== vault.handle ? vault : await join(kept));
  });
}

async function put(vault: LockedVault): Promise<void> {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const text = new TextEncoder().encode(JSON.stringify(vault));
  const ciphertext = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, text);
  const kept: Kept = { handle: vault.handle, nonce, ciphertext, key };
  await inStore("readwrite", (store) => store.put(kept, KEY));
}

/** The vault that this browser keeps; null where there is none, or none that can be read. */
export async function keptVault(): Promise<LockedVault | null> {
  if ((await indexedDB.databases()).every(({ name }) => name !== DATABASE)) {
    return null;
  }
  try {
    const kept: Kept | undefined = await inStore("readonly", (store) => store.get(KEY));
    if (kept === undefined) {
      return null;
    }
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: kept.nonce }, kept.key, kept.ciphertext);
    return JSON.parse(new TextDecoder().decode(text)) as LockedVault;
  } catch {
    // Damaged or from another version: the person logs in as if for the first time.
    return null;
  }
}

/** Forgets whoever used this browser. */
export function forgetVault(): Promise<void> {
  // Behind whatever is being kept at the moment, which would bring it back.
  return inTurn(
    () =>
      new Promise<void>((done) => {
        const request = indexedDB.deleteDatabase(DATABASE);
        request.onsuccess = () => done();
        request.onerror = () => done();
        request.onblocked = () => done();
      }),
  );
}
