import {
  type Bytes,
  type Clock,
  isMedcloudletError,
  MedcloudletError,
  randomBytes,
  toBase64Url,
  toHex,
} from "../../base/index.ts";
import type { Member } from "../../community/index.ts";
import type { Spool, Uplink } from "../../ingest/index.ts";
import { batchDigest, type SigningKey, signStatement, verifyStatement } from "../../sealing/index.ts";
import type { Call } from "./calls.ts";
import type { CloudKey } from "./cloud-key.ts";
import { RELAYED_BATCH_MOST } from "./cloud-routes.ts";
import type { Presences } from "./presences.ts";
import { ACKNOWLEDGEMENT, type Acknowledgement, FORWARD_PERMIT } from "./statements.ts";

/** So many helpers carry each batch at a time: one may lie, or walk away. */
const REDUNDANCY = 2;
/** A helper has so long to bring a batch, ms; then others are asked, and it may be asked again. */
export const PERMIT_MS = 30_000;
/** A batch that waits longer than this goes through helpers as well though the line seems to stand, ms. */
export const SLOW_MS = 5_000;
const ERRANDS_MOST = 4;
/** Beyond so many batches, or liars, all are forgotten: that costs a copy more, which the cloud recognises. */
const REMEMBERED_MOST = 10_000;
/** A helper whose word was false carries nothing for so long, ms. */
const DISTRUST_MS = 5 * 60_000;

/** What a helper is asked to carry: all that it sees of a patient. */
export interface Errand {
  readonly callId: string;
  /** The sealed batch, base64url. */
  readonly batch: string;
  readonly deviceTicket: string;
  readonly forwardTicket: string;
  readonly permit: string;
}

/** Counts since the cloudlet started. */
export interface RelayCounts {
  readonly permits: number;
  readonly acknowledged: number;
  readonly refused: number;
}

/** Sends what the cloudlet cannot send itself through helpers. Nothing rests on them: the uplink goes on trying. */
export interface HelperRelay {
  /** What a helper is to carry for these calls, with permits made for it. */
  errands(member: Member, calls: readonly Call[]): Promise<Errand[]>;
  /**
   * Takes what a helper says is the cloud's word. Only then the batch needs no more sending.
   * @throws MedcloudletError `ACKNOWLEDGEMENT_INVALID` (403), `ACKNOWLEDGEMENT_UNVERIFIED` (503) while the cloud's key
   *   is not known here
   */
  acknowledged(member: Member, statement: string): Promise<{ readonly status: "taken" | "known" }>;
  counts(): RelayCounts;
}

/** Which helper has which batch until when. In memory: a restart costs one more copy, which the cloud recognises. */
type Carriers = Map<string, number>;

export function createHelperRelay(options: {
  readonly spool: Spool;
  readonly uplink: Pick<Uplink, "connected" | "ticket">;
  readonly cloudKey: CloudKey;
  readonly presences: Presences;
  readonly clock: Clock;
  readonly cloudletId: string;
  readonly key: SigningKey;
}): HelperRelay {
  const { spool, uplink, cloudKey, presences, clock, cloudletId, key } = options;
  const carried = new Map<string, Carriers>();
  /** Helpers whose word turned out to be false, until when they carry nothing. */
  const liars = new Map<string, number>();
  const counts = { permits: 0, acknowledged: 0, refused: 0 };
  const cloudletKey = toBase64Url(key.publicKey);

  const permitFor = (helper: string, batch: Bytes, receivedAt: number): Promise<string> => {
    const at = clock.now();
    return signStatement(
      FORWARD_PERMIT,
      {
        permitId: toHex(randomBytes(16)),
        cloudlet: cloudletId,
        cloudletKey,
        helper,
        batch: batchDigest(batch),
        receivedAt,
        at,
        until: at + PERMIT_MS,
      },
      key,
    );
  };

  /** Whether this helper should carry the batch now. Marks it as a carrier where it should, before anything waits. */
  const takesOn = (id: string, helper: string, present: readonly string[]): boolean => {
    const now = clock.now();
    const carriers = carried.get(id) ?? new Map<string, number>();
    if ([...carriers.values()].filter((until) => until > now).length >= REDUNDANCY) {
      return false;
    }
    const before = carriers.get(helper);
    const untried = present.some((other) => !carriers.has(other));
    if (before !== undefined && (before > now || untried)) {
      return false;
    }
    if (carried.size >= REMEMBERED_MOST) {
      carried.clear();
    }
    carriers.set(helper, now + PERMIT_MS);
    carried.set(id, carriers);
    return true;
  };

  const forgetGone = (waiting: ReadonlySet<string>, deviceId: string): void => {
    for (const id of carried.keys()) {
      if (id.startsWith(`${deviceId}:`) && !waiting.has(id)) {
        carried.delete(id);
      }
    }
  };

  return {
    async errands({ enrolment: { signingKey } }, calls) {
      const now = clock.now();
      if ((liars.get(signingKey) ?? 0) > now) {
        return [];
      }
      const errands: Errand[] = [];
      for (const { _id: callId, deviceId, community, helpers } of calls) {
        const waiting = await spool.emergenciesOf(deviceId);
        forgetGone(new Set(waiting.map(({ id }) => id)), deviceId);
        const due = waiting.filter(
          ({ receivedAt, bytes }) =>
            (!uplink.connected() || now - receivedAt > SLOW_MS) && bytes.length <= RELAYED_BATCH_MOST,
        );
        if (due.length === 0) {
          continue;
        }
        const present = (await presences.present(community, helpers))
          .map((presence) => presence.signingKey)
          .filter((other) => (liars.get(other) ?? 0) <= now);
        const forwardTicket = await uplink.ticket().catch((error) => {
          // Without the KDC there are no permits, and standing by goes on.
          if (!isMedcloudletError(error)) {
            throw error;
          }
          return null;
        });
        if (forwardTicket === null) {
          continue;
        }
        for (const { id, bytes, ticket, receivedAt } of due) {
          if (errands.length >= ERRANDS_MOST || !takesOn(id, signingKey, present)) {
            continue;
          }
          const permit = await permitFor(signingKey, bytes, receivedAt);
          counts.permits++;
          errands.push({ callId, batch: toBase64Url(bytes), deviceTicket: ticket, forwardTicket, permit });
        }
      }
      return errands;
    },
    async acknowledged({ enrolment: { signingKey } }, statement) {
      const cloud = cloudKey.current();
      if (cloud === null) {
        throw new MedcloudletError(
          "ACKNOWLEDGEMENT_UNVERIFIED",
          "The cloud's key is not known here yet: this cloudlet goes on trying by itself.",
          { status: 503, details: { retryAfterSeconds: 30 } },
        );
      }
      const said: Acknowledgement = await verifyStatement(ACKNOWLEDGEMENT, statement, cloud).catch(
        (cause) => {
          // Whoever lies carries nothing more for a while, and what it had goes to another at once.
          if (liars.size >= REMEMBERED_MOST) {
            liars.clear();
          }
          liars.set(signingKey, clock.now() + DISTRUST_MS);
          for (const carriers of carried.values()) {
            if (carriers.has(signingKey)) {
              carriers.set(signingKey, 0);
            }
          }
          counts.refused++;
          throw new MedcloudletError(
            "ACKNOWLEDGEMENT_INVALID",
            "This is not the cloud's word: bring what the cloud answered, as it stands.",
            { status: 403, cause },
          );
        },
      );
      const { deviceId, sequence, digest } = said;
      const taken = await spool.markAcknowledged({ deviceId, sequence, digest });
      if (taken) {
        counts.acknowledged++;
        carried.delete(`${deviceId}:${sequence}`);
      }
      return { status: taken ? "taken" : "known" };
    },
    counts: () => ({ ...counts }),
  };
}
