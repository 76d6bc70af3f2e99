import type { RequestHandler } from "express";
import passport from "passport";
import { Strategy as BearerStrategy } from "passport-http-bearer";
import { Strategy as LocalStrategy } from "passport-local";
import { MedcloudletError } from "../base/index.ts";
import type { Account, Accounts, Role } from "./accounts.ts";
import { createPasswordVerifier } from "./passwords.ts";
import type { Sessions } from "./sessions.ts";

declare global {
  namespace Express {
    interface User {
      readonly account: Account;
      /** The session token the request came with, absent while logging in. */
      readonly token?: string;
    }
  }
}

/** The two ways in: handle and password once, then the session's bearer token (RFC 6750). */
export interface Login {
  /** Checks `handle` and `password` of the body; sets `request.user`. Fails with `LOGIN_FAILED`. */
  readonly withPassword: RequestHandler;
  /** Checks the session token; with roles, lets only those through. `SESSION_INVALID`, `ROLE_FORBIDDEN`. */
  withSession(...roles: Role[]): RequestHandler;
}

export async function createLogin(accounts: Accounts, sessions: Sessions): Promise<Login> {
  const matches = await createPasswordVerifier();
  const authenticator = new passport.Passport();

  authenticator.use(
    new LocalStrategy({ usernameField: "handle", session: false }, async (handle, password, done) => {
      try {
        const account = await accounts.byHandle(handle);
        const valid = await matches(account?.passwordHash ?? undefined, password);
        done(null, valid && account !== null ? { account } : false);
      } catch (error) {
        done(error);
      }
    }),
  );

  authenticator.use(
    new BearerStrategy(async (token, done) => {
      try {
        const session = await sessions.find(token);
        const account = session === null ? null : await accounts.byId(session.accountId);
        done(null, account === null ? false : { account, token });
      } catch (error) {
        done(error);
      }
    }),
  );

  const through =
    (strategy: "local" | "bearer", refusal: () => MedcloudletError, roles: readonly Role[]): RequestHandler =>
    (request, response, next) => {
      const done = (error: unknown, user?: Express.User | false) => {
        if (error) {
          next(error);
        } else if (!user) {
          next(refusal());
        } else if (roles.length > 0 && !roles.includes(user.account.role)) {
          next(
            new MedcloudletError("ROLE_FORBIDDEN", `This needs the role ${roles.join(" or ")}.`, {
              status: 403,
            }),
          );
        } else {
          request.user = user;
          next();
        }
      };
      // The strategy would also take a token from query or body; URLs end up in logs and histories.
      if (strategy === "bearer" && !/^Bearer /i.test(request.get("Authorization") ?? "")) {
        next(refusal());
        return;
      }
      authenticator.authenticate(strategy, { session: false }, done)(request, response, next);
    };

  return {
    withPassword: through(
      "local",
      () => new MedcloudletError("LOGIN_FAILED", "Handle or password is wrong.", { status: 401 }),
      [],
    ),
    withSession: (...roles) =>
      through(
        "bearer",
        () =>
          new MedcloudletError("SESSION_INVALID", "Log in first: the session is unknown or over.", {
            status: 401,
          }),
        roles,
      ),
  };
}

/** The account behind a request that passed {@link Login}. */
export function accountOf(request: Express.Request): Account {
  if (request.user === undefined) {
    throw new MedcloudletError("SESSION_INVALID", "Log in first.", { status: 401 });
  }
  return request.user.account;
}
