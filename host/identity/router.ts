import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import {
  type Account,
  type Accounts,
  handleSchema,
  passwordSchema,
  presentAccount,
  ROLES,
  type Role,
  secondFactorState,
} from "./accounts.ts";
import type { Devices } from "./devices.ts";
import { addInvitationRoutes } from "./invitation-routes.ts";
import type { Invitations } from "./invitations.ts";
import type { Routes } from "./routes.ts";
import type { TicketKeyRing } from "./ticket-key-ring.ts";
import type { TicketIssuer } from "./tickets.ts";

const MACHINE_ROLE = "cloudlet";
const OFFICER = "security-officer";
/** Whom patients find to share with. */
const LISTED: readonly string[] = ["doctor", "researcher"];
const statementSchema = z.string().max(16_384);

const NEW_ACCOUNT = z.strictObject({
  invitation: z.string().max(128),
  handle: handleSchema,
  password: passwordSchema.optional(),
  identity: statementSchema,
});
const INVITATION = z.strictObject({ role: z.enum(ROLES) });
const STATEMENT = z.strictObject({ statement: statementSchema });
const ROTATION = z.strictObject({ revoke: z.boolean() });
const BY_HANDLE = z.strictObject({ handle: handleSchema });

/** Accounts, invitations, directory, devices and the ticket keys, under `/v1` of the KDC. */
export function addIdentityRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly invitations: Invitations;
    readonly devices: Devices;
    readonly issuer: TicketIssuer;
    readonly ring: TicketKeyRing;
    /** Told of every new account. */
    readonly onRegistered: (account: Account) => Promise<void>;
  },
): void {
  const { accounts, invitations, devices, issuer, ring, onRegistered } = rooms;

  /**
   * What takes an operator and a security officer must take two people: operators make the first officer and no other,
   * officers nobody but officers. Whose account is closed invites nobody: they could come back by an invitation that
   * they left behind.
   */
  const requireInviter = async (role: Role, inviter: Account | null): Promise<void> => {
    const byOfficer = inviter?.role === OFFICER;
    const allowed = role === OFFICER ? byOfficer || !(await accounts.hasRole(OFFICER)) : !byOfficer;
    const closed = inviter !== null && inviter.suspendedAt !== null;
    if (!allowed || closed) {
      throw new MedcloudletError(
        "INVITER_FORBIDDEN",
        "Security officers are invited by security officers, everybody else by operators whose accounts are open.",
        { status: 403 },
      );
    }
  };

  routes.open({
    method: "post",
    path: "/accounts",
    action: "account.register",
    body: NEW_ACCOUNT,
    async handle({ body, actingAs, concerning }) {
      const { role, invitedBy } = await invitations.redeem(body.invitation);
      let account: Account;
      try {
        // Again, for an operator could have kept an invitation from before there was an officer.
        await requireInviter(role, invitedBy === null ? null : await accounts.byId(invitedBy));
        if ((role === MACHINE_ROLE) !== (body.password === undefined)) {
          throw new MedcloudletError("ACCOUNT_PASSWORD", "People have a password, machines have none.", {
            status: 400,
          });
        }
        const { handle, identity, password = null } = body;
        account = await accounts.create({ handle, role, password, identity });
      } catch (error) {
        await invitations.restore(body.invitation);
        throw error;
      }
      await invitations.usedBy(body.invitation, account._id);
      actingAs({ id: account._id, role });
      concerning({ owner: account._id, details: { fingerprint: account.fingerprint } });
      await onRegistered(account);
      return { status: 201, json: presentAccount(account) };
    },
  });

  routes.session({
    method: "get",
    path: "/accounts/me",
    action: "account.show",
    handle: ({ account }) => ({
      status: 200,
      json: { ...presentAccount(account), secondFactor: secondFactorState(account) },
    }),
  });

  routes.session({
    method: "post",
    path: "/invitations",
    action: "invitation.make",
    body: INVITATION,
    async handle({ account, body: { role }, concerning }) {
      concerning({ details: { role } });
      await requireInviter(role, account);
      const made = await invitations.create(role, account._id);
      concerning({ object: made.invitationId });
      return { status: 201, json: { role, ...made } };
    },
  });
  addInvitationRoutes(routes, { accounts, invitations });

  // Doctors and researchers can be looked up by anybody who has an account; patients and machines by nobody.
  routes.session({
    method: "get",
    path: "/directory/:handle",
    action: "directory.look-up",
    params: BY_HANDLE,
    async handle({ params: { handle } }) {
      const account = await accounts.byHandle(handle);
      if (account === null || account.suspendedAt !== null || !LISTED.includes(account.role)) {
        throw new MedcloudletError(
          "ACCOUNT_UNKNOWN",
          `Nobody to share with here has the handle "${handle}".`,
          { status: 404 },
        );
      }
      return { status: 200, json: presentAccount(account) };
    },
  });

  routes.session({
    method: "post",
    path: "/devices",
    action: "device.enrol",
    body: STATEMENT,
    async handle({ account, body, concerning }) {
      concerning({ owner: account._id });
      const { signingKey } = await accounts.keysOf(account);
      const { deviceId, until, region } = await devices.enrol(account._id, signingKey, body.statement);
      concerning({ object: deviceId, details: { region, until } });
      return { status: 201, json: { deviceId, until } };
    },
  });

  routes.session({
    method: "get",
    path: "/devices",
    action: "device.list",
    async handle({ account }) {
      const owned = await devices.ofOwner(account._id);
      return {
        status: 200,
        json: {
          devices: owned.map(({ statement }) => statement),
          revocations: owned.flatMap(({ revocation }) => revocation ?? []),
        },
      };
    },
  });

  routes.open({
    method: "get",
    path: "/ticket-keys",
    action: "ticket-keys.list",
    handle: () => ({ status: 200, json: issuer.keys() }),
  });

  routes.session({
    method: "get",
    path: "/ticket-keys/ages",
    action: "ticket-keys.ages",
    handle: () => ({ status: 200, json: ring.ages() }),
  });

  routes.session({
    method: "post",
    path: "/ticket-keys/rotations",
    action: "ticket-keys.rotate",
    body: ROTATION,
    async handle({ body: { revoke }, concerning }) {
      const rotated = await ring.rotate({ revoke });
      concerning({ details: { earlierKeys: revoke ? "revoked" : "kept", key: rotated.kid } });
      return { status: 201, json: rotated };
    },
  });
}
