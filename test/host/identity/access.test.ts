import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIdentity } from "../../../host/client/index.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, dumpOf, PASSWORD, type System, startSystem } from "../../support/system.ts";
import { documentsOf, expectProblem, leavesNoTrace, snapshot } from "../http/attack.ts";

describe.each(backends())("who gets in, on the $name store", (backend) => {
  let system: System;
  const codes: string[] = [];
  const tokens: string[] = [];

  const call = (method: string, path: string, options: { token?: string; json?: unknown } = {}) =>
    fetch(`${system.kdc.url}/v1${path}`, {
      method,
      headers: {
        ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
        ...(options.json === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: options.json === undefined ? null : JSON.stringify(options.json),
    });

  const login = (handle: string, password: string) =>
    call("POST", "/sessions", { json: { handle, password } });

  const tokenOf = async (handle: string): Promise<string> => {
    const { token } = await system.login(handle);
    tokens.push(token);
    return token;
  };

  const invite = async (role: string): Promise<string> => {
    const { code } = await system.operator.session.invite(role);
    codes.push(code);
    return code;
  };

  const register = async (invitation: string, handle: string, changes: Record<string, unknown> = {}) => {
    const { statement: identity } = await createIdentity(system.suite, system.clock);
    return call("POST", "/accounts", {
      json: { invitation, handle, password: PASSWORD, identity, ...changes },
    });
  };

  beforeAll(async () => {
    system = await startSystem(backend);
    await system.patient("quiet-otter", "Ada");
    await system.doctor("dr-heron");
  });
  afterAll(() => system?.stop());

  it("nobody without an invitation, with a used one, or with one that expired", async () => {
    const used = await invite("patient");
    expect((await register(used, "first-user")).status).toBe(201);
    const late = await invite("patient");
    await leavesNoTrace(system, async () => {
      await expectProblem(await register("made-up", "second-user"), 403, "INVITATION_INVALID");
      await expectProblem(await register(used, "second-user"), 403, "INVITATION_INVALID");
    });
    system.clock.advance(7 * DAY_MS + 1000);
    await leavesNoTrace(system, async () => {
      await expectProblem(await register(late, "late-user"), 403, "INVITATION_INVALID");
    });
  });

  it.runIf(backend.name === "embedded")(
    "one account for an invitation that comes twenty times at once",
    async () => {
      const operator = await system.login("operator");
      const { code } = await operator.invite("doctor");
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => register(code, `racer-${i}`)));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(403)]);
      const accounts = await documentsOf(system.stores.kdc, "accounts");
      expect(accounts.filter(({ handle }) => String(handle).startsWith("racer-"))).toHaveLength(1);
    },
  );

  it("everybody whose invitation failed for another reason, at the second try", async () => {
    const operator = await system.login("operator");
    const { code } = await operator.invite("patient");
    codes.push(code);
    const { statement } = await createIdentity(system.suite, system.clock);
    const broken = `${statement.slice(0, -4)}AAAA`;
    await leavesNoTrace(system, async () => {
      await expectProblem(await register(code, "quiet-otter"), 409, "ACCOUNT_HANDLE_TAKEN");
      await expectProblem(await register(code, "third-user", { identity: broken }), 400, "STATEMENT_INVALID");
      const withoutPassword = await register(code, "third-user", { password: undefined });
      await expectProblem(withoutPassword, 400, "ACCOUNT_PASSWORD");
    });
    expect((await register(code, "third-user")).status).toBe(201);
    const machine = await operator.invite("cloudlet");
    await expectProblem(await register(machine.code, "a-cloudlet"), 400, "ACCOUNT_PASSWORD");
    expect((await register(machine.code, "a-cloudlet", { password: undefined })).status).toBe(201);
    await expectProblem(await login("a-cloudlet", PASSWORD), 401, "LOGIN_FAILED");
  });

  it("nobody under a key of small order, for which anybody could sign in their name", async () => {
    const { code } = await system.login("operator").then((operator) => operator.invite("patient"));
    const neutral = new Uint8Array(32);
    neutral[0] = 1;
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const payload = {
      suite: 1,
      signingKey: Buffer.from(neutral).toString("base64url"),
      receivingKey: Buffer.alloc(962).toString("base64url"),
      createdAt: 0,
    };
    const nobodys = Buffer.concat([neutral, Buffer.alloc(32)]).toString("base64url");
    const identity = `${part({ alg: "EdDSA", typ: "medcloudlet-identity" })}.${part(payload)}.${nobodys}`;
    await leavesNoTrace(system, async () => {
      await expectProblem(await register(code, "everybody", { identity }), 400, "STATEMENT_INVALID");
    });
  });

  it("nobody to a route of another role", async () => {
    const byRole = {
      patient: await tokenOf("quiet-otter"),
      doctor: await tokenOf("dr-heron"),
      operator: await tokenOf("operator"),
    };
    const routes: [string, string, readonly string[]][] = [
      ["POST", "/invitations", ["operator"]],
      ["POST", "/devices", ["patient"]],
      ["GET", "/devices", ["patient"]],
      ["POST", "/epochs", ["patient"]],
      ["GET", "/epochs", ["patient"]],
      ["POST", "/consents", ["patient"]],
      ["GET", "/consents", ["patient"]],
      ["POST", "/wrapped-keys", ["patient"]],
      ["POST", "/revocations", ["patient"]],
      ["POST", "/device-revocations", ["patient"]],
      ["GET", "/grants", ["patient", "doctor"]],
      ["POST", "/tickets/read", ["patient", "doctor"]],
    ];
    await leavesNoTrace(system, async () => {
      for (const [method, path, allowed] of routes) {
        const options = method === "POST" ? { json: {} } : {};
        for (const [role, token] of Object.entries(byRole)) {
          const answer = await call(method, path, { ...options, token });
          if (allowed.includes(role)) {
            expect(answer.status, `${role} ${method} ${path}`).toBe(method === "GET" ? 200 : 400);
          } else {
            await expectProblem(answer, 403, "ROLE_FORBIDDEN");
          }
        }
        await expectProblem(await call(method, path, options), 401, "SESSION_INVALID");
      }
    });
  });

  it("nobody by a token that is made up, or that stands in the URL or the body", async () => {
    const token = await tokenOf("quiet-otter");
    expect((await call("GET", "/accounts/me", { token })).status).toBe(200);
    await leavesNoTrace(system, async () => {
      for (const wrong of ["x", token.slice(1), token.toLowerCase(), "null", "%24gt"]) {
        await expectProblem(await call("GET", "/accounts/me", { token: wrong }), 401, "SESSION_INVALID");
      }
      await expectProblem(await call("GET", `/accounts/me?access_token=${token}`), 401, "SESSION_INVALID");
      const twice = await call("GET", `/accounts/me?access_token=${token}`, { token });
      await expectProblem(twice, 401, "SESSION_INVALID");
      const inBody = await call("POST", "/epochs", { json: { access_token: token } });
      await expectProblem(inBody, 401, "SESSION_INVALID");
    });
  });

  it("nobody by a password in the URL, which would go past the limits on a handle", async () => {
    const query = `?handle=quiet-otter&password=${encodeURIComponent(PASSWORD)}`;
    for (const json of [
      {},
      { handle: "", password: "" },
      { handle: "", password: PASSWORD },
      { handle: "quiet-otter", password: "" },
    ]) {
      await expectProblem(await call("POST", `/sessions${query}`, { json }), 400, "REQUEST_INVALID");
    }
  });

  it("nobody after the logout, and nobody after twelve hours", async () => {
    const token = await tokenOf("quiet-otter");
    const other = await tokenOf("quiet-otter");
    expect((await call("DELETE", "/sessions/current", { token })).status).toBe(204);
    await expectProblem(await call("GET", "/accounts/me", { token }), 401, "SESSION_INVALID");
    await expectProblem(await call("DELETE", "/sessions/current", { token }), 401, "SESSION_INVALID");
    expect((await call("GET", "/accounts/me", { token: other })).status).toBe(200);
    system.clock.advance(12 * 60 * 60_000 - 60_000);
    expect((await call("GET", "/accounts/me", { token: other })).status).toBe(200);
    system.clock.advance(61_000);
    await expectProblem(await call("GET", "/accounts/me", { token: other }), 401, "SESSION_INVALID");
  });

  it("shows doctors to those who look for them, and patients, operators and machines to nobody", async () => {
    const token = await tokenOf("quiet-otter");
    const found = await (await call("GET", "/directory/dr-heron", { token })).json();
    expect(Object.keys(found).sort()).toEqual(["accountId", "handle", "identity", "role"]);
    const details = [];
    for (const handle of ["quiet-otter", "operator", "cloudlet-one", "nobody-here"]) {
      const problem = await expectProblem(
        await call("GET", `/directory/${handle}`, { token }),
        404,
        "ACCOUNT_UNKNOWN",
      );
      details.push(String(problem.detail).replace(handle, "…"));
    }
    expect(new Set(details).size).toBe(1);
    await expectProblem(await call("GET", "/directory/DR-HERON", { token }), 400, "REQUEST_INVALID");
    await expectProblem(await call("GET", "/directory/dr-heron"), 401, "SESSION_INVALID");
  });

  it("the same answer for an unknown handle, a machine's handle and a wrong password", async () => {
    const answers = [];
    for (const handle of ["quiet-otter", "nobody-at-all", "cloudlet-one"]) {
      const response = await login(handle, "a wrong password");
      const { instance: _, ...problem } = await expectProblem(response, 401, "LOGIN_FAILED");
      answers.push(problem);
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  it("is throttled after ten wrong passwords for one handle alone, and a right one clears the count", async () => {
    await leavesNoTrace(system, async () => {
      for (let i = 0; i < 10; i++) {
        await expectProblem(await login("first-user", "a wrong password"), 401, "LOGIN_FAILED");
      }
      for (const password of ["a wrong password", PASSWORD]) {
        const limited = await login("first-user", password);
        const { retryAfterSeconds } = await expectProblem(limited, 429, "RATE_LIMITED");
        expect(limited.headers.get("retry-after")).toBe(String(retryAfterSeconds));
        expect(retryAfterSeconds).toBeGreaterThan(800);
        expect(retryAfterSeconds).toBeLessThanOrEqual(900);
      }
    });
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 8; i++) {
        await expectProblem(await login("dr-heron", "a wrong password"), 401, "LOGIN_FAILED");
      }
      expect((await system.login("dr-heron")).secondFactor).toBe("active");
    }
  });

  it("leaves argon2id strings in the store, and no password, token or invitation code", async () => {
    await snapshot(system);
    const accounts = await documentsOf(system.stores.kdc, "accounts");
    const people = accounts.filter(({ role }) => role !== "cloudlet");
    expect(people.length).toBeGreaterThan(3);
    for (const { passwordHash } of people) {
      expect(passwordHash).toMatch(
        /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
      );
    }
    expect(new Set(people.map(({ passwordHash }) => passwordHash)).size).toBe(people.length);
    const secrets = [...codes, ...tokens, PASSWORD];
    expect(secrets.length).toBeGreaterThan(8);
    for (const [service, store] of Object.entries(system.stores)) {
      const text = JSON.stringify(await dumpOf(store));
      for (const secret of secrets) {
        expect(text.includes(secret), `${service} holds a secret`).toBe(false);
        expect(text.includes(Buffer.from(secret, "base64url").toString("hex")), service).toBe(false);
      }
    }
    const lines = system.logLines.join("\n");
    for (const secret of secrets) {
      expect(lines.includes(secret)).toBe(false);
    }
  });
});
