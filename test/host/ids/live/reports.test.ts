import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toBase64Url } from "../../../../host/base/index.ts";
import { createHttpClient, createIdsClient, type IdsClient } from "../../../../host/client/index.ts";
import { ALARM_AT, beliefFromBits, bitsAtBelief } from "../../../../host/ids/detector.ts";
import { type AnomalyModel, createTrainer } from "../../../../host/ids/index.ts";
import { type Member, signRoster } from "../../../../host/ids/mesh/index.ts";
import { generateSigningSeed, importSigningKey } from "../../../../host/sealing/index.ts";
import { backends } from "../../../support/stores.ts";
import { eventually, type System, startSystem } from "../../../support/system.ts";
import { alert } from "../engine-world.ts";

let system: System;
let model: AnomalyModel;
let ask: (service: "cloud" | "cloudlet") => IdsClient;

beforeAll(async () => {
  const trainer = createTrainer();
  for (let i = 0; i < 400; i++) {
    trainer.add({ m: "GET", u: `/v1/streams/${(i * 7919) % 100_000}/batches?after=${i}` });
  }
  model = trainer.finish();
  system = await startSystem(backends()[0] as NonNullable<ReturnType<typeof backends>[0]>, {
    ids: { model, modelHash: "ab".repeat(32) },
  });
  const officer = await system.person("security-officer", "officer");
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
    expect(detector.model).toMatchObject({ hash: "ab".repeat(32), heldOut: model.whole.n, detection: null });
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
