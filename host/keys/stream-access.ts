import type { Request } from "express";
import { MedcloudletError } from "../base/index.ts";
import {
  type Account,
  type Accounts,
  type ProofVerifier,
  proveKey,
  type Relation,
} from "../identity/index.ts";
import { keyThumbprint } from "../sealing/index.ts";
import type { Consents } from "./consents.ts";
import type { Emergencies } from "./emergencies.ts";
import type { Epochs } from "./epochs.ts";
import type { OpenAccounts } from "./open-accounts.ts";

/** Whose a stream is. */
export type KnownStream = NonNullable<Awaited<ReturnType<Epochs["stream"]>>>;

/** An unknown stream and one without consent get the same answer, so that ids cannot be probed. */
export const consentMissing = () =>
  new MedcloudletError(
    "CONSENT_MISSING",
    "There is no consent of the patient for this: ask the patient to share this region with you.",
    { status: 403 },
  );

/** Who may read a stream, for every route that asks. */
export interface StreamAccess {
  /** How the account stands to the stream, and whose the stream is. */
  relationTo(account: Account, streamId: string): Promise<{ relation: Relation; stream: KnownStream | null }>;
  /** Until when (ms since 1970 UTC) somebody else than the owner may read it; null when not now. */
  allowedUntil(account: Account, stream: KnownStream): Promise<number | null>;
}

export function createStreamAccess(rooms: {
  readonly epochs: Epochs;
  readonly consents: Consents;
  readonly emergencies: Emergencies;
  readonly open: OpenAccounts;
}): StreamAccess {
  const { epochs, consents, emergencies, open } = rooms;

  /** What the owner granted, as long as their account is open. An emergency goes on: it is for the patient's life. */
  const granted = async (reader: string, { owner, region }: KnownStream): Promise<number | null> =>
    (await open.isOpen(owner)) ? consents.allowedUntil(owner, reader, region) : null;

  return {
    async relationTo(account, streamId) {
      const stream = await epochs.stream(streamId);
      if (stream === null) {
        return { relation: "other", stream };
      }
      const { owner, region } = stream;
      if (owner === account._id) {
        return { relation: "own", stream };
      }
      if ((await granted(account._id, stream)) !== null) {
        return { relation: "granted", stream };
      }
      const emergency = await emergencies.allowedUntil(owner, account._id, region);
      return { relation: emergency === null ? "other" : "emergency", stream };
    },
    allowedUntil: async (account, stream) =>
      (await granted(account._id, stream)) ??
      (await emergencies.allowedUntil(stream.owner, account._id, stream.region)),
  };
}

/**
 * What routes have in common that give a stream's owner a ticket for it.
 * @param does what the owner alone does, for the refusal: "deletes a stream"
 */
export function ownersAlone(epochs: Epochs, does: string) {
  return {
    relation: async (call: {
      readonly account: Account;
      readonly body: { readonly streamId: string };
      concerning(subject: { owner: string; object: string; details: { region: string } }): void;
    }): Promise<Relation> => {
      const { account, body, concerning } = call;
      const stream = await epochs.stream(body.streamId);
      if (stream?.owner !== account._id) {
        return "other";
      }
      concerning({ owner: account._id, object: body.streamId, details: { region: stream.region } });
      return "own";
    },
    // An unknown stream and somebody else's look alike, so that ids cannot be probed.
    refusal: () =>
      new MedcloudletError("STREAM_NOT_OWN", `Only its owner ${does}; this is not yours.`, { status: 403 }),
  };
}

/**
 * Wants a proof of the account's own key beside the session, so that a stolen session gets no ticket.
 * @throws MedcloudletError `PROOF_INVALID`, `PROOF_REPLAYED`, `PROOF_KEY_MISMATCH`
 */
export async function requireAccountKey(
  rooms: { readonly accounts: Accounts; readonly proofs: ProofVerifier; readonly publicUrl: () => string },
  account: Account,
  request: Request,
): Promise<void> {
  const proven = await proveKey(rooms.proofs, rooms.publicUrl, request);
  const { signingKey } = await rooms.accounts.keysOf(account);
  if (proven.thumbprint !== (await keyThumbprint(signingKey))) {
    throw new MedcloudletError(
      "PROOF_KEY_MISMATCH",
      "The request is signed with another key than the account's: use the keys of this account.",
      { status: 403 },
    );
  }
}
