import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccountClient } from "../../../host/client/index.ts";
import { backends } from "../../support/stores.ts";
import { PASSWORD, type System, startSystem } from "../../support/system.ts";
import { documentsOf, expectProblem, kdcOf, leavesNoTrace } from "../http/attack.ts";

const MINUTE_MS = 60_000;
const NEW_PASSWORD = "seven otters under one bridge";

describe.each(backends())("sessions and passwords on the $name store", (backend) => {
  let system: System;

  const show = (token: string) =>
    fetch(`${system.kdc.url}/v1/accounts/me`, { headers: { Authorization: `Bearer ${token}` } });
  const statusOf = async (token: string) => (await show(token)).status;

  const loginWith = (handle: string, password: string, more: Record<string, unknown> = {}) =>
    fetch(`${system.kdc.url}/v1/sessions`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ handle, password, ...more }),
    });

  beforeAll(async () => {
    system = await startSystem(backend);
    await system.patient("quiet-otter", "Ada");
    await system.patient("loud-magpie", "Bo");
    await system.doctor("dr-heron");
  });
  afterAll(() => system?.stop());

  it("are listed to their owner alone, without tokens, and ended one by one", async () => {
    const [here, there] = [await system.login("quiet-otter"), await system.login("quiet-otter")];
    const other = await system.login("loud-magpie");
    const own = await createAccountClient(here).sessions();
    expect(own.filter(({ current }) => current)).toHaveLength(1);
    expect(JSON.stringify(own)).not.toContain(here.token);
    const hashes = (await documentsOf(system.stores.kdc, "sessions")).map(({ _id }) => String(_id));
    for (const hash of hashes) {
      expect(JSON.stringify(own)).not.toContain(hash);
    }
    const theirs = (await createAccountClient(other).sessions()).find(({ current }) => current);
    const mine = (await createAccountClient(there).sessions()).find(({ current }) => current);

    await leavesNoTrace(system, async () => {
      for (const sessionId of [String(theirs?.sessionId), "00".repeat(16)]) {
        await expect(createAccountClient(here).endSession(sessionId)).rejects.toMatchObject({
          code: "SESSION_UNKNOWN",
          status: 404,
        });
      }
    });
    expect(await statusOf(other.token)).toBe(200);
    await createAccountClient(here).endSession(String(mine?.sessionId));
    expect(await statusOf(there.token)).toBe(401);
    expect(await statusOf(here.token)).toBe(200);
  });

  it("end all at once but for the one that asks", async () => {
    const sessions = [];
    for (let i = 0; i < 4; i++) {
      sessions.push(await system.login("quiet-otter"));
    }
    const [here, ...others] = sessions;
    const other = await system.login("loud-magpie");
    await createAccountClient(here as (typeof sessions)[number]).endOtherSessions();
    expect(await statusOf(here?.token ?? "")).toBe(200);
    for (const { token } of others) {
      expect(await statusOf(token)).toBe(401);
    }
    expect(await statusOf(other.token)).toBe(200);
    expect(await createAccountClient(here as (typeof sessions)[number]).sessions()).toHaveLength(1);
  });

  it("show what the client said it is, cut and cleaned", async () => {
    const response = await fetch(`${system.kdc.url}/v1/sessions`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "User-Agent": `\x1b[31mred\t${"x".repeat(200)}` },
      body: JSON.stringify({ handle: "quiet-otter", password: PASSWORD }),
    }).catch(() => null);
    // fetch refuses control characters in headers; without them the length is still to be cut.
    const answer =
      response ??
      (await fetch(`${system.kdc.url}/v1/sessions`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "User-Agent": `\u00e9${"x".repeat(200)}` },
        body: JSON.stringify({ handle: "quiet-otter", password: PASSWORD }),
      }));
    const { token } = await answer.json();
    const session = await kdcOf(system).resume({ token, expiresAt: 0 });
    const current = (await createAccountClient(session).sessions()).find((own) => own.current);
    expect(current?.agent).toMatch(/^[\x20-\x7e]{80}$/);
  });

  it("of staff end after half an hour without a request; those of patients do not", async () => {
    const doctor = await system.login("dr-heron");
    const patient = await system.login("quiet-otter");
    for (let i = 0; i < 4; i++) {
      system.clock.advance(20 * MINUTE_MS);
      expect(await statusOf(doctor.token)).toBe(200);
    }
    system.clock.advance(31 * MINUTE_MS);
    await expectProblem(await show(doctor.token), 401, "SESSION_INVALID");
    expect(await statusOf(patient.token)).toBe(200);
  });

  it("are written at most every five minutes, however often they are used", async () => {
    const { token } = await system.login("quiet-otter");
    await leavesNoTrace(system, async () => {
      for (let i = 0; i < 5; i++) {
        expect(await statusOf(token)).toBe(200);
      }
    });
    system.clock.advance(6 * MINUTE_MS);
    const session = await kdcOf(system).resume({ token, expiresAt: 0 });
    const current = (await createAccountClient(session).sessions()).find((own) => own.current);
    expect(system.clock.now() - (current?.lastUsedAt ?? 0)).toBeLessThan(MINUTE_MS);
    expect((current?.lastUsedAt ?? 0) - (current?.createdAt ?? 0)).toBeGreaterThan(5 * MINUTE_MS);
  });

  it("are over, all others, once the password changes; the old password is worth nothing", async () => {
    const here = await system.login("quiet-otter");
    const there = await system.login("quiet-otter");
    const account = createAccountClient(here);
    await leavesNoTrace(system, async () => {
      for (const [given, code] of [
        [{ password: "a wrong password", newPassword: NEW_PASSWORD }, "PASSWORD_WRONG"],
        [{ password: PASSWORD, newPassword: "short" }, "REQUEST_INVALID"],
        [{ password: PASSWORD, newPassword: "passwordpassword" }, "PASSWORD_WEAK"],
      ] as const) {
        await expect(account.changePassword(given)).rejects.toMatchObject({ code });
      }
    });
    await account.changePassword({ password: PASSWORD, newPassword: NEW_PASSWORD });
    expect(await statusOf(here.token)).toBe(200);
    expect(await statusOf(there.token)).toBe(401);
    await expectProblem(await loginWith("quiet-otter", PASSWORD), 401, "LOGIN_FAILED");
    expect((await loginWith("quiet-otter", NEW_PASSWORD)).status).toBe(201);
    expect((await account.events()).map(({ kind }) => kind)).toContain("password-changed");
  });

  it.runIf(backend.name === "embedded")("change to one of two passwords that come at once", async () => {
    const session = await system.login("loud-magpie");
    const changes = ["first of two long passwords", "second of two long passwords"].map((newPassword) =>
      createAccountClient(session)
        .changePassword({ password: PASSWORD, newPassword })
        .then(
          () => newPassword,
          () => null,
        ),
    );
    const won = (await Promise.all(changes)).filter((password) => password !== null);
    expect(won).toHaveLength(1);
    expect((await loginWith("loud-magpie", String(won[0]))).status).toBe(201);
  });

  it("do not begin with a password that everybody tries first, or with the handle in it", async () => {
    const account = createAccountClient(await kdcOf(system).login("quiet-otter", NEW_PASSWORD));
    for (const newPassword of [
      "password1234",
      "123456789012",
      "qwertyuiopas",
      "aaaaaaaaaaaaaaaaaaaa",
      "iloveyouiloveyou",
      "quiet-otter-2026",
    ]) {
      await expect(
        account.changePassword({ password: NEW_PASSWORD, newPassword }),
        newPassword,
      ).rejects.toMatchObject({ code: "PASSWORD_WEAK", status: 400 });
    }
  });

  describe("under a guesser who comes from everywhere", () => {
    /** A login from one of loopback's many addresses. */
    const loginFrom = (address: string, body: Record<string, unknown>) =>
      new Promise<number>((resolve, reject) => {
        const { port } = new URL(system.kdc.url);
        const sent = request(
          {
            host: "127.0.0.1",
            port,
            localAddress: address,
            method: "POST",
            path: "/v1/sessions",
            headers: { "Content-Type": "application/json" },
          },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        sent.on("error", reject);
        sent.end(JSON.stringify(body));
      });

    it("lock strangers out, and let the owner in from where they logged in before", async () => {
      await system.patient("marsh-hen", "Cy");
      const handle = "marsh-hen";
      const { deviceToken } = await kdcOf(system).login(handle, PASSWORD);
      expect(deviceToken).toMatch(/^[\w-]{43}$/);
      const foreign = (await kdcOf(system).login("quiet-otter", NEW_PASSWORD)).deviceToken;
      let refused = 0;
      for (let address = 2; address < 12; address++) {
        for (let i = 0; i < 10; i++) {
          const status = await loginFrom(`127.0.0.${address}`, { handle, password: "a wrong password" });
          refused += status === 401 ? 1 : 0;
        }
      }
      expect(refused).toBe(100);
      // The attack: the owner is locked out from every address, with the right password.
      expect(await loginFrom("127.0.0.50", { handle, password: PASSWORD })).toBe(429);
      // Made-up tokens and those of other accounts are no cure.
      for (const wrong of ["x".repeat(43), foreign]) {
        expect(await loginFrom("127.0.0.51", { handle, password: PASSWORD, deviceToken: wrong })).toBe(429);
      }
      // The cure.
      expect(await loginFrom("127.0.0.52", { handle, password: PASSWORD, deviceToken })).toBe(201);
    });

    it("give a known program ten tries of its own, wherever it comes from", async () => {
      await system.patient("reed-wren", "Di");
      const handle = "reed-wren";
      const { deviceToken } = await kdcOf(system).login(handle, PASSWORD);
      const wrong = { handle, password: "a wrong password", deviceToken };
      for (let i = 0; i < 10; i++) {
        expect(await loginFrom(`127.0.1.${i + 1}`, wrong)).toBe(401);
      }
      expect(await loginFrom("127.0.1.20", wrong)).toBe(429);
      expect(await loginFrom("127.0.1.21", { handle, password: PASSWORD })).toBe(201);
    });

    it("keep no token in the clear, and twenty of an account", async () => {
      for (let i = 0; i < 22; i++) {
        await kdcOf(system).login("reed-wren", PASSWORD);
      }
      const accounts = await documentsOf(system.stores.kdc, "accounts");
      const wren = accounts.find(({ handle }) => handle === "reed-wren");
      const kept = (await documentsOf(system.stores.kdc, "known_clients")).filter(
        ({ accountId }) => accountId === wren?._id,
      );
      expect(kept).toHaveLength(20);
    });
  });
});
