import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKdcApp } from "../../../host/apps/index.ts";
import type { AuditEntry } from "../../../host/audit/index.ts";
import { MedcloudletError, randomBytes } from "../../../host/base/index.ts";
import { createHttpClient, createIdentity, createKdcClient } from "../../../host/client/index.ts";
import { createLog, listen } from "../../../host/http/index.ts";
import { loadNtru } from "../../../host/ntru/index.ts";
import { createSealingSuite } from "../../../host/sealing/index.ts";
import { createEmbeddedStore } from "../../../host/store/index.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import {
  createTestClock,
  type Doctor,
  PASSWORD,
  type System,
  startSystem,
  ticketKeyRing,
} from "../../support/system.ts";
import { documentsOf, kdcOf, someId, strangerKey, wearerOf } from "../http/attack.ts";

describe.each(backends())("the audit of what the KDC does, on the $name store", (backend) => {
  let system: System;
  let wearer: Awaited<ReturnType<typeof wearerOf>>;
  let doctor: Doctor;

  /** What was appended meanwhile. */
  const entriesOf = async (work: () => Promise<unknown>): Promise<AuditEntry[]> => {
    const all = async () =>
      ((await documentsOf(system.stores.kdc, "audit")) as unknown as AuditEntry[]).sort(
        (a, b) => a.sequence - b.sequence,
      );
    const before = (await all()).length;
    await work();
    return (await all()).slice(before);
  };
  const idOf = ({ session }: { session: { account: { accountId: string } } }) => session.account.accountId;

  beforeAll(async () => {
    system = await startSystem(backend);
    wearer = await wearerOf(system, "quiet-otter");
    doctor = await system.doctor("dr-heron");
  });
  afterAll(() => system?.stop());

  it("names actor, owner, object and outcome of a consent, a key release and a ticket", async () => {
    const entries = await entriesOf(async () => {
      await wearer.patient.owner.share(termsFor(system, doctor));
      await doctor.session.grants();
      await doctor.session.readTicket(wearer.streamId, doctor.keys.signing);
    });
    const [ada, heron] = [idOf(wearer.patient), idOf(doctor)];
    expect(
      entries.map(({ action, actor, actorRole, owner, outcome }) => [
        action,
        actor,
        actorRole,
        owner,
        outcome,
      ]),
    ).toEqual(
      expect.arrayContaining([
        ["consent.give", ada, "patient", ada, "success"],
        ["ticket.read", heron, "doctor", ada, "success"],
      ]),
    );
    expect(entries.find(({ action }) => action === "ticket.read")?.object).toBe(wearer.streamId);
  });

  it("says who was refused what, and why, to the patient whom it concerns", async () => {
    const other = await wearerOf(system, "brave-wren");
    const entries = await entriesOf(async () => {
      await expect(doctor.session.readTicket(other.streamId, doctor.keys.signing)).rejects.toMatchObject({
        code: "CONSENT_MISSING",
      });
      await expect(doctor.session.invite("doctor")).rejects.toMatchObject({ code: "ROLE_FORBIDDEN" });
    });
    expect(entries).toMatchObject([
      {
        action: "ticket.read",
        actor: idOf(doctor),
        owner: idOf(other.patient),
        object: other.streamId,
        outcome: "refused",
        code: "CONSENT_MISSING",
      },
      {
        action: "invitation.make",
        actor: idOf(doctor),
        owner: null,
        outcome: "refused",
        code: "ROLE_FORBIDDEN",
      },
    ]);
  });

  it("has logins, and failed ones of accounts that there are, and lets strangers fill nothing", async () => {
    const kdc = kdcOf(system);
    const entries = await entriesOf(async () => {
      await expect(kdc.login("quiet-otter", "not the password")).rejects.toMatchObject({
        code: "LOGIN_FAILED",
      });
      await kdc.login("quiet-otter", PASSWORD);
      await expect(kdc.login("nobody-here", "correct horse?")).rejects.toMatchObject({
        code: "LOGIN_FAILED",
      });
      await expect(kdc.uploadTicket(someId(), await strangerKey())).rejects.toMatchObject({
        code: "DEVICE_UNKNOWN",
      });
      await expect(kdc.forwardTicket(someId(), await strangerKey())).rejects.toMatchObject({
        code: "CLOUDLET_UNKNOWN",
      });
    });
    const ada = idOf(wearer.patient);
    expect(entries).toMatchObject([
      { action: "session.open", actor: null, owner: ada, outcome: "refused", code: "LOGIN_FAILED" },
      { action: "session.open", actor: ada, actorRole: "patient", owner: ada, outcome: "success" },
    ]);
    expect(entries).toHaveLength(2);
  });

  it("has a device that asked for a ticket as the actor", async () => {
    const entries = await entriesOf(() => kdcOf(system).uploadTicket(wearer.deviceId, wearer.key));
    expect(entries).toMatchObject([
      { action: "ticket.upload", actor: wearer.deviceId, actorRole: "device", owner: idOf(wearer.patient) },
    ]);
  });

  it("keeps no password, code, token, key or name", async () => {
    const { code } = await system.operator.session.invite("patient");
    const text = JSON.stringify(await documentsOf(system.stores.kdc, "audit"));
    for (const secret of [code, PASSWORD, "Somebody Real", "nobody-here", "correct horse?"]) {
      expect(text.includes(secret), secret).toBe(false);
    }
  });
});

describe("a KDC whose audit cannot be written", () => {
  it("lets nothing out: no account, session, invitation or ticket", async () => {
    const store = createEmbeddedStore({ directory: await mkdtemp(join(tmpdir(), "medcloudlet-audit-")) });
    const clock = createTestClock();
    const log = createLog({ service: "kdc", level: "silent" });
    let broken = false;
    const app = await createKdcApp({
      store,
      clock,
      log,
      ticketKeys: await ticketKeyRing(clock),
      factorKey: randomBytes(32),
      rateLimit: { points: 1000, seconds: 1 },
      trustProxies: 0,
      audit: {
        append: async () => {
          if (broken) {
            throw new MedcloudletError("STORE_UNAVAILABLE", "The store does not answer.", { status: 503 });
          }
        },
        close: async () => {},
      } as unknown as Parameters<typeof createKdcApp>[0]["audit"],
    });
    const service = await listen(app, { host: "127.0.0.1", port: 0, log });
    try {
      const kdc = createKdcClient({ http: createHttpClient({ clock }), url: service.url });
      const suite = createSealingSuite(await loadNtru("ntruhps2048677"));
      const { statement } = await createIdentity(suite, clock);
      const { code } = await app.invitations.create("operator", null);
      await kdc.register({ invitation: code, handle: "operator", password: PASSWORD, identity: statement });
      const session = await kdc.login("operator", PASSWORD);
      broken = true;
      await expect(session.invite("doctor")).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
        status: 503,
      });
      await expect(kdc.login("operator", PASSWORD)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    } finally {
      await service.close();
    }
  });
});
