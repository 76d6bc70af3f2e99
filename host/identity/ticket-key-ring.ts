import type { JSONWebKeySet } from "jose";
import { z } from "zod";
import { type Clock, fromBase64Url, toBase64Url } from "../base/index.ts";
import {
  ed25519Jwk,
  generateSigningSeed,
  importSigningKey,
  keyThumbprint,
  type SigningKey,
  signingKeySchema,
} from "../sealing/index.ts";

const RING = z
  .array(
    z.strictObject({
      publicKey: signingKeySchema,
      /** 32 bytes, base64url; null once the key signs no more: only its signatures are still checked. */
      seed: z
        .string()
        .regex(/^[A-Za-z0-9_-]{43}$/)
        .nullable(),
      /** Signs from this moment (ms since 1970 UTC) until the next key does. */
      activeFrom: z.number().int().nonnegative(),
    }),
  )
  .min(1);

/** What a ring keeps between starts. */
export type TicketKeyState = z.infer<typeof RING>;

const HOUR_MS = 3_600_000;
/** A new key is published this long before it signs, so that every verifier knows it by then. */
const AHEAD_MS = HOUR_MS;
/**
 * A retired key is still published this long: a batch may wait seven days in a cloudlet, with a device's ticket of
 * an hour, and the cloud judges the ticket only then.
 */
const KEEP_MS = 7 * 24 * HOUR_MS + 2 * HOUR_MS;

/** The keys that sign the KDC's tickets, one after the other. */
export interface TicketKeyRing {
  /** The key that signs now, and its id. */
  signing(): { readonly kid: string; readonly key: SigningKey };
  /** Every key whose tickets may still be met, as a JWK set (RFC 7517). */
  published(): JSONWebKeySet;
  /**
   * Adds a key. It signs an hour from now, and tickets of the earlier ones stay good. With `revoke` it signs at once
   * and the earlier ones are gone: for a key that somebody else may have.
   */
  rotate(options: { readonly revoke: boolean }): Promise<{ kid: string; activeFrom: number }>;
  /** Destroys private keys that sign no more, forgets old public ones, and rotates when it is time: then the new key. */
  turn(): Promise<{ kid: string; activeFrom: number } | null>;
  /** How old the keys are and when the next one is due, for who watches over them. */
  ages(): TicketKeyAges;
}

/** Ages of ticket keys; all times in ms since 1970 UTC. */
export interface TicketKeyAges {
  /** When the next key is made by itself; an hour later it signs. */
  readonly nextAt: number;
  /** In the order in which they sign. `retiredAt`: null as long as no later key is known. */
  readonly keys: readonly {
    readonly kid: string;
    readonly activeFrom: number;
    readonly retiredAt: number | null;
  }[];
}

/**
 * Opens a ring on what was kept of it, or begins a new one.
 * @throws ZodError when what was kept is no ring
 */
export async function openTicketKeyRing(options: {
  readonly clock: Clock;
  readonly kept: unknown;
  /** Keeps the ring. Called before a new key is published. */
  readonly keep: (state: TicketKeyState) => Promise<void>;
  readonly rotateEveryMs: number;
}): Promise<TicketKeyRing> {
  const { clock, keep, rotateEveryMs } = options;
  interface Entry {
    readonly kid: string;
    readonly publicKey: string;
    readonly key: SigningKey | null;
    readonly seed: string | null;
    readonly activeFrom: number;
  }

  const entryOf = async ({ publicKey, seed, activeFrom }: TicketKeyState[number]): Promise<Entry> => ({
    kid: await keyThumbprint(fromBase64Url(publicKey)),
    key: seed === null ? null : await importSigningKey(fromBase64Url(seed)),
    publicKey,
    seed,
    activeFrom,
  });
  const newEntry = async (activeFrom: number): Promise<Entry> => {
    const seed = generateSigningSeed();
    const { publicKey } = await importSigningKey(seed);
    return entryOf({ publicKey: toBase64Url(publicKey), seed: toBase64Url(seed), activeFrom });
  };
  let ring: readonly Entry[] = [];
  const replace = async (entries: readonly Entry[]): Promise<void> => {
    await keep(entries.map(({ publicKey, seed, activeFrom }) => ({ publicKey, seed, activeFrom })));
    ring = entries;
  };

  if (options.kept === undefined) {
    await replace([await newEntry(clock.now())]);
  } else {
    ring = await Promise.all(RING.parse(options.kept).map(entryOf));
  }

  /** When a key stopped signing, or will; null for the newest. */
  const retiredAt = (i: number): number | null => ring[i + 1]?.activeFrom ?? null;

  // One change after the other: each begins with what the one before left.
  let changes: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const done = changes.then(change, change);
    changes = done;
    return done;
  };

  const add: TicketKeyRing["rotate"] = async ({ revoke }) => {
    const entry = await newEntry(clock.now() + (revoke ? 0 : AHEAD_MS));
    await replace(revoke ? [entry] : [...ring, entry]);
    return { kid: entry.kid, activeFrom: entry.activeFrom };
  };

  const tidy: TicketKeyRing["turn"] = async () => {
    const now = clock.now();
    const current = ring.flatMap((entry, i) => {
      const retired = retiredAt(i);
      if (retired === null || retired > now) {
        return [entry];
      }
      return retired + KEEP_MS > now ? [{ ...entry, key: null, seed: null }] : [];
    });
    if (current.length < ring.length || current.some(({ seed }, i) => seed !== ring[i]?.seed)) {
      await replace(current);
    }
    const newest = ring.at(-1) as Entry;
    return newest.activeFrom + rotateEveryMs <= now ? add({ revoke: false }) : null;
  };

  return {
    signing() {
      const now = clock.now();
      const able = ring.filter(({ key }) => key !== null);
      // With a clock that was set back no key may have begun yet: the first that can sign then does.
      const { kid, key } = able.findLast(({ activeFrom }) => activeFrom <= now) ?? (able[0] as Entry);
      return { kid, key: key as SigningKey };
    },
    published: () => ({
      keys: ring.map(({ kid, publicKey }) => ({
        ...ed25519Jwk(fromBase64Url(publicKey)),
        kid,
        alg: "EdDSA",
        use: "sig",
      })),
    }),
    rotate: (how) => inTurn(() => add(how)),
    turn: () => inTurn(tidy),
    ages: () => ({
      nextAt: (ring.at(-1) as Entry).activeFrom + rotateEveryMs,
      keys: ring.map(({ kid, activeFrom }, i) => ({ kid, activeFrom, retiredAt: retiredAt(i) })),
    }),
  };
}
