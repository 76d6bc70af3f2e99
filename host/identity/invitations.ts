import { type Clock, MedcloudletError } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { Role } from "./accounts.ts";
import { newSecret, secretHash } from "./secrets.ts";

interface Invitation {
  readonly _id: string;
  readonly role: Role;
  /** The inviting operator, or null for the first one. */
  readonly invitedBy: string | null;
  readonly expiresAt: number;
  readonly usedAt: number | null;
}

const LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;

/** Nobody gets an account without an invitation, and each invitation makes one account of one role. */
export interface Invitations {
  create(role: Role, invitedBy: string | null): Promise<{ code: string; expiresAt: number }>;
  /** Uses a code up and says for which role and by whom. @throws MedcloudletError `INVITATION_INVALID` */
  redeem(code: string): Promise<{ role: Role; invitedBy: string | null }>;
  /** Ends the unused invitations that nobody here made: those for the first operator. */
  withdrawFirst(): Promise<void>;
  /** Makes a code usable again when the account could not be made. */
  restore(code: string): Promise<void>;
}

export async function createInvitations(store: Store, clock: Clock): Promise<Invitations> {
  const invitations = await store.collection<Invitation>({ name: "invitations", indexes: [] });
  return {
    async create(role, invitedBy) {
      const code = newSecret();
      const expiresAt = clock.now() + LIFETIME_MS;
      await invitations.insertOne({ _id: secretHash(code), role, invitedBy, expiresAt, usedAt: null });
      return { code, expiresAt };
    },
    async redeem(code) {
      const now = clock.now();
      const invitation = await invitations.findOneAndUpdate(
        { _id: { $eq: secretHash(code) }, usedAt: { $eq: null }, expiresAt: { $gt: now } },
        { $set: { usedAt: now } },
        { returnDocument: "after" },
      );
      if (invitation === null) {
        throw new MedcloudletError(
          "INVITATION_INVALID",
          "This invitation is unknown, used or expired: ask an operator for another.",
          { status: 403 },
        );
      }
      return { role: invitation.role, invitedBy: invitation.invitedBy };
    },
    async withdrawFirst() {
      await invitations.deleteMany({ invitedBy: { $eq: null }, usedAt: { $eq: null } });
    },
    async restore(code) {
      await invitations.updateOne({ _id: { $eq: secretHash(code) } }, { $set: { usedAt: null } });
    },
  };
}
