import { Router } from "express";
import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { createRateLimiter, jsonBody, parseInput } from "../http/index.ts";
import { type Accounts, handleSchema, passwordSchema, presentAccount, ROLES } from "./accounts.ts";
import type { Devices } from "./devices.ts";
import type { Invitations } from "./invitations.ts";
import { accountOf, type Login } from "./login.ts";
import type { Sessions } from "./sessions.ts";
import type { TicketIssuer } from "./tickets.ts";

const MACHINE_ROLE = "cloudlet";
const statementSchema = z.string().max(16_384);

const NEW_ACCOUNT = z.strictObject({
  invitation: z.string().max(128),
  handle: handleSchema,
  password: passwordSchema.optional(),
  identity: statementSchema,
});
// Not empty: for an empty field passport-local would look into the query, past the limits on handles.
const CREDENTIALS = z.strictObject({
  handle: z.string().min(1).max(40),
  password: z.string().min(1).max(256),
});
const INVITATION = z.strictObject({ role: z.enum(ROLES) });
const STATEMENT = z.strictObject({ statement: statementSchema });
const BY_HANDLE = z.strictObject({ handle: handleSchema });

/** Ten wrong passwords in a quarter of an hour for one handle from one address; a right one clears the count. */
const LOGIN_LIMIT = { points: 10, seconds: 900 };
/** However many addresses somebody guesses from. */
const LOGIN_LIMIT_OF_HANDLE = { points: 100, seconds: 3600 };

/** Accounts, sessions, invitations, directory, devices and the ticket keys, under `/v1` of the KDC. */
export function createIdentityRouter(rooms: {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly invitations: Invitations;
  readonly devices: Devices;
  readonly login: Login;
  readonly issuer: TicketIssuer;
}): Router {
  const { accounts, sessions, invitations, devices, login, issuer } = rooms;
  const attempts = createRateLimiter(LOGIN_LIMIT);
  const attemptsOfHandle = createRateLimiter(LOGIN_LIMIT_OF_HANDLE);
  const router = Router();

  router.post("/accounts", jsonBody, async (request, response) => {
    const input = parseInput(NEW_ACCOUNT, request.body);
    const role = await invitations.redeem(input.invitation);
    try {
      if ((role === MACHINE_ROLE) !== (input.password === undefined)) {
        throw new MedcloudletError("ACCOUNT_PASSWORD", "People have a password, machines have none.", {
          status: 400,
        });
      }
      const { handle, identity, password = null } = input;
      const account = await accounts.create({ handle, role, password, identity });
      response.status(201).json(presentAccount(account));
    } catch (error) {
      await invitations.restore(input.invitation);
      throw error;
    }
  });

  router.get("/accounts/me", login.withSession(), (request, response) => {
    response.json(presentAccount(accountOf(request)));
  });

  router.post(
    "/sessions",
    jsonBody,
    async (request, _response, next) => {
      const { handle } = parseInput(CREDENTIALS, request.body);
      await attempts.consume(`${handle} ${request.ip}`);
      await attemptsOfHandle.consume(handle);
      next();
    },
    login.withPassword,
    async (request, response) => {
      const account = accountOf(request);
      await attempts.reset(`${account.handle} ${request.ip}`);
      await attemptsOfHandle.reset(account.handle);
      const session = await sessions.open(account._id);
      response.status(201).json({ ...session, account: presentAccount(account) });
    },
  );

  router.delete("/sessions/current", login.withSession(), async (request, response) => {
    await sessions.revoke(request.user?.token ?? "");
    response.status(204).end();
  });

  router.post("/invitations", login.withSession("operator"), jsonBody, async (request, response) => {
    const { role } = parseInput(INVITATION, request.body);
    response.status(201).json({ role, ...(await invitations.create(role, accountOf(request)._id)) });
  });

  // Doctors can be looked up by anybody who has an account; patients and machines by nobody.
  router.get("/directory/:handle", login.withSession(), async (request, response) => {
    const { handle } = parseInput(BY_HANDLE, request.params);
    const account = await accounts.byHandle(handle);
    if (account === null || account.role !== "doctor") {
      throw new MedcloudletError("ACCOUNT_UNKNOWN", `No doctor here has the handle "${handle}".`, {
        status: 404,
      });
    }
    response.json(presentAccount(account));
  });

  router.post("/devices", login.withSession("patient"), jsonBody, async (request, response) => {
    const owner = accountOf(request);
    const { statement } = parseInput(STATEMENT, request.body);
    const { signingKey } = await accounts.keysOf(owner);
    const { deviceId, until } = await devices.enrol(owner._id, signingKey, statement);
    response.status(201).json({ deviceId, until });
  });

  router.get("/devices", login.withSession("patient"), async (request, response) => {
    const owned = await devices.ofOwner(accountOf(request)._id);
    response.json({ devices: owned.map(({ statement }) => statement) });
  });

  router.get("/ticket-keys", (_request, response) => {
    response.json(issuer.keys);
  });

  return router;
}
