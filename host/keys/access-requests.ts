import { sha256 } from "@noble/hashes/sha2.js";
import { type Clock, MedcloudletError, toHex, utf8 } from "../base/index.ts";
import type { Account, Accounts, Notices } from "../identity/index.ts";
import type { Consent, Region } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";

/** What somebody asks for. */
export interface Asked {
  readonly regions: readonly Region[];
  readonly purpose: Consent["purpose"];
  /** For how many days. */
  readonly days: number;
  /** In the asker's words, one line. */
  readonly reason: string;
}

/**
 * Somebody asks for access by a handle that they were told. There is one such document for each asker and handle, and
 * just so where nobody has the handle: whoever asks must not learn who is a patient here.
 */
export interface AccessRequest extends Asked {
  /** From asker and handle. */
  readonly _id: string;
  readonly asker: string;
  readonly handle: string;
  /** Account id; null where the handle is no patient's, which the asker is never told. */
  readonly patient: string | null;
  /** ms since 1970 UTC, as are all times here. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The asker took it back. */
  readonly withdrawn: boolean;
  /** Until when the patient is not asked again by this asker; 0 where they did not decline. */
  readonly declinedUntil: number;
  /** When nothing in it matters any more. */
  readonly forgetAt: number;
}

export interface AccessRequests {
  /**
   * Asks. Asking again while a request is open changes nothing; to ask for something else it is withdrawn first.
   * @throws MedcloudletError `ACCESS_REQUESTS_TODAY` (429), whatever handles were asked
   */
  ask(asker: Account, handle: string, asked: Asked): Promise<AccessRequest>;
  /** Open requests to a patient, the newest first, at most a hundred. */
  received(patient: string): Promise<AccessRequest[]>;
  /** What an asker has asked and not withdrawn. A declined request looks like one that nobody has answered yet. */
  made(asker: string): Promise<AccessRequest[]>;
  /** A request that the account made or received, or null. */
  of(account: string, requestId: string): Promise<AccessRequest | null>;
  /** Ends a request: the patient declines, or the asker withdraws. */
  end(request: AccessRequest, by: string): Promise<void>;
  /** A consent was given: requests of its reader that it fulfils are gone. */
  fulfilled(consent: Pick<Consent, "owner" | "reader" | "regions">): Promise<void>;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const LIFETIME_MS = 7 * DAY_MS;
/** Different handles that one account asks in a day. */
const MOST_A_DAY = 20;
const MOST_SHOWN = 100;
/** In the place of a patient in notices for handles that nobody has. */
const NOBODY = "0".repeat(32);

function requestIdOf(asker: string, handle: string): string {
  return toHex(sha256(utf8(`medcloudlet access request v1\n${asker}\n${handle}`))).slice(0, 32);
}

export async function createAccessRequests(rooms: {
  readonly store: Store;
  readonly clock: Clock;
  readonly accounts: Pick<Accounts, "byHandle">;
  readonly notices: Pick<Notices, "send">;
}): Promise<AccessRequests> {
  const { store, clock, accounts, notices } = rooms;
  const requests = await store.collection<AccessRequest>({
    name: "access_requests",
    indexes: [
      { fields: { asker: 1, createdAt: 1 } },
      { fields: { patient: 1, createdAt: 1 } },
      { fields: { forgetAt: 1 } },
    ],
  });

  const isOpen = ({ withdrawn, expiresAt }: AccessRequest): boolean => !withdrawn && expiresAt > clock.now();

  /** What a patient is shown of: neither withdrawn nor declined. */
  const isWaiting = (request: AccessRequest): boolean =>
    isOpen(request) && request.declinedUntil <= clock.now();

  const requireRoom = async (asker: string): Promise<void> => {
    const today = { asker: { $eq: asker }, createdAt: { $gt: clock.now() - DAY_MS } };
    if ((await requests.countDocuments(today)) >= MOST_A_DAY) {
      throw new MedcloudletError(
        "ACCESS_REQUESTS_TODAY",
        `At most ${MOST_A_DAY} people are asked in a day: go on tomorrow.`,
        { status: 429, details: { limit: MOST_A_DAY, retryAfterSeconds: 3600 } },
      );
    }
  };

  return {
    async ask({ _id: asker, handle: askerHandle }, handle, asked) {
      const now = clock.now();
      await requests.deleteMany({ forgetAt: { $lte: now } });
      const _id = requestIdOf(asker, handle);
      const earlier = await requests.findOne({ _id: { $eq: _id } });
      if (earlier !== null && isOpen(earlier)) {
        return earlier;
      }
      await requireRoom(asker);
      const named = await accounts.byHandle(handle);
      const patient = named?.role === "patient" && named.suspendedAt === null ? named._id : null;
      const declinedUntil = earlier?.declinedUntil ?? 0;
      const expiresAt = now + LIFETIME_MS;
      const { regions, purpose, days, reason } = asked;
      const request: AccessRequest = {
        ...{ _id, asker, handle, patient, regions: [...regions], purpose, days, reason },
        ...{ createdAt: now, expiresAt, withdrawn: false, declinedUntil },
        forgetAt: Math.max(expiresAt, declinedUntil),
      };
      const { _id: id, ...fields } = request;
      await requests.updateOne({ _id: { $eq: id } }, { $set: fields }, { upsert: true });
      // A notice to nobody costs what one to somebody costs; of its kind there are never more than a few hundred.
      await notices.send({
        to: patient !== null && isWaiting(request) ? patient : NOBODY,
        kind: "access.requested",
        object: _id,
        who: askerHandle,
        reason,
        until: expiresAt,
        // Once a day, however often somebody asks and withdraws: other notices must not be pushed out of sight.
        occurrence: Math.floor(now / DAY_MS),
      });
      return request;
    },
    async received(patient) {
      const found = await requests.find(
        { patient: { $eq: patient }, expiresAt: { $gt: clock.now() } },
        { sort: { createdAt: -1, _id: 1 } },
      );
      return found.filter(isWaiting).slice(0, MOST_SHOWN);
    },
    async made(asker) {
      const found = await requests.find(
        { asker: { $eq: asker }, expiresAt: { $gt: clock.now() } },
        { sort: { createdAt: -1, _id: 1 } },
      );
      return found.filter(isOpen);
    },
    async of(account, requestId) {
      const request = await requests.findOne({ _id: { $eq: requestId } });
      if (request === null) {
        return null;
      }
      const mine = request.asker === account && isOpen(request);
      const toMe = request.patient === account && isWaiting(request);
      return mine || toMe ? request : null;
    },
    async end({ _id, asker, expiresAt }, by) {
      const now = clock.now();
      await requests.updateOne(
        { _id: { $eq: _id } },
        by === asker
          ? { $set: { withdrawn: true } }
          : {
              $set: {
                declinedUntil: now + LIFETIME_MS,
                forgetAt: Math.max(expiresAt, now + LIFETIME_MS),
              },
            },
      );
    },
    async fulfilled({ owner, reader, regions }) {
      const found = await requests.find({ asker: { $eq: reader }, patient: { $eq: owner } });
      for (const request of found) {
        if (request.regions.every((region) => regions.includes(region))) {
          await requests.deleteOne({ _id: { $eq: request._id } });
        }
      }
    },
  };
}
