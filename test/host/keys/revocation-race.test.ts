import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { systemClock, toBase64Url } from "../../../host/base/index.ts";
import { createIdentity } from "../../../host/client/index.ts";
import { revokeConsent } from "../../../host/client/kdc-consents.ts";
import { createLog, createServiceApp } from "../../../host/http/index.ts";
import { createAccountEvents } from "../../../host/identity/account-events.ts";
import {
  createAccounts,
  createDevices,
  createLogin,
  createRoutes,
  createSessions,
  type Role,
} from "../../../host/identity/index.ts";
import { addSuspensionRoutes } from "../../../host/identity/suspension-routes.ts";
import { addConsentRoutes } from "../../../host/keys/consent-routes.ts";
import { createConsents, createEpochs } from "../../../host/keys/index.ts";
import { createOpenAccounts } from "../../../host/keys/open-accounts.ts";
import { createReleases } from "../../../host/keys/releases.ts";
import {
  CONSENT,
  type Consent,
  EPOCH,
  type Epoch,
  REVOCATION,
  type StatementKind,
  signStatement,
  WRAPPED_KEY,
  wrapEpochKey,
} from "../../../host/sealing/index.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Doctor, type Patient, type System, startSystem } from "../../support/system.ts";
import { newId } from "../client/people.ts";
import { loadSuite } from "../sealing/fixtures.ts";

const ANY = z.unknown();

describe.each(backends())("revoking while the reader reads, on the $name store", (backend) => {
  let system: System;
  let ada: Patient;
  let heron: Doctor;
  let streamId: string;
  const share = (): Promise<Consent> => ada.owner.share(termsFor(system, heron));
  beforeAll(async () => {
    system = await startSystem(backend);
    ada = await system.patient("quiet-otter", "Ada");
    heron = await system.doctor("dr-heron");
    ({ streamId } = await ada.owner.startEpoch("medical"));
  });
  afterAll(() => system?.stop());

  it("hands out no ticket, key or grant once the revocation is acknowledged, however many ask at once", async () => {
    let before = 0;
    for (let round = 0; round < 8; round++) {
      const consent = await share();
      const { consentId } = consent;
      let acknowledgedAt = Number.POSITIVE_INFINITY;
      const late: string[] = [];
      /** Asks on and on until it was refused after the acknowledgement. */
      const ask = async (what: string, once: () => Promise<boolean>) => {
        for (;;) {
          const given = await once().catch(() => false);
          const after = performance.now() >= acknowledgedAt;
          if (given && after) {
            late.push(what);
          }
          before += given && !after ? 1 : 0;
          if (after) {
            return;
          }
        }
      };
      const asking = Array.from({ length: 4 }, () => [
        ask("ticket", async () => (await heron.session.readTicket(streamId, heron.keys.signing)) !== null),
        ask("key", async () => {
          await heron.session.call(ANY, { method: "GET", path: `/consents/${consentId}/keys` });
          return true;
        }),
        ask("grant", async () => (await heron.session.grants()).length > 0),
      ]).flat();
      const revocation = { consentId, owner: consent.owner, revokedAt: system.clock.now() };
      const statement = await signStatement(REVOCATION, revocation, ada.keys.signing);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await revokeConsent(ada.session.call, statement);
      // What left before the acknowledgement is in this machine's buffers by now: let it be read.
      for (let turn = 0; turn < 10; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      acknowledgedAt = performance.now();
      await Promise.all(asking);
      expect(late).toEqual([]);
    }
    // Something has to be handed out before, or nothing was tried.
    expect(before).toBeGreaterThan(8);
  });

  it.runIf(backend.name === "embedded")(
    "ends a consent once, however many revocations come at once",
    async () => {
      const { consentId } = await share();
      const before = ada.owner.epochs.length;
      const done = await Promise.allSettled(Array.from({ length: 8 }, () => ada.owner.revoke(consentId)));
      expect(done.map(({ status }) => status)).toEqual(Array(8).fill("fulfilled"));
      const given = (await ada.owner.consents()).find(({ consent }) => consent.consentId === consentId);
      expect(given?.revokedAt).not.toBeNull();
      expect(await heron.session.grants()).toEqual([]);
      const numbers = ada.owner.epochs.map(({ number }) => number);
      expect(numbers).toEqual(numbers.map((_, i) => i + 1));
      expect(numbers).toHaveLength(before + 1);
    },
  );
});

/** A KDC's consent routes whose audit takes as long as the test wants. */
async function slowlyAudited(backend: ReturnType<typeof backends>[number]) {
  const clock = systemClock;
  const store = await backend.open("kdc");
  const accounts = await createAccounts(store, clock);
  const sessions = await createSessions(store, clock);
  const devices = await createDevices(store, clock);
  const epochs = await createEpochs(store);
  const consents = await createConsents(store, epochs, clock);
  let reached: (action: string) => void = () => {};
  let goOn: Promise<void> = Promise.resolve();
  const audit = {
    append: async ({ action, outcome }: { action: string; outcome: string }) => {
      if (action === "key.release" && outcome === "success") {
        reached(action);
        await goOn;
      }
    },
  };
  const login = await createLogin(accounts, sessions);
  const routes = createRoutes({ login, audit, publicUrl: () => "" });
  const releases = createReleases(60_000);
  const open = createOpenAccounts({ accounts, devices, consents, releases, clock });
  const onGiven = async () => {};
  addConsentRoutes(routes, { accounts, devices, epochs, consents, releases, open, onGiven });
  const events = await createAccountEvents(store, clock, { send: async () => {} });
  addSuspensionRoutes(routes, { accounts, events, clock, settled: open.settled });
  const log = createLog({ service: "kdc", level: "error" });
  const { app } = createServiceApp({
    log,
    probes: [],
    rateLimit: { points: 1_000_000, seconds: 1 },
    routes,
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const suite = await loadSuite();
  const person = async (handle: string, role: Role = "patient") => {
    const { keys, statement: identity } = await createIdentity(suite, clock);
    let account = await accounts.create({ handle, role, password: null, identity });
    if (role !== "patient") {
      const secondFactor = { sealed: "", confirmedAt: 0, lastStep: 0, backupCodes: [] };
      account = await accounts.renew(account, { secondFactor });
    }
    return { keys, account, token: (await sessions.open(account, "")).token };
  };
  return {
    suite,
    epochs,
    person,
    /** The next release of a key stops at the audit: when it is there, and how to let it go on. */
    hold: () => {
      let release: () => void = () => {};
      goOn = new Promise((resolve) => {
        release = resolve;
      });
      return { atAudit: new Promise<string>((resolve) => (reached = resolve)), release: () => release() };
    },
    send: (method: string, path: string, token: string, json?: unknown) =>
      fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        body: json === undefined ? null : JSON.stringify(json),
      }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await store.close();
    },
  };
}

describe.each(backends())(
  "a key that was on its way when its consent was revoked or an account closed, on the $name store",
  (backend) => {
    /** A patient who shares with another, each with a session. */
    const shared = async () => {
      const kdc = await slowlyAudited(backend);
      const ada = await kdc.person("quiet-otter");
      const heron = await kdc.person("brave-wren");
      const owner = ada.account._id;
      const reader = heron.account._id;
      const { privateKey, publicKey } = await kdc.suite.generateKeyPair();
      const now = Date.now();
      const epochId = newId();
      const sign = <T>(kind: StatementKind<T>, payload: T) => signStatement(kind, payload, ada.keys.signing);
      await kdc.epochs.publish(
        owner,
        ada.keys.signing.publicKey,
        await sign<Epoch>(EPOCH, {
          ...{ owner, region: "medical", streamId: newId(), epochId, number: 1, suite: 1, createdAt: now },
          publicKey: toBase64Url(publicKey),
        }),
      );
      const consent: Consent = {
        ...{ consentId: newId(), owner, reader, readerFingerprint: heron.account.fingerprint },
        ...{ regions: ["medical"], purpose: "self-care", from: now, until: now + DAY_MS, createdAt: now },
      };
      const { consentId } = consent;
      const key = await wrapEpochKey(
        kdc.suite,
        heron.keys.receiving.publicKey,
        { consentId, owner, reader, epochId },
        { privateKey, ownerName: "Ada" },
      );
      const wrappedKeys = [await sign(WRAPPED_KEY, key)];
      expect((await kdc.send("POST", "/wrapped-keys", ada.token, { wrappedKeys })).status).toBe(201);
      const statement = await sign(CONSENT, consent);
      expect((await kdc.send("POST", "/consents", ada.token, { statement })).status).toBe(201);
      return { kdc, ada, heron, consent, sign };
    };

    it.each(["quiet-otter", "brave-wren"])(
      "is out before the closing of an account is acknowledged: of %s",
      async (handle) => {
        const { kdc, heron, consent } = await shared();
        const officer = await kdc.person("day-watch", "security-officer");
        const keys = `/consents/${consent.consentId}/keys`;
        const { atAudit, release } = kdc.hold();
        const order: string[] = [];
        const reading = kdc.send("GET", keys, heron.token).then((answer) => {
          order.push(`key ${answer.status}`);
          return answer.text();
        });
        await atAudit;
        const closing = kdc
          .send("PUT", `/suspensions/${handle}`, officer.token, { suspended: true })
          .then((answer) => {
            order.push(`closed ${answer.status}`);
            return answer.text();
          });
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(order).toEqual([]);
        expect([401, 403]).toContain((await kdc.send("GET", keys, heron.token)).status);
        release();
        await Promise.all([reading, closing]);
        expect(order).toEqual(["key 200", "closed 200"]);
        await kdc.close();
      },
    );

    it("is out before the revocation is acknowledged", async () => {
      const { kdc, ada, heron, consent, sign } = await shared();
      const { consentId, owner } = consent;
      const { atAudit, release } = kdc.hold();
      const order: string[] = [];
      const reading = kdc.send("GET", `/consents/${consentId}/keys`, heron.token).then((answer) => {
        order.push(`key ${answer.status}`);
        return answer.text();
      });
      await atAudit;
      const revocation = await sign(REVOCATION, { consentId, owner, revokedAt: Date.now() });
      const revoking = kdc
        .send("POST", "/revocations", ada.token, { statement: revocation })
        .then((answer) => {
          order.push(`revoked ${answer.status}`);
          return answer.text();
        });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(order).toEqual([]);
      // Whoever asks now is refused, though nothing is acknowledged yet.
      expect((await kdc.send("GET", `/consents/${consentId}/keys`, heron.token)).status).toBe(403);
      release();
      await Promise.all([reading, revoking]);
      expect(order).toEqual(["key 200", "revoked 201"]);
      await kdc.close();
    });
  },
);

/** A server whose answers say when they may go on. */
async function answering(handle: (response: ServerResponse) => void) {
  const server = createServer((_request, response) => handle(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    get: async (): Promise<IncomingMessage> => {
      const sent = request({ port, host: "127.0.0.1" });
      sent.end();
      const [response] = await once(sent, "response");
      return response as IncomingMessage;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("answers that hand something out", () => {
  it("are waited for, if they began before and go to the same receiver", async () => {
    const releases = createReleases();
    let finish: () => void = () => {};
    const server = await answering((response) => {
      releases.begin("heron", response);
      response.write("half");
      finish = () => response.end("whole");
    });
    const answer = await server.get();
    let settled = false;
    const revoked = releases.settled("heron").then(() => {
      settled = true;
    });
    await releases.settled("stork");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(settled).toBe(false);
    finish();
    answer.resume();
    await revoked;
    await releases.settled("heron");
    server.close();
  });

  it("are cut off where their receiver does not take them, and writing on is no crash", async () => {
    const releases = createReleases(200);
    let written: ServerResponse | undefined;
    const server = await answering((response) => {
      written = response;
      releases.begin("heron", response);
      response.write("x");
    });
    const answer = await server.get();
    const cut = new Promise((resolve) => answer.once("close", resolve));
    answer.on("error", () => {});
    answer.resume();
    await releases.settled("heron");
    await cut;
    expect(answer.complete).toBe(false);
    written?.write("too late");
    written?.end("much too late");
    await new Promise((resolve) => setTimeout(resolve, 50));
    server.close();
  });

  it("are not waited for once their connection is gone", async () => {
    const releases = createReleases();
    const server = await answering((response) => {
      response.once("close", () => releases.begin("heron", response));
      response.end("done");
    });
    (await server.get()).resume();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await releases.settled("heron");
    server.close();
  });
});
