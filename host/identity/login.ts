import type { Request, Response } from "express";
import passport from "passport";
import { Strategy as BearerStrategy } from "passport-http-bearer";
import { Strategy as LocalStrategy } from "passport-local";
import { MedcloudletError } from "../base/index.ts";
import type { Account, Accounts } from "./accounts.ts";
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
  /**
   * Checks `handle` and `password` of the parsed body.
   * @throws MedcloudletError `LOGIN_FAILED`, `ACCOUNT_SUSPENDED` where the password is right
   */
  password(request: Request, response: Response): Promise<Account>;
  /** Checks the password of somebody who is logged in. @throws MedcloudletError `PASSWORD_WRONG` */
  again(account: Account, password: string): Promise<void>;
  /** Checks the session token, and notes that it was used. @throws MedcloudletError `SESSION_INVALID` */
  session(request: Request, response: Response): Promise<{ account: Account; token: string }>;
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
        if (session === null || account === null || !sessions.isAlive(session, account)) {
          done(null, false);
          return;
        }
        await sessions.touch(session);
        done(null, { account, token });
      } catch (error) {
        done(error);
      }
    }),
  );

  const authenticate = (
    strategy: "local" | "bearer",
    request: Request,
    response: Response,
  ): Promise<Express.User | undefined> =>
    new Promise((resolve, reject) => {
      const done = (error: unknown, user?: Express.User | false) => {
        if (error) {
          reject(error);
        } else {
          resolve(user || undefined);
        }
      };
      authenticator.authenticate(strategy, { session: false }, done)(request, response, reject);
    });

  return {
    async password(request, response) {
      const user = await authenticate("local", request, response);
      if (user === undefined) {
        throw new MedcloudletError("LOGIN_FAILED", "Handle or password is wrong: try again.", {
          status: 401,
        });
      }
      if (user.account.suspendedAt !== null) {
        throw new MedcloudletError(
          "ACCOUNT_SUSPENDED",
          "This account is closed: a security officer can open it again.",
          { status: 403 },
        );
      }
      return user.account;
    },
    async again(account, password) {
      if (!(await matches(account.passwordHash ?? undefined, password))) {
        throw new MedcloudletError("PASSWORD_WRONG", "The password of the account is wrong: try again.", {
          status: 403,
        });
      }
    },
    async session(request, response) {
      // The strategy would also take a token from query or body; URLs end up in logs and histories.
      const inHeader = /^Bearer /i.test(request.get("Authorization") ?? "");
      const user = inHeader ? await authenticate("bearer", request, response) : undefined;
      if (user?.token === undefined) {
        throw new MedcloudletError("SESSION_INVALID", "Log in first: the session is unknown or over.", {
          status: 401,
        });
      }
      return { account: user.account, token: user.token };
    },
  };
}
