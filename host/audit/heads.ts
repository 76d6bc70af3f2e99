import type { Clock } from "../base/index.ts";
import {
  AUDIT_HEAD,
  type AuditHead,
  type SignedHead,
  type SigningKey,
  signStatement,
} from "../sealing/index.ts";
import { type Collection, isDuplicate } from "../store/index.ts";
import type { ChainEnd } from "./chain.ts";
import type { WitnessFile } from "./witness.ts";
import { entryId } from "./writer.ts";

/** A head as the store keeps it, by the sequence number it vouches for. */
export interface StoredHead {
  readonly _id: string;
  readonly sequence: number;
  readonly statement: string;
}

/** Signs heads: after enough entries, after some time, on demand. */
export interface HeadSigner {
  /** Tells that the chain has grown. */
  grown(end: ChainEnd): void;
  /** A head of `end`, or of what was signed last when that is further. */
  sign(end: ChainEnd): Promise<SignedHead>;
  /** Ends the timer and waits for a signature under way. */
  stop(): Promise<void>;
}

export function createHeadSigner(options: {
  readonly log: string;
  readonly key: SigningKey;
  readonly clock: Clock;
  readonly collection: Collection<StoredHead>;
  readonly witness: WitnessFile | null;
  readonly newest: SignedHead | null;
  readonly everyEntries: number;
  readonly everyMs: number;
  /** A head that could not be kept: the entries are safe, and the next one vouches for them too. */
  readonly onTrouble: (error: unknown) => void;
}): HeadSigner {
  const { log, key, clock, collection, witness, everyEntries, everyMs, onTrouble } = options;
  let newest = options.newest;
  let latest: ChainEnd | null = null;
  /** The last entry that `grown` asked a head for, signed yet or not. */
  let asked = newest?.head.sequence ?? 0;
  let timer: NodeJS.Timeout | undefined;
  let signing: Promise<unknown> = Promise.resolve();

  async function signNow(end: ChainEnd): Promise<SignedHead> {
    if (newest !== null && newest.head.sequence >= end.sequence) {
      return newest;
    }
    const head: AuditHead = { log, sequence: end.sequence, hash: end.hash, at: clock.now() };
    const statement = await signStatement(AUDIT_HEAD, head, key);
    await witness?.append({ kind: "head", statement });
    try {
      await collection.insertOne({ _id: entryId(head.sequence), sequence: head.sequence, statement });
    } catch (error) {
      if (!isDuplicate(error)) {
        throw error;
      } // another process vouched for the same entry
    }
    newest = { head, statement };
    return newest;
  }

  /** One after the other, so that the file's lines do not mix. */
  function sign(end: ChainEnd): Promise<SignedHead> {
    const signed = signing.then(() => signNow(end));
    signing = signed.catch(() => {});
    return signed;
  }

  function signLatest(): void {
    clearTimeout(timer);
    timer = undefined;
    if (latest !== null) {
      asked = latest.sequence;
      sign(latest).catch(onTrouble);
    }
  }

  return {
    sign,
    grown(end) {
      latest = end;
      if (end.sequence - asked >= everyEntries) {
        signLatest();
      } else {
        timer ??= setTimeout(signLatest, everyMs).unref();
      }
    },
    async stop() {
      clearTimeout(timer);
      await signing;
    },
  };
}
