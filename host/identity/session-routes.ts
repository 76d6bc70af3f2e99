import type { Request, Response } from "express";
import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { idSchema } from "../sealing/index.ts";
import type { AccountEvents } from "./account-events.ts";
import {
  type Account,
  type Accounts,
  passwordSchema,
  presentAccount,
  secondFactorState,
} from "./accounts.ts";
import type { KnownClients } from "./known-clients.ts";
import type { Login } from "./login.ts";
import type { Routes } from "./routes.ts";
import type { SecondFactors } from "./second-factor.ts";
import type { Sessions } from "./sessions.ts";
import { createThrottle } from "./throttle.ts";

/** A TOTP or backup code as somebody typed it. */
export const codeSchema = z.string().min(6).max(40);
// Not empty: for an empty field passport-local would look into the query, past the limits on handles.
export const knownPassword = z.string().min(1).max(256);

const CREDENTIALS = z.strictObject({
  handle: z.string().min(1).max(40),
  password: knownPassword,
  code: codeSchema.optional(),
  deviceToken: z.string().min(1).max(128).optional(),
});
const NEW_PASSWORD = z.strictObject({
  password: knownPassword,
  code: codeSchema.optional(),
  newPassword: passwordSchema,
});
const BY_ID = z.strictObject({ sessionId: idSchema });

/** Asks somebody who is logged in for password and code once more, before what a stolen session must not do. */
export type Reauthenticate = (
  account: Account,
  given: { readonly password: string; readonly code?: string | undefined },
) => Promise<void>;

/** Throttled like a login. @throws MedcloudletError `PASSWORD_WRONG`, `SECOND_FACTOR_*`, `RATE_LIMITED` */
export function createReauthenticate(login: Login, factors: SecondFactors): Reauthenticate {
  const throttle = createThrottle();
  return async (account, { password, code }) => {
    const forget = await throttle.attempt({ handle: account._id, address: undefined });
    await login.again(account, password);
    await factors.require(account, code);
    await forget();
  };
}

/** Logging in and out, one's sessions, and the password. */
export function addSessionRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly sessions: Sessions;
    readonly login: Login;
    readonly factors: SecondFactors;
    readonly clients: KnownClients;
    readonly events: AccountEvents;
    readonly reauthenticate: Reauthenticate;
  },
): void {
  const { accounts, sessions, login, factors, clients, events, reauthenticate } = rooms;
  const throttle = createThrottle();

  /** Password first, then the code: whoever has the password wrong learns nothing of a second factor. */
  const authenticate = async (request: Request, response: Response, code: string | undefined) => {
    const account = await login.password(request, response);
    await factors.require(account, code);
    return account;
  };

  routes.open({
    method: "post",
    path: "/sessions",
    action: "session.open",
    body: CREDENTIALS,
    async recognises({ body: { handle, deviceToken } }) {
      const known = deviceToken === undefined ? null : await accounts.byHandle(handle);
      return known !== null && (await clients.recognise(known._id, deviceToken ?? "")) !== null;
    },
    async handle({ request, response, body, actingAs, concerning }) {
      const { handle, code, deviceToken } = body;
      const known = await accounts.byHandle(handle);
      const client =
        known === null || deviceToken === undefined ? null : await clients.recognise(known._id, deviceToken);
      const forget = await throttle.attempt({ handle, address: request.ip, client });
      // A refused login is the account owner's business; one for a handle that nobody has is nobody's.
      if (known !== null) {
        concerning({ owner: known._id });
      }
      const account = await authenticate(request, response, code);
      actingAs({ id: account._id, role: account.role });
      await forget();
      const session = await sessions.open(account, request.get("User-Agent") ?? "");
      return {
        status: 201,
        json: {
          ...session,
          account: presentAccount(account),
          secondFactor: secondFactorState(account),
          ...(client === null ? { deviceToken: await clients.remember(account._id) } : {}),
        },
      };
    },
  });

  routes.session({
    method: "get",
    path: "/sessions",
    action: "session.list",
    async handle({ account, token }) {
      const current = (await sessions.find(token))?.sessionId;
      const own = await sessions.ofAccount(account);
      return {
        status: 200,
        json: {
          sessions: own.map(({ sessionId, createdAt, lastUsedAt, expiresAt, agent }) => ({
            sessionId,
            createdAt,
            lastUsedAt,
            expiresAt,
            agent,
            current: sessionId === current,
          })),
        },
      };
    },
  });

  routes.session({
    method: "delete",
    path: "/sessions/current",
    action: "session.close",
    async handle({ token }) {
      await sessions.revoke(token);
      return { status: 204, empty: true };
    },
  });

  routes.session({
    method: "delete",
    path: "/sessions/:sessionId",
    action: "session.end",
    params: BY_ID,
    async handle({ account, params: { sessionId } }) {
      // Another's session and none look alike.
      if (!(await sessions.end(account._id, sessionId))) {
        throw new MedcloudletError("SESSION_UNKNOWN", "You have no session with this id: list them anew.", {
          status: 404,
        });
      }
      return { status: 204, empty: true };
    },
  });

  // By the account's count, not session by session: a login under way at this moment is ended too.
  routes.session({
    method: "delete",
    path: "/sessions",
    action: "session.end-others",
    async handle({ account, token }) {
      await sessions.carryOver(token, await accounts.renew(account, {}));
      return { status: 204, empty: true };
    },
  });

  routes.session({
    method: "put",
    path: "/accounts/me/password",
    action: "account.password",
    body: NEW_PASSWORD,
    async handle({ account, token, body: { newPassword, ...given }, concerning }) {
      concerning({ owner: account._id });
      await reauthenticate(account, given);
      await sessions.carryOver(token, await accounts.renew(account, { password: newPassword }));
      await events.note(account._id, "password-changed");
      return { status: 204, empty: true };
    },
  });

  routes.session({
    method: "get",
    path: "/accounts/me/events",
    action: "account.events",
    async handle({ account }) {
      return { status: 200, json: { events: await events.ofAccount(account._id) } };
    },
  });
}
