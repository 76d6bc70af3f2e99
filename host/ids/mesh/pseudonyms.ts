import { createHmac, hkdfSync } from "node:crypto";
import { type Bytes, utf8 } from "../../base/index.ts";
import type { SubjectKind } from "../engine/contract.ts";
import { PSEUDONYM_EPOCH_MS, pseudonymEpoch } from "../engine/settings.ts";

/** How long after midnight the pseudonyms of the day before still count: as long as an alert lives. */
export const GRACE_MS = 3_600_000;
/** How far a peer's clock may be ahead. */
export const SKEW_MS = 120_000;
/** 128 bits, 22 characters of base64url. */
const PSEUDONYM_BYTES = 16;
const MOST_KEPT = 8192;

/** How everybody in one mesh calls somebody. */
export interface MeshPseudonyms {
  now(kind: SubjectKind, value: string, at: number): string;
  /** Of the epoch before, while alerts that name it are taken. */
  before(kind: SubjectKind, value: string, at: number): string | undefined;
}

/** True where an alert about this epoch may come at that time: the current one, and its neighbours around midnight. */
export function isCurrentEpoch(epoch: number, at: number): boolean {
  const current = pseudonymEpoch(at);
  const sinceChange = at - current * PSEUDONYM_EPOCH_MS;
  return (
    epoch === current ||
    (epoch === current - 1 && sinceChange < GRACE_MS) ||
    (epoch === current + 1 && PSEUDONYM_EPOCH_MS - sinceChange <= SKEW_MS)
  );
}

/**
 * HMAC-SHA-256 under a key of the day, which is HKDF-SHA-256 (RFC 5869) of the mesh's secret. Whoever has the secret can
 * name everybody whose value can be guessed, all IPv4 addresses among them (docs/THREAT-MODEL.md).
 * @param secret 32 bytes that all members hold
 */
export function createMeshPseudonyms(secret: Bytes): MeshPseudonyms {
  const keys = new Map<number, Uint8Array>();
  let kept = new Map<string, string>();

  const keyOf = (epoch: number): Uint8Array => {
    let key = keys.get(epoch);
    if (key === undefined) {
      const info = utf8(`medcloudlet mesh pseudonyms v1 epoch ${epoch}`);
      key = new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(0), info, 32));
      keys.set(epoch, key);
      for (const old of [...keys.keys()].filter((one) => Math.abs(one - epoch) > 1)) {
        keys.delete(old);
      }
    }
    return key;
  };

  const pseudonym = (kind: SubjectKind, value: string, epoch: number): string => {
    const name = `${epoch} ${kind} ${value}`;
    let found = kept.get(name);
    if (found === undefined) {
      found = createHmac("sha256", keyOf(epoch))
        .update(`${kind}\0${value}`)
        .digest()
        .subarray(0, PSEUDONYM_BYTES)
        .toString("base64url");
      if (kept.size >= MOST_KEPT) {
        kept = new Map();
      }
      kept.set(name, found);
    }
    return found;
  };

  return {
    now: (kind, value, at) => pseudonym(kind, value, pseudonymEpoch(at)),
    before: (kind, value, at) =>
      isCurrentEpoch(pseudonymEpoch(at) - 1, at) ? pseudonym(kind, value, pseudonymEpoch(at) - 1) : undefined,
  };
}
