import type { JSONWebKeySet } from "jose";
import { z } from "zod";
import { bareUrl, isMedcloudletError, toBase64Url } from "../base/index.ts";
import { generateSigningSeed, importSigningKey, type SigningKey } from "../sealing/index.ts";
import { createCall } from "./calls.ts";
import type { HttpClient, HttpRequest } from "./http.ts";
import { fetchGrants, giveConsent, type UnverifiedGrant } from "./kdc-consents.ts";
import { ACCOUNT, type KnownAccount } from "./known-account.ts";

export type { UnverifiedGrant } from "./kdc-consents.ts";
export type { KnownAccount } from "./known-account.ts";

const SECOND_FACTOR = z.enum(["none", "missing", "active"]);
const OWN_ACCOUNT = ACCOUNT.extend({ secondFactor: SECOND_FACTOR });
const SESSION = z.object({
  token: z.string(),
  expiresAt: z.number(),
  account: ACCOUNT,
  secondFactor: SECOND_FACTOR,
  deviceToken: z.string().optional(),
});
const INVITATION = z.object({
  invitationId: z.string(),
  role: z.string(),
  code: z.string(),
  expiresAt: z.number(),
});
const ROTATION = z.object({ kid: z.string(), activeFrom: z.number() });
const TICKET = z.object({ ticket: z.string(), expiresAt: z.number() });
const UPLOAD_TICKET = TICKET.extend({ epoch: z.string() });
const EPOCHS = z.object({ epochs: z.array(z.string()) });
const KEYS = z.object({ keys: z.array(z.looseObject({ kty: z.literal("OKP"), kid: z.string() })) });
export type Ticket = z.infer<typeof TICKET>;
/** A ticket and the key that was made for it alone. */
export type HeldTicket = Ticket & { readonly key: SigningKey };

/** What a request under a session may carry. */
export interface SessionRequest {
  readonly method: HttpRequest["method"];
  /** Path under `/v1`. */
  readonly path: string;
  readonly json?: unknown;
  /** A key that the request proves, where the KDC wants it. */
  readonly key?: SigningKey;
}

/** What goes into a login beside handle and password. */
export interface LoginOptions {
  /** TOTP or backup code, where the account has a second factor. */
  readonly code?: string;
  /** From an earlier login of this program: it keeps its own count of wrong tries. */
  readonly deviceToken?: string;
}

/** The KDC as seen by somebody who logged in. */
export interface KdcSession {
  readonly account: KnownAccount;
  readonly token: string;
  /** Milliseconds; the session may end sooner by itself, by a password change, or for want of requests. */
  readonly expiresAt: number;
  /** `missing`: staff who can do nothing before they enrol one. */
  readonly secondFactor: "none" | "missing" | "active";
  /** To be sent with the next login; only where the login did not bring one. */
  readonly deviceToken?: string;
  logout(): Promise<void>;
  invite(role: string): Promise<{ invitationId: string; code: string; expiresAt: number }>;
  /** @throws MedcloudletError `ACCOUNT_UNKNOWN` */
  lookUp(handle: string): Promise<KnownAccount>;
  publishEpoch(statement: string): Promise<void>;
  epochs(): Promise<string[]>;
  enrolDevice(statement: string): Promise<void>;
  /** Stores the wrapped keys, then the consent that makes them count. */
  giveConsent(consent: string, wrappedKeys: readonly string[]): Promise<void>;
  /** Everything that is shared with this account now, with its keys. */
  grants(): Promise<UnverifiedGrant[]>;
  /**
   * A ticket to read a stream, bound to a new key: the cloud shall not see by a key which streams one person reads.
   * @throws MedcloudletError `CONSENT_MISSING`
   */
  readTicket(streamId: string, accountKey: SigningKey): Promise<HeldTicket>;
  /** A ticket for what the account's role does at the other services, bound to a new key. For staff. */
  staffTicket(accountKey: SigningKey): Promise<HeldTicket>;
  /** As an operator: signs tickets with a new key, an hour from now, or at once and trusting no earlier one. */
  rotateTicketKeys(how: { readonly revoke: boolean }): Promise<{ kid: string; activeFrom: number }>;
  /** Any other request under this session, its answer checked: the other files here are built on it. */
  call<T>(schema: z.ZodType<T>, request: SessionRequest): Promise<T>;
}

/** The KDC as seen by anybody. */
export interface KdcClient {
  register(input: {
    invitation: string;
    handle: string;
    password?: string;
    identity: string;
  }): Promise<KnownAccount>;
  /** @throws MedcloudletError `LOGIN_FAILED`, `SECOND_FACTOR_REQUIRED`, `SECOND_FACTOR_INVALID`, `RATE_LIMITED` */
  login(handle: string, password: string, options?: LoginOptions): Promise<KdcSession>;
  /** Goes on with a session that was kept. @throws MedcloudletError `SESSION_INVALID` */
  resume(kept: Pick<KdcSession, "token" | "expiresAt">): Promise<KdcSession>;
  /** Any request without a session, or with a proof of a key alone; its answer checked. */
  call<T>(schema: z.ZodType<T>, request: SessionRequest): Promise<T>;
  /** A device's ticket and its owner's current epoch statement. */
  uploadTicket(deviceId: string, key: SigningKey): Promise<Ticket & { epoch: string }>;
  forwardTicket(cloudletId: string, key: SigningKey): Promise<Ticket>;
  ticketKeys(): Promise<JSONWebKeySet>;
}

/** The KDC's HTTP API, its answers checked. */
export function createKdcClient(options: {
  readonly http: HttpClient;
  readonly url: string;
  /** The account's key: shown where the KDC's intrusion detection asks for more than a session. */
  readonly accountKey?: SigningKey;
}): KdcClient {
  const { http, accountKey } = options;
  const base = `${bareUrl(options.url)}/v1`;

  const call = createCall({ http, base, service: "The KDC" });

  /** A ticket bound to a key that is made for it alone; the account's key proves that the request is its own. */
  const heldTicket = async (
    callAs: KdcSession["call"],
    path: string,
    accountKey: SigningKey,
    about: Readonly<Record<string, string>> = {},
  ): Promise<HeldTicket> => {
    const key = await importSigningKey(generateSigningSeed());
    const json = { ...about, holder: toBase64Url(key.publicKey) };
    return { ...(await callAs(TICKET, { method: "POST", path, json, key: accountKey })), key };
  };

  const sessionOf = (
    opened: Pick<KdcSession, "account" | "token" | "expiresAt" | "secondFactor">,
  ): KdcSession => {
    const credentials = { session: opened.token };
    const anything = z.unknown();
    const callAs: KdcSession["call"] = async (schema, { method, path, json, key }) => {
      const withKey = (proving: SigningKey | undefined) =>
        call(schema, method, path, {
          credentials: proving === undefined ? credentials : { ...credentials, key: proving },
          json,
        });
      return withKey(key).catch((error) => {
        if (key === undefined && accountKey !== undefined && isMedcloudletError(error, "IDS_CHALLENGED")) {
          return withKey(accountKey);
        }
        throw error;
      });
    };
    return {
      ...opened,
      logout: async () => {
        await http.send({ method: "DELETE", url: `${base}/sessions/current`, credentials });
      },
      invite: (role) => callAs(INVITATION, { method: "POST", path: "/invitations", json: { role } }),
      lookUp: (handle) =>
        callAs(ACCOUNT, { method: "GET", path: `/directory/${encodeURIComponent(handle)}` }),
      publishEpoch: async (statement) => {
        await callAs(anything, { method: "POST", path: "/epochs", json: { statement } });
      },
      epochs: async () => (await callAs(EPOCHS, { method: "GET", path: "/epochs" })).epochs,
      enrolDevice: async (statement) => {
        await callAs(anything, { method: "POST", path: "/devices", json: { statement } });
      },
      giveConsent: (consent, wrappedKeys) => giveConsent(callAs, consent, wrappedKeys),
      grants: () => fetchGrants(callAs),
      readTicket: (streamId, accountKey) => heldTicket(callAs, "/tickets/read", accountKey, { streamId }),
      staffTicket: (accountKey) => heldTicket(callAs, "/tickets/staff", accountKey),
      rotateTicketKeys: (how) =>
        callAs(ROTATION, { method: "POST", path: "/ticket-keys/rotations", json: how }),
      call: callAs,
    };
  };

  return {
    register: (input) => call(ACCOUNT, "POST", "/accounts", { json: input }),
    async login(handle, password, options = {}) {
      const { deviceToken, ...opened } = await call(SESSION, "POST", "/sessions", {
        json: { handle, password, ...options },
      });
      return { ...sessionOf(opened), ...(deviceToken === undefined ? {} : { deviceToken }) };
    },
    async resume({ token, expiresAt }) {
      const { secondFactor, ...account } = await call(OWN_ACCOUNT, "GET", "/accounts/me", {
        credentials: { session: token },
      });
      return sessionOf({ account, token, expiresAt, secondFactor });
    },
    call: (schema, { method, path, json, key }) =>
      call(schema, method, path, { credentials: key === undefined ? undefined : { key }, json }),
    uploadTicket: (deviceId, key) =>
      call(UPLOAD_TICKET, "POST", "/tickets/upload", { credentials: { key }, json: { deviceId } }),
    forwardTicket: (cloudletId, key) =>
      call(TICKET, "POST", "/tickets/forward", { credentials: { key }, json: { cloudletId } }),
    ticketKeys: () => call(KEYS, "GET", "/ticket-keys"),
  };
}
