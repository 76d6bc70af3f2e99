import type { Clock } from "../../base/index.ts";
import type { HttpClient, KdcSession, KeystoreContents, PersonKeys } from "../../client/index.ts";
import type { SealingSuite } from "../../sealing/index.ts";
import type { Told } from "./messages.ts";
import type { Person, Places } from "./session-questions.ts";

/** A person at work: keys unlocked, logged in. Every room of the worker is built on one. */
export interface Work {
  readonly person: Person;
  readonly places: Places;
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  /** What the keystore holds now. */
  readonly contents: KeystoreContents;
  /**
   * Keeps changes of the keystore at the KDC and in the vault, before it returns.
   * @throws MedcloudletError `KEYSTORE_PASSPHRASE_CHANGED`, `KEYSTORE_FOREIGN`, and the KDC's refusals
   */
  save(changes: Partial<KeystoreContents>): Promise<void>;
  /**
   * Takes in what other machines and tabs of the same person kept.
   * @throws MedcloudletError `KEYSTORE_PASSPHRASE_CHANGED`, and the KDC's refusals
   */
  catchUp(): Promise<void>;
  /** @throws MedcloudletError `KEYSTORE_PASSPHRASE`, `KEYSTORE_PASSPHRASE_WEAK`, `KEYSTORE_PASSPHRASE_SAME` */
  changePassphrase(how: { readonly current: string; readonly next: string }): Promise<void>;
  /** What this machine noted under a name, if it may keep anything; null where there is nothing. */
  recall(name: string): string | null;
  /** Notes a text for the next time, locked like everything else. */
  remember(name: string, text: string): Promise<void>;
  /** Says how to put together what several tabs noted under a name; without, the last one's word stands. */
  joinNotes(name: string, join: (theirs: string) => string): void;
  readonly tell: (told: Told) => void;
  /** Aborts when the person leaves. */
  readonly signal: AbortSignal;
}
