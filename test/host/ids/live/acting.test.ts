import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../support/stores.ts";
import { eventually, PASSWORD, type Person, type System, startSystem } from "../../../support/system.ts";
import { replay, type Sensor, sealedBy, uploadBy, wearerOf } from "../../http/attack.ts";
import {
  ask,
  attackFrom,
  expectProblem,
  heldAgainst,
  httpFrom,
  kdcFrom,
  keptOf,
  officerAt,
  type ServiceName,
} from "./world.ts";

const SERVICES: readonly ServiceName[] = ["kdc", "cloud", "cloudlet"];
const IDS = expect.stringMatching(/^IDS_/);
let lastAddress = 0;
/** An address that no other test uses. */
const freshAddress = () => `203.0.113.${++lastAddress}`;

describe.each(backends())("who attacks a running service, on the $name store", (backend) => {
  let system: System;
  let officer: Person;
  let sensor: Sensor & { patient: Person };
  let sequence = 0;

  beforeAll(async () => {
    system = await startSystem(backend, { trustProxies: 1, ids: { mode: "enforce" } });
    officer = await system.person("security-officer", "officer");
    sensor = await wearerOf(system, "honest-heron");
  });
  afterAll(() => system?.stop());

  const upload = async (address: string) => {
    const { ticket } = await kdcFrom(system, address).uploadTicket(sensor.deviceId, sensor.key);
    const holder = { key: sensor.key, ticket };
    const { url, init } = await uploadBy(system, holder, await sealedBy(system, sensor, ++sequence));
    return replay({
      url,
      init: { ...init, headers: { ...(init.headers as object), "X-Forwarded-For": address } },
    });
  };

  it.each(SERVICES)(
    "is held back at the %s, and told until when, by which number and how to object",
    async (service) => {
      const address = freshAddress();
      const decision = await attackFrom(system, service, address);
      expect(decision).toMatch(/^[0-9a-f]{32}$/);
      expect(await heldAgainst(system, service, address)).toMatch(/^IDS_/);
      expect(await heldAgainst(system, service, freshAddress())).toBe(null);
      const refused = await ask(system, service, address, "/v1/nowhere");
      const { code } = (await refused.clone().json()) as { code: string };
      const problem = await expectProblem(refused, code === "IDS_THROTTLED" ? 429 : 403, code);
      expect(problem).toMatchObject({ decision, appeal: "/v1/ids/appeals" });
      expect(Date.parse(String(problem.until))).toBeGreaterThan(system.clock.now());
      // It ends by itself.
      system.clock.advance(2 * 3_600_000);
      expect(await heldAgainst(system, service, address)).toBe(null);
    },
  );

  it("does not lock out an honest patient behind the same address", async () => {
    const address = freshAddress();
    await attackFrom(system, "cloudlet", address);
    await attackFrom(system, "kdc", address);
    // A device that asks the KDC for its next ticket with its key alone, and uploads with ticket and key.
    expect((await upload(address)).status).toBe(202);
    const kdc = kdcFrom(system, address);
    // One whose ticket ran out hears that, and not that it should wait.
    const stale = await uploadBy(system, sensor, await sealedBy(system, sensor, ++sequence));
    const headers = { ...(stale.init.headers as object), "X-Forwarded-For": address };
    await expectProblem(await fetch(stale.url, { ...stale.init, headers }), 401, "TICKET_EXPIRED");
    // A session.
    const { token, expiresAt } = sensor.patient.session;
    const session = await kdc.resume({ token, expiresAt });
    expect(await session.epochs()).toHaveLength(1);
    // A login from a program that logged in before; not one that nobody knows.
    const known = await kdcFrom(system, freshAddress()).login("honest-heron", PASSWORD);
    await expect(
      kdc.login("honest-heron", PASSWORD, { deviceToken: known.deviceToken as string }),
    ).resolves.toHaveProperty("token");
    await expect(kdc.login("honest-heron", PASSWORD)).rejects.toMatchObject({ code: IDS });
    // Any key of one's own making is no proof of anything, nor is a token that nobody gave.
    await expect(kdc.uploadTicket("0".repeat(32), sensor.key)).rejects.toMatchObject({ code: IDS });
    await expect(kdc.resume({ token: "nobody", expiresAt: 0 })).rejects.toMatchObject({ code: IDS });
    // What machines check tickets with stays open.
    expect((await ask(system, "kdc", address, "/v1/ticket-keys")).status).toBe(200);
  });

  it("is noted with what fired and where, and nothing of what was sent", async () => {
    const address = freshAddress();
    const decision = await attackFrom(system, "cloud", address);
    await eventually(async () => (await keptOf(system, "cloud", "events")).length > 0);
    const at = await officerAt(system, "cloud", officer);
    const explained = await at.get<{
      decision: { id: string; text: string; subject: { local: string }; rules: string[] };
      alerts: { cause: boolean; rule: string; evidence: unknown[] }[];
    }>(`/decisions/${decision}`);
    expect(explained.decision).toMatchObject({ id: decision, subject: { kind: "source" } });
    expect(explained.decision.text.length).toBeGreaterThan(20);
    expect(explained.alerts.some(({ cause }) => cause)).toBe(true);
    const all = JSON.stringify([
      explained,
      await keptOf(system, "cloud", "events"),
      await keptOf(system, "cloud", "alerts"),
      system.logLines,
    ]);
    expect(all).not.toContain(address);
    expect(all).not.toMatch(/UNION|password FROM/);
  });

  it("is free again at once when an officer lifts the decision, and the ruling says who and why", async () => {
    const address = freshAddress();
    const decision = await attackFrom(system, "kdc", address);
    const at = await officerAt(system, "kdc", officer);
    const ruled = await at.post<{ decision: { ruling: object }; stillHeld: string[] }>(
      `/decisions/${decision}/rulings`,
      { ruling: "lift", reason: "It was our own penetration test." },
    );
    expect(ruled.decision.ruling).toMatchObject({
      ruling: "lift",
      by: officer.session.account.accountId,
      reason: "It was our own penetration test.",
    });
    expect(ruled.stillHeld).toEqual([]);
    expect(await heldAgainst(system, "kdc", address)).toBe(null);
    await expect(
      at.post(`/decisions/${decision}/rulings`, { ruling: "confirm", reason: "Changed my mind." }),
    ).rejects.toMatchObject({ code: "IDS_RULED_ALREADY" });
    const { decisions } = await at.get<{ decisions: { id: string }[] }>("/decisions");
    expect(decisions.map(({ id }) => id)).not.toContain(decision);
  });

  it("is let through where the officer exempts the address, until the exemption ends", async () => {
    const address = freshAddress();
    await attackFrom(system, "cloudlet", address);
    const at = await officerAt(system, "cloudlet", officer);
    const { id } = await at.post<{ id: string }>("/exemptions", {
      address,
      hours: 8,
      reason: "The clinic's own scanner.",
    });
    expect(await heldAgainst(system, "cloudlet", address)).toBe(null);
    expect((await at.get<{ exemptions: unknown[] }>("/exemptions")).exemptions).toHaveLength(1);
    expect(JSON.stringify(await at.get("/exemptions"))).not.toContain(address);
    await at.delete(`/exemptions/${id}`);
    // A scenario that fired is silent for half an hour.
    system.clock.advance(31 * 60_000);
    await expect(attackFrom(system, "cloudlet", address)).resolves.toMatch(/./);
  });

  it("takes objections of who is held back, a few", async () => {
    const address = freshAddress();
    const decision = await attackFrom(system, "cloud", address);
    const appeal = (words: string, about = decision) =>
      ask(system, "cloud", address, "/v1/ids/appeals", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ decision: about, appeal: words }),
      });
    expect((await appeal("It was ' OR 1=1 -- in my notes, I am a nurse.")).status).toBe(202);
    await expectProblem(await appeal("Nobody decided this.", "0".repeat(32)), 404, "IDS_DECISION_UNKNOWN");
    await expectProblem(await appeal("\u001b[2J gone"), 400, "REQUEST_INVALID");
    await expectProblem(await appeal("a line\nids_decision forged"), 400, "REQUEST_INVALID");
    const statuses = [];
    for (let i = 0; i < 12; i++) {
      statuses.push((await appeal(`Please, number ${i}.`)).status);
    }
    expect(statuses.slice(-1)).toEqual([429]);
    const at = await officerAt(system, "cloud", officer);
    const { appeals } = await at.get<{ appeals: { text: string }[] }>(`/appeals?decision=${decision}`);
    expect(appeals.length).toBe(5);
    expect(appeals.at(-1)?.text).toContain("I am a nurse");
  });

  it("shares the door with peers and officers whom nothing is held against", async () => {
    const address = freshAddress();
    await attackFrom(system, "cloud", address);
    await attackFrom(system, "kdc", address);
    // The officer's own ticket at a service, from the very same address.
    const ticket = await officer.session.staffTicket(officer.keys.signing);
    const answer = await httpFrom(system, address).json({
      method: "GET",
      url: `${system.cloud.url}/v1/ids/decisions`,
      credentials: ticket,
    });
    expect(answer).toHaveProperty("decisions");
  });
});
