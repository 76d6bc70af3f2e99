import { z } from "zod";
import { idSchema } from "../sealing/index.ts";
import type { KdcSession } from "./kdc-client.ts";

const SESSIONS = z.object({
  sessions: z.array(
    z.object({
      sessionId: idSchema,
      createdAt: z.number(),
      lastUsedAt: z.number(),
      expiresAt: z.number(),
      agent: z.string(),
      current: z.boolean(),
    }),
  ),
});
const EVENTS = z.object({
  events: z.array(z.object({ kind: z.string(), firstAt: z.number(), lastAt: z.number(), count: z.number() })),
});
const PROPOSAL = z.object({ secret: z.string(), uri: z.string() });
const CONFIRMED = z.object({ backupCodes: z.array(z.string()) });
const RESET = z.object({
  resetId: idSchema,
  handle: z.string(),
  requestedBy: z.string(),
  requestedAt: z.number(),
  expiresAt: z.number(),
});
const RESETS = z.object({ resets: z.array(RESET) });

const TICKET_KEY_AGES = z.object({
  nextAt: z.number(),
  keys: z.array(z.object({ kid: z.string(), activeFrom: z.number(), retiredAt: z.number().nullable() })),
});

const OWN_INVITATION = z.object({
  invitationId: idSchema,
  role: z.string(),
  expiresAt: z.number(),
  usedAt: z.number().nullable(),
  usedBy: z.string().nullable(),
});
const INVITATIONS = z.object({ invitations: z.array(OWN_INVITATION) });

export type OwnInvitation = z.infer<typeof OWN_INVITATION>;
export type OwnSession = z.infer<typeof SESSIONS>["sessions"][number];
export type AccountEvent = z.infer<typeof EVENTS>["events"][number];
/** Ages of the keys that sign tickets, and when the next one is due; times in ms. */
export type TicketKeyAges = z.infer<typeof TICKET_KEY_AGES>;
export type FactorReset = z.infer<typeof RESET>;

/** Password, and a code where the account has a second factor: asked for once more before what matters. */
export interface Reauthentication {
  readonly password: string;
  readonly code?: string;
}

/** What somebody does with their own account. */
export interface AccountClient {
  sessions(): Promise<OwnSession[]>;
  /** @throws MedcloudletError `SESSION_UNKNOWN` */
  endSession(sessionId: string): Promise<void>;
  endOtherSessions(): Promise<void>;
  /** Ends all other sessions. @throws MedcloudletError `PASSWORD_WRONG`, `PASSWORD_WEAK`, `SECOND_FACTOR_*` */
  changePassword(given: Reauthentication & { readonly newPassword: string }): Promise<void>;
  /** What happened to the account's credentials, whoever did it. */
  events(): Promise<AccountEvent[]>;
  /** A new TOTP secret (base32) and the same as a URI for authenticator apps; shown this one time. */
  proposeSecondFactor(given: Reauthentication): Promise<{ secret: string; uri: string }>;
  /** Puts the proposed factor into force and gives eight backup codes; ends all other sessions. */
  confirmSecondFactor(code: string): Promise<string[]>;
  /** As an operator: somebody lost their second factor. A security officer confirms it. */
  requestFactorReset(handle: string): Promise<FactorReset>;
  factorResets(): Promise<FactorReset[]>;
  /** As an operator or security officer: the invitations made by this account, newest first. */
  invitations(): Promise<OwnInvitation[]>;
  /** Takes one back. @throws MedcloudletError `INVITATION_UNKNOWN`, `INVITATION_USED` */
  withdrawInvitation(invitationId: string): Promise<void>;
  /** As a security officer: closes somebody's account and ends their sessions, or opens it again. */
  suspend(handle: string, suspended: boolean): Promise<void>;
  /** As a security officer. */
  confirmFactorReset(resetId: string): Promise<FactorReset>;
  /** As an operator or security officer. */
  ticketKeyAges(): Promise<TicketKeyAges>;
}

export function createAccountClient({ call }: KdcSession): AccountClient {
  const nothing = z.null();
  return {
    sessions: async () => (await call(SESSIONS, { method: "GET", path: "/sessions" })).sessions,
    async endSession(sessionId) {
      await call(nothing, { method: "DELETE", path: `/sessions/${sessionId}` });
    },
    async endOtherSessions() {
      await call(nothing, { method: "DELETE", path: "/sessions" });
    },
    async changePassword(json) {
      await call(nothing, { method: "PUT", path: "/accounts/me/password", json });
    },
    events: async () => (await call(EVENTS, { method: "GET", path: "/accounts/me/events" })).events,
    proposeSecondFactor: (json) => call(PROPOSAL, { method: "POST", path: "/second-factor", json }),
    confirmSecondFactor: async (code) =>
      (
        await call(CONFIRMED, {
          method: "POST",
          path: "/second-factor/confirmation",
          json: { code },
        })
      ).backupCodes,
    invitations: async () => (await call(INVITATIONS, { method: "GET", path: "/invitations" })).invitations,
    async withdrawInvitation(invitationId) {
      await call(nothing, { method: "DELETE", path: `/invitations/${invitationId}` });
    },
    async suspend(handle, suspended) {
      const path = `/suspensions/${encodeURIComponent(handle)}`;
      await call(z.unknown(), { method: "PUT", path, json: { suspended } });
    },
    requestFactorReset: (handle) =>
      call(RESET, { method: "POST", path: "/second-factor-resets", json: { handle } }),
    factorResets: async () => (await call(RESETS, { method: "GET", path: "/second-factor-resets" })).resets,
    confirmFactorReset: (resetId) =>
      call(RESET, { method: "POST", path: `/second-factor-resets/${resetId}/confirmation` }),
    ticketKeyAges: () => call(TICKET_KEY_AGES, { method: "GET", path: "/ticket-keys/ages" }),
  };
}
