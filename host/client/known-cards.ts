import { isMedcloudletError } from "../base/index.ts";
import { fingerprint, identityKeys, verifyIdentity } from "../sealing/index.ts";
import type { KnownAccount } from "./known-account.ts";

/** Fingerprints that were compared, by handle, as a keystore holds them. */
type Known = Readonly<Record<string, string>>;

/** What a card says itself, and nobody confirms: a place of its own, for no handle has a colon. */
const CARD = "card:";

/** Who a card says it is of, and the fingerprint of its keys. */
export interface NamedByCard {
  readonly handle: string;
  readonly fingerprint: string;
}

function ownOf(known: Known, name: string): string | undefined {
  return Object.hasOwn(known, name) ? known[name] : undefined;
}

/** What was compared for the handle that a card says; undefined where nothing was. */
export function knownOfCard(known: Known, handle: string): string | undefined {
  return ownOf(known, handle) ?? ownOf(known, `${CARD}${handle}`);
}

/** Handles by fingerprint, of directory and cards, to be shown. */
export function handlesByFingerprint(known: Known): Map<string, string> {
  return new Map(
    Object.entries(known).map(([name, hex]) => [hex, name.startsWith(CARD) ? name.slice(CARD.length) : name]),
  );
}

/**
 * What is known after fingerprints of cards were compared. A card says itself whose it is, so it puts no other key in the
 * place of one that is known, and stands for the handle only where the KDC's directory has that very key under it;
 * otherwise it is remembered as a card alone, which later sharing by handle does not look at.
 */
export async function knowCards(
  known: Known,
  cards: readonly NamedByCard[],
  lookUp: (handle: string) => Promise<Pick<KnownAccount, "handle" | "identity">>,
): Promise<Record<string, string>> {
  const result: Record<string, string> = { ...known };
  for (const { handle, fingerprint: compared } of cards) {
    if (knownOfCard(result, handle) === undefined) {
      const listed = await listedFingerprint(handle, lookUp);
      result[listed === compared ? handle : `${CARD}${handle}`] = compared;
    }
  }
  return result;
}

async function listedFingerprint(
  handle: string,
  lookUp: Parameters<typeof knowCards>[2],
): Promise<string | null> {
  try {
    const { identity } = await lookUp(handle);
    return fingerprint(identityKeys(await verifyIdentity(identity)));
  } catch (error) {
    // Patients are in no directory; and what was done does not fail because the KDC is away.
    if (isMedcloudletError(error)) {
      return null;
    }
    throw error;
  }
}
