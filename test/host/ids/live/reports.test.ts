import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { toBase64Url } from "../../../../host/base/index.ts";
import { createHttpClient, createIdsClient, type IdsClient } from "../../../../host/client/index.ts";
import { ALARM_AT, beliefFromBits, bitsAtBelief } from "../../../../host/ids/detector.ts";
import { type AnomalyModel, createTrainer } from "../../../../host/ids/index.ts";
import { type Member, signRoster } from "../../../../host/ids/mesh/index.ts";
import { generateSigningSeed, importSigningKey } from "../../../../host/sealing/index.ts";
import { backends } from "../../../support/stores.ts";
import { dumpOf, eventually, type Person, type System, startSystem } from "../../../support/system.ts";
import { alert } from "../engine-world.ts";

let system: System;
let model: AnomalyModel;
let ask: (service: "kdc" | "cloud" | "cloudlet") => IdsClient;
let officer: Person;

beforeAll(async () => {
  const trainer = createTrainer();
  for (let i = 0; i < 400; i++) {
    trainer.add({ m: "GET", u: `/v1/streams/${(i * 7919) % 100_000}/batches?after=${i}` });
  }
  model = trainer.finish();
  system = await startSystem(backends()[0] as NonNullable<ReturnType<typeof backends>[0]>, {
    ids: { model, modelHash: "ab".repeat(32) },
  });
  officer = await system.person("security-officer", "officer");
  const held = await officer.session.staffTicket(officer.keys.signing);
  const http = createHttpClient({ clock: system.clock });
  ask = (service) => createIdsClient({ http, url: system[service].url, ticket: async () => held });
});
afterAll(() => system?.stop());

describe("what an officer is told of the members", () => {
  it("is how they were measured, how many alerts they sent, and when they were last reached", async () => {
    const { ids } = system.services.cloudlet;
    const members: Member[] = await Promise.all(
      ["cloudlet", "cloud", "peer"].map(async (id) => ({
        id,
        operator: `clinic-${id}`,
        // Nobody listens at port 9: that peer is never reached.
        url: id === "cloud" ? system.cloud.url : "http://127.0.0.1:9",
        signingKey: toBase64Url((await importSigningKey(generateSigningSeed())).publicKey),
      })),
    );
    const roster = { mesh: "0".repeat(32), version: 1, createdAt: 1, members };
    await ids.mesh?.adopt(await signRoster(roster, system.meshOperator));
    const before = await ask("cloudlet").members();
    expect(before.map(({ member, alerts, lastHeard }) => [member.id, alerts, lastHeard])).toEqual([
      ["cloud", 0, null],
      ["cloudlet", 0, null],
      ["peer", 0, null],
    ]);
    for (const about of ["mallory", "trudy"]) {
      const at = system.clock.now();
      ids.observe({
        kind: "heard",
        at,
        alert: { ...alert(1, about), member: "peer", from: at - 1000, to: at },
      });
    }
    await ids.mesh?.exchange();
    let peer: Awaited<ReturnType<IdsClient["members"]>>[number] | undefined;
    await eventually(async () => {
      peer = (await ask("cloudlet").members()).find(({ member }) => member.id === "peer");
      return (peer?.contact?.failures ?? 0) > 0;
    });
    expect(peer).toMatchObject({
      alerts: 2,
      lastHeard: expect.any(Number),
      detection: expect.any(Number),
      falseAlarm: expect.any(Number),
      contact: { lastContact: null, waiting: 0 },
    });
  });
});

describe("what an officer is told of the detector", () => {
  it("is where it is set, and what benign requests reach by the model's own measuring", async () => {
    const detector = await ask("cloud").detector();
    expect(detector).toMatchObject({ mode: "simulate", alarmAt: 0.5, prior: 0.02 });
    expect(detector.rules).toEqual({
      count: expect.any(Number),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(detector.model).toMatchObject({ hash: "ab".repeat(32), heldOut: model.whole.n });
    const benign = detector.model?.benign ?? [];
    expect(benign).toHaveLength(model.whole.knots.length);
    const chances = benign.map(({ falseAlarm }) => falseAlarm);
    expect(chances).toEqual([...chances].sort((a, b) => b - a));
  });

  it("has the operating point at which strangeness alone reaches an alarm", async () => {
    const bits = bitsAtBelief(ALARM_AT);
    expect(beliefFromBits(bits)).toBeGreaterThanOrEqual(ALARM_AT);
    expect(beliefFromBits(bits - 1e-6)).toBeLessThan(ALARM_AT);
    expect((await ask("cloud").detector()).model?.operatingPoint).toEqual({ bits, falseAlarm: 2 ** -bits });
  });
});

describe("what an officer is told of how the detector does", () => {
  const SECRET_WORDS = "Quillfeather has slept badly";

  it("rests on honest requests of known callers and on every built-in attack; strangers and officers change nothing", async () => {
    const kdc = ask("kdc");
    const before = (await kdc.detector()).selfTest;
    expect(before?.benign.since).toBeGreaterThan(0);
    for (let i = 0; i < 5; i++) {
      // A door that is open to everybody: it answers whoever comes.
      const path = `/v1/ticket-keys?q=1'%20UNION%20SELECT%20password%20FROM%20users--${i}`;
      const answer = await fetch(`${system.kdc.url}${path}`, { headers: { "User-Agent": "sqlmap/1.8" } });
      expect(answer.status).toBe(200);
      await kdc.members();
    }
    const after = (await kdc.detector()).selfTest;
    // The answer to the ticket may have been on its way; nothing of the above is in it.
    expect(after?.benign.requests).toBe(before?.benign.requests);
    expect(after?.operatingPoint.falseAlarm.value).toBe(before?.operatingPoint.falseAlarm.value);
    const { session } = officer;
    await eventually(async () => {
      await session.call(z.unknown(), { method: "GET", path: "/notices" });
      await session.call(z.unknown(), { method: "GET", path: "/audit?after=3&limit=2" });
      await session.lookUp("operator").catch(() => null);
      const { selfTest } = await kdc.detector();
      return selfTest?.attacks.judged === selfTest?.attacks.of;
    });
    const { selfTest } = await kdc.detector();
    expect(selfTest?.attacks).toMatchObject({ version: 1, of: 154 });
    expect(selfTest?.attacks.carriers).toBeGreaterThanOrEqual(2);
    expect(selfTest?.benign.requests).toBeGreaterThanOrEqual(39);
    expect(selfTest?.auc).toBeGreaterThan(0.5);
    const { detection, falseAlarm } = { ...selfTest?.operatingPoint };
    for (const { value = 2, low = 3, high = 1 } of [{ ...detection }, { ...falseAlarm }]) {
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
    }
    expect(selfTest?.points.at(-1)).toMatchObject({ falseAlarm: { value: 1 }, detection: { value: 1 } });
  });

  it("is kept over a restart as counts, and holds nothing of any request", async () => {
    const { ids } = system.services.kdc;
    await officer.session.lookUp(SECRET_WORDS.slice(0, 12).toLowerCase()).catch(() => null);
    await ids.stop();
    const kept = (await dumpOf(system.stores.kdc)).filter(({ collection }) => collection === "ids_self_test");
    expect(kept).toHaveLength(1);
    const { _id, since, bins, ...rest } = { ...kept[0]?.document };
    expect(rest).toEqual({});
    expect([_id, since]).toEqual([expect.stringMatching(/^[0-9a-f]{64} (ab){32}$/), expect.any(Number)]);
    expect((bins as number[]).every(Number.isInteger)).toBe(true);
    expect((bins as number[]).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(39);
  });
});

describe("what an officer is told of the traffic", () => {
  it("is how many requests became what, and no address, path or person", async () => {
    const sums = async () => {
      const { hour } = await ask("cloudlet").traffic();
      return [0, 1, 2, 3].map((column) => hour.counts.reduce((sum, row) => sum + (row[column] ?? 0), 0));
    };
    const before = await sums();
    await fetch(`${system.cloudlet.url}/v1/nowhere?name=Quillfeather`);
    await fetch(`${system.cloudlet.url}/v1/batches`, { method: "POST" });
    const [answered, refused, held, failed] = before as [number, number, number, number];
    await eventually(async () => (await sums())[1] === refused + 2);
    const after = await sums();
    expect(after[0]).toBeGreaterThan(answered);
    expect(after.slice(2)).toEqual([held, failed]);
    const report = JSON.stringify(await ask("cloudlet").traffic());
    expect(report).toMatch(/^[\w{}[\]":,]*$/);
    expect(report).not.toMatch(/nowhere|Quill|127/);
  });
});
