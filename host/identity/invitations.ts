import { type Clock, MedcloudletError, randomBytes, toHex } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { Role } from "./accounts.ts";
import { newSecret, secretHash } from "./secrets.ts";

interface Invitation {
  readonly _id: string;
  /** What its maker calls it by: neither the code nor its hash. Absent in those of earlier versions. */
  readonly invitationId?: string;
  readonly role: Role;
  /** The inviting operator, or null for the first one. */
  readonly invitedBy: string | null;
  readonly expiresAt: number;
  readonly usedAt: number | null;
  /** The account that came of it. */
  readonly usedBy?: string;
}

/** An invitation as its maker sees it; times in ms since 1970 UTC. */
export interface OwnInvitation {
  readonly invitationId: string;
  readonly role: Role;
  readonly expiresAt: number;
  readonly usedAt: number | null;
  readonly usedBy: string | null;
}

const LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;
const LIST_MOST = 200;

/** Nobody gets an account without an invitation, and each invitation makes one account of one role. */
export interface Invitations {
  create(
    role: Role,
    invitedBy: string | null,
  ): Promise<{ invitationId: string; code: string; expiresAt: number }>;
  /** Uses a code up and says for which role and by whom. @throws MedcloudletError `INVITATION_INVALID` */
  redeem(code: string): Promise<{ role: Role; invitedBy: string | null }>;
  /** Notes which account came of a code that was used up. */
  usedBy(code: string, accountId: string): Promise<void>;
  /** Ends the unused invitations that nobody here made: those for the first operator. */
  withdrawFirst(): Promise<void>;
  /** Makes a code usable again when the account could not be made. */
  restore(code: string): Promise<void>;
  /** What an account made: those that wait, and those that were used; the newest two hundred, newest first. */
  of(accountId: string): Promise<OwnInvitation[]>;
  /**
   * Ends an unused invitation: from when this fulfils its code makes no account.
   * @throws MedcloudletError `INVITATION_UNKNOWN` for one that the account did not make, `INVITATION_USED`
   */
  withdraw(invitationId: string, accountId: string): Promise<void>;
}

export async function createInvitations(store: Store, clock: Clock): Promise<Invitations> {
  const invitations = await store.collection<Invitation>({
    name: "invitations",
    indexes: [{ fields: { invitedBy: 1, expiresAt: 1 } }, { fields: { invitationId: 1 } }],
  });
  return {
    async create(role, invitedBy) {
      const code = newSecret();
      const invitationId = toHex(randomBytes(16));
      const expiresAt = clock.now() + LIFETIME_MS;
      await invitations.insertOne({
        _id: secretHash(code),
        invitationId,
        role,
        invitedBy,
        expiresAt,
        usedAt: null,
      });
      return { invitationId, code, expiresAt };
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
          "This invitation is unknown, used, withdrawn or expired: ask an operator for another.",
          { status: 403 },
        );
      }
      return { role: invitation.role, invitedBy: invitation.invitedBy };
    },
    async usedBy(code, accountId) {
      await invitations.updateOne({ _id: { $eq: secretHash(code) } }, { $set: { usedBy: accountId } });
    },
    async withdrawFirst() {
      await invitations.deleteMany({ invitedBy: { $eq: null }, usedAt: { $eq: null } });
    },
    async restore(code) {
      await invitations.updateOne({ _id: { $eq: secretHash(code) } }, { $set: { usedAt: null } });
    },
    async of(accountId) {
      // What ran out unused is over, and nobody has to do anything about it.
      const made = await invitations.find(
        {
          invitedBy: { $eq: accountId },
          $or: [{ usedAt: { $ne: null } }, { expiresAt: { $gt: clock.now() } }],
        },
        { sort: { expiresAt: -1, _id: 1 }, limit: LIST_MOST },
      );
      return made.flatMap(({ invitationId, role, expiresAt, usedAt, usedBy = null }) =>
        invitationId === undefined ? [] : { invitationId, role, expiresAt, usedAt, usedBy },
      );
    },
    async withdraw(invitationId, accountId) {
      const own = { invitationId: { $eq: invitationId }, invitedBy: { $eq: accountId } };
      if ((await invitations.deleteOne({ ...own, usedAt: { $eq: null } })) === 1) {
        return;
      }
      if ((await invitations.findOne(own)) === null) {
        throw new MedcloudletError(
          "INVITATION_UNKNOWN",
          "You made no invitation with this id: look it up in the list of your invitations.",
          { status: 404 },
        );
      }
      throw new MedcloudletError(
        "INVITATION_USED",
        "This invitation was used already: a security officer can close the account that came of it.",
        { status: 409 },
      );
    },
  };
}
