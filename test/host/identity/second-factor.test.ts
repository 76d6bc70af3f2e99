import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBase64Url } from "../../../host/base/index.ts";
import { createAccountClient, createIdentity, type KdcSession } from "../../../host/client/index.ts";
import type { Role } from "../../../host/identity/index.ts";
import { createAuthenticator, enrol } from "../../support/authenticator.ts";
import { spellings } from "../../support/leaks.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, dumpOf, PASSWORD, type Person, type System, startSystem } from "../../support/system.ts";
import { documentsOf, expectProblem, kdcOf } from "../http/attack.ts";

const MINUTE_MS = 60_000;

describe.each(backends())("the second factor of staff, on the $name store", (backend) => {
  let system: System;
  let watch: Person;
  let secret: string;
  let backupCodes: string[];
  let enrolled: ReturnType<typeof createAuthenticator>;

  const call = (method: string, path: string, token?: string, json?: unknown) =>
    fetch(`${system.kdc.url}/v1${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(json === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: json === undefined ? null : JSON.stringify(json),
    });

  const login = (handle: string, code?: string, password = PASSWORD) =>
    call("POST", "/sessions", undefined, { handle, password, ...(code === undefined ? {} : { code }) });

  /** An account whose password is all that anybody has yet. */
  const newStaff = async (role: Role, handle: string): Promise<KdcSession> => {
    const invitation = await system.invitation(role);
    const { statement } = await createIdentity(system.suite, system.clock);
    await kdcOf(system).register({ invitation, handle, password: PASSWORD, identity: statement });
    return kdcOf(system).login(handle, PASSWORD);
  };

  beforeAll(async () => {
    system = await startSystem(backend);
    watch = await system.person("security-officer", "day-watch");
    const session = await newStaff("doctor", "dr-heron");
    const { authenticator, backupCodes: codes } = await enrol(session, PASSWORD, system.clock);
    enrolled = authenticator;
    secret = authenticator.secret;
    backupCodes = codes;
  });
  afterAll(() => system?.stop());

  it("lets nobody of any staff role do anything before there is one", async () => {
    for (const role of ["doctor", "researcher", "operator", "security-officer"] as const) {
      const session = await newStaff(role, `new-${role}`);
      expect(session.secondFactor).toBe("missing");
      for (const [method, path] of [
        ["GET", "/sessions"],
        ["DELETE", "/sessions"],
        ["GET", "/grants"],
        ["GET", "/directory/dr-heron"],
        ["GET", "/backup"],
        ["GET", "/accounts/me/events"],
        ["GET", "/second-factor-resets"],
        ["GET", "/recovery-requests"],
      ] as const) {
        await expectProblem(await call(method, path, session.token), 403, "SECOND_FACTOR_MISSING");
      }
      for (const path of ["/invitations", "/tickets/read", "/second-factor-resets"]) {
        const answer = await call("POST", path, session.token, { role: "patient" });
        await expectProblem(answer, 403, "SECOND_FACTOR_MISSING");
      }
      expect((await call("GET", "/accounts/me", session.token)).status).toBe(200);
    }
  });

  it("opens nothing to the right password alone, and says nothing of itself to a wrong one", async () => {
    await expectProblem(await login("dr-heron"), 401, "SECOND_FACTOR_REQUIRED");
    await expectProblem(await login("dr-heron", undefined, "a wrong password"), 401, "LOGIN_FAILED");
    await expectProblem(await login("dr-heron", enrolled.code(), "a wrong password"), 401, "LOGIN_FAILED");
    await expectProblem(await login("dr-heron", "000000"), 401, "SECOND_FACTOR_INVALID");
    expect((await login("dr-heron", enrolled.code())).status).toBe(201);
  });

  it("takes each code once, and none from before one that was taken", async () => {
    const totp = new TOTP({ secret: Secret.fromBase32(secret) });
    system.clock.advance(5 * MINUTE_MS);
    const now = system.clock.now();
    const [before, current, next, later] = [-30_000, 0, 30_000, 60_000].map((shift) =>
      totp.generate({ timestamp: now + shift }),
    );
    await expectProblem(await login("dr-heron", later), 401, "SECOND_FACTOR_INVALID");
    expect((await login("dr-heron", current)).status).toBe(201);
    await expectProblem(await login("dr-heron", current), 401, "SECOND_FACTOR_INVALID");
    await expectProblem(await login("dr-heron", before), 401, "SECOND_FACTOR_INVALID");
    expect((await login("dr-heron", next)).status).toBe(201);
    system.clock.advance(5 * MINUTE_MS);
    await expectProblem(await login("dr-heron", next), 401, "SECOND_FACTOR_INVALID");
  });

  it.runIf(backend.name === "embedded")("takes a code once that comes eight times at once", async () => {
    system.clock.advance(5 * MINUTE_MS);
    const code = createAuthenticator(secret, system.clock).code();
    const answers = await Promise.all(Array.from({ length: 8 }, () => login("dr-heron", code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(401)]);
  });

  it("takes each of the eight codes on paper once, however it is typed", async () => {
    expect(backupCodes).toHaveLength(8);
    expect(new Set(backupCodes).size).toBe(8);
    const [first = "", second = ""] = backupCodes;
    expect(first).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
    expect((await login("dr-heron", first.toLowerCase().replaceAll("-", " "))).status).toBe(201);
    await expectProblem(await login("dr-heron", first), 401, "SECOND_FACTOR_INVALID");
    expect((await login("dr-heron", second)).status).toBe(201);
    await expectProblem(await login("dr-heron", "AAAA-AAAA-AAAA-AAAA"), 401, "SECOND_FACTOR_INVALID");
  });

  it("is not replaced by a stolen session: password and a code of the old one are wanted", async () => {
    system.clock.advance(5 * MINUTE_MS);
    enrolled = createAuthenticator(secret, system.clock);
    const session = await kdcOf(system).login("dr-heron", PASSWORD, { code: enrolled.code() });
    const account = createAccountClient(session);
    for (const [given, expected] of [
      [{ password: "a wrong password", code: "123456" }, "PASSWORD_WRONG"],
      [{ password: PASSWORD }, "SECOND_FACTOR_REQUIRED"],
      [{ password: PASSWORD, code: "123456" }, "SECOND_FACTOR_INVALID"],
    ] as const) {
      await expect(account.proposeSecondFactor(given)).rejects.toMatchObject({ code: expected });
    }
    await expect(account.confirmSecondFactor("123456")).rejects.toMatchObject({
      code: "SECOND_FACTOR_NOT_PROPOSED",
    });
    const replacement = await account.proposeSecondFactor({ password: PASSWORD, code: enrolled.code() });
    await expect(account.confirmSecondFactor("123456")).rejects.toMatchObject({
      code: "SECOND_FACTOR_INVALID",
    });
    // The old one is in force until the new one has shown a code.
    expect((await login("dr-heron", enrolled.code())).status).toBe(201);
    enrolled = createAuthenticator(replacement.secret, system.clock);
    backupCodes = await account.confirmSecondFactor(enrolled.code());
    await expectProblem(
      await login("dr-heron", createAuthenticator(secret, system.clock).code()),
      401,
      "SECOND_FACTOR_INVALID",
    );
    expect((await login("dr-heron", enrolled.code())).status).toBe(201);
    secret = replacement.secret;
  });

  it("ends sessions that were opened before it: whoever had the password first has nothing", async () => {
    const thief = await newStaff("doctor", "dr-rook");
    const rightful = await kdcOf(system).login("dr-rook", PASSWORD);
    await enrol(rightful, PASSWORD, system.clock);
    await expectProblem(await call("GET", "/accounts/me", thief.token), 401, "SESSION_INVALID");
    expect((await call("GET", "/grants", rightful.token)).status).toBe(200);
  });

  it("waits a quarter of an hour for its first code, and no longer", async () => {
    const account = createAccountClient(await newStaff("doctor", "dr-late"));
    const { secret: late } = await account.proposeSecondFactor({ password: PASSWORD });
    system.clock.advance(16 * MINUTE_MS);
    await expect(
      account.confirmSecondFactor(createAuthenticator(late, system.clock).code()),
    ).rejects.toMatchObject({ code: "SECOND_FACTOR_NOT_PROPOSED" });
  });

  it("is for patients who want one", async () => {
    const patient = await system.patient("quiet-otter", "Ada");
    expect(patient.session.secondFactor).toBe("none");
    const { authenticator } = await enrol(patient.session, PASSWORD, system.clock);
    await expectProblem(await login("quiet-otter"), 401, "SECOND_FACTOR_REQUIRED");
    expect((await login("quiet-otter", authenticator.code())).status).toBe(201);
  });

  it("is taken away by two people together, never of oneself, and the owner sees it", async () => {
    const officer = watch;
    const operator = await system.login("operator");
    const asOperator = createAccountClient(operator);
    const asOfficer = createAccountClient(officer.session);
    await expect(asOfficer.requestFactorReset("dr-heron")).rejects.toMatchObject({ code: "ROLE_FORBIDDEN" });
    await expect(asOperator.requestFactorReset("operator")).rejects.toMatchObject({
      code: "FACTOR_RESET_OWN",
    });
    await expect(asOperator.requestFactorReset("dr-late")).rejects.toMatchObject({
      code: "FACTOR_RESET_NEEDLESS",
    });
    await expect(asOperator.requestFactorReset("nobody-here")).rejects.toMatchObject({
      code: "ACCOUNT_UNKNOWN",
    });
    const own = await asOperator.requestFactorReset("day-watch");
    await expect(asOfficer.confirmFactorReset(own.resetId)).rejects.toMatchObject({
      code: "FACTOR_RESET_OWN",
    });

    const session = await kdcOf(system).login("dr-heron", PASSWORD, { code: enrolled.code() });
    const reset = await asOperator.requestFactorReset("dr-heron");
    expect((await login("dr-heron", enrolled.code())).status).toBe(201);
    await expect(asOperator.confirmFactorReset(reset.resetId)).rejects.toMatchObject({
      code: "ROLE_FORBIDDEN",
    });
    await expect(asOfficer.confirmFactorReset("00".repeat(16))).rejects.toMatchObject({
      code: "FACTOR_RESET_UNKNOWN",
    });
    expect((await asOfficer.factorResets()).map(({ handle }) => handle).sort()).toEqual([
      "day-watch",
      "dr-heron",
    ]);
    await asOfficer.confirmFactorReset(reset.resetId);
    await expect(asOfficer.confirmFactorReset(reset.resetId)).rejects.toMatchObject({
      code: "FACTOR_RESET_UNKNOWN",
    });
    await expectProblem(await call("GET", "/grants", session.token), 401, "SESSION_INVALID");

    const again = await kdcOf(system).login("dr-heron", PASSWORD);
    expect(again.secondFactor).toBe("missing");
    ({ authenticator: enrolled } = await enrol(again, PASSWORD, system.clock));
    secret = enrolled.secret;
    const events = await createAccountClient(again).events();
    expect(events.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["second-factor-reset-requested", "second-factor-reset"]),
    );
  });

  it("is not taken away by a reset that is a day old, nor by one of the factor before", async () => {
    const officer = createAccountClient(await system.login("day-watch"));
    const operator = createAccountClient(await system.login("operator"));
    const old = await operator.requestFactorReset("dr-heron");
    const session = await kdcOf(system).login("dr-heron", PASSWORD, { code: enrolled.code() });
    const account = createAccountClient(session);
    const { secret: newer } = await account.proposeSecondFactor({
      password: PASSWORD,
      code: enrolled.code(),
    });
    enrolled = createAuthenticator(newer, system.clock);
    await account.confirmSecondFactor(enrolled.code());
    await expect(officer.confirmFactorReset(old.resetId)).rejects.toMatchObject({
      code: "FACTOR_RESET_UNKNOWN",
    });
    const late = await operator.requestFactorReset("dr-heron");
    system.clock.advance(DAY_MS);
    const officerLater = createAccountClient(await system.login("day-watch"));
    await expect(officerLater.confirmFactorReset(late.resetId)).rejects.toMatchObject({
      code: "FACTOR_RESET_UNKNOWN",
    });
    expect((await login("dr-heron", enrolled.code())).status).toBe(201);
  });

  it("and all else of somebody who left is closed by a security officer, and opened again by one", async () => {
    const officer = createAccountClient(await system.login("day-watch"));
    const operator = createAccountClient(await system.login("operator"));
    const left = await newStaff("operator", "night-owl");
    const { authenticator } = await enrol(left, PASSWORD, system.clock);
    await expect(operator.suspend("night-owl", true)).rejects.toMatchObject({ code: "ROLE_FORBIDDEN" });
    await expect(officer.suspend("day-watch", true)).rejects.toMatchObject({ code: "SUSPENSION_OWN" });
    await expect(officer.suspend("nobody-here", true)).rejects.toMatchObject({ code: "ACCOUNT_UNKNOWN" });
    await officer.suspend("night-owl", true);
    await expectProblem(await call("GET", "/accounts/me", left.token), 401, "SESSION_INVALID");
    await expectProblem(await login("night-owl", authenticator.code()), 403, "ACCOUNT_SUSPENDED");
    await expectProblem(await login("night-owl", undefined, "a wrong password"), 401, "LOGIN_FAILED");
    await officer.suspend("night-owl", false);
    await expectProblem(await call("GET", "/accounts/me", left.token), 401, "SESSION_INVALID");
    expect((await login("night-owl", authenticator.code())).status).toBe(201);
  });

  it("and whoever's account is closed comes back by no invitation and no reset that they left behind", async () => {
    const officer = await system.login("day-watch");
    const account = createAccountClient(officer);
    const left = await newStaff("operator", "sly-owl");
    await enrol(left, PASSWORD, system.clock);
    const { code: invitation } = await left.invite("operator");
    await newStaff("doctor", "dr-wagtail").then((session) => enrol(session, PASSWORD, system.clock));
    const asked = await call("POST", "/second-factor-resets", left.token, { handle: "dr-wagtail" });
    const { resetId } = (await asked.json()) as { resetId: string };
    await account.suspend("sly-owl", true);
    const { statement: identity } = await createIdentity(system.suite, system.clock);
    const register = () =>
      kdcOf(system).register({ invitation, handle: "new-feathers", password: PASSWORD, identity });
    await expect(register()).rejects.toMatchObject({ code: "INVITER_FORBIDDEN" });
    const confirmation = `/second-factor-resets/${resetId}/confirmation`;
    await expectProblem(await call("POST", confirmation, officer.token), 404, "FACTOR_RESET_UNKNOWN");
    await account.suspend("sly-owl", false);
    await expect(register()).resolves.toMatchObject({ role: "operator" });
  });

  it("and a cloudlet that somebody took over is closed too: it can forward nothing any more", async () => {
    const officer = createAccountClient(await system.login("day-watch"));
    const { accountId, key } = system.cloudletAccount;
    await officer.suspend("cloudlet-one", true);
    await expect(kdcOf(system).forwardTicket(accountId, key)).rejects.toMatchObject({
      code: "CLOUDLET_UNKNOWN",
    });
    await officer.suspend("cloudlet-one", false);
    await kdcOf(system).forwardTicket(accountId, key);
  });

  it("takes two people: an operator makes no second security officer, by no invitation of old either", async () => {
    const operator = await system.login("operator");
    await expect(operator.invite("security-officer")).rejects.toMatchObject({ code: "INVITER_FORBIDDEN" });
    const officer = await system.login("day-watch");
    await expect(officer.invite("doctor")).rejects.toMatchObject({ code: "INVITER_FORBIDDEN" });
    const fresh = await startSystem(backend);
    try {
      const kept = await fresh.operator.session.invite("security-officer");
      await fresh.person("security-officer", "day-watch");
      const { statement } = await createIdentity(fresh.suite, fresh.clock);
      await expect(
        kdcOf(fresh).register({
          invitation: kept.code,
          handle: "second-hat",
          password: PASSWORD,
          identity: statement,
        }),
      ).rejects.toMatchObject({ code: "INVITER_FORBIDDEN" });
      await fresh.person("security-officer", "late-watch");
    } finally {
      await fresh.stop();
    }
  });

  it("costs whoever guesses codes as much as whoever guesses passwords", async () => {
    let limited = 0;
    for (let i = 0; i < 12; i++) {
      const { status } = await login("dr-rook", String(100_000 + i));
      limited += status === 429 ? 1 : 0;
    }
    expect(limited).toBe(2);
  });

  it("lies in the store under the key file's key, each account's apart", async () => {
    const raw = new Uint8Array(Secret.fromBase32(secret).buffer);
    const stored = JSON.stringify(await dumpOf(system.stores.kdc));
    for (const spelling of [...spellings(raw), secret, ...backupCodes]) {
      expect(stored.includes(spelling)).toBe(false);
    }
    for (const code of backupCodes) {
      expect(stored.includes(code.replaceAll("-", ""))).toBe(false);
    }
    const accounts = await documentsOf(system.stores.kdc, "accounts");
    const sealed = accounts
      .map(({ secondFactor }) => secondFactor as { sealed: string } | null)
      .flatMap((factor) => (factor === null ? [] : [factor.sealed]));
    expect(sealed.length).toBeGreaterThan(3);
    for (const text of sealed) {
      expect(fromBase64Url(text)).toHaveLength(12 + 20 + 16);
    }
    expect(system.logLines.join("\n").includes(secret)).toBe(false);
  });

  it("of one account opens nothing in another's place", async () => {
    const accounts = await system.stores.kdc.collection<{
      _id: string;
      handle: string;
      secondFactor: unknown;
    }>({ name: "accounts", indexes: [] });
    const heron = await accounts.findOne({ handle: { $eq: "dr-heron" } });
    await accounts.updateOne(
      { handle: { $eq: "day-watch" } },
      { $set: { secondFactor: heron?.secondFactor } },
    );
    await expectProblem(await login("day-watch", enrolled.code()), 500, "SECRET_BOX");
  });
});
