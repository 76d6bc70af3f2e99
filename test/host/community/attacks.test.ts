import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCloudletApp } from "../../../host/apps/index.ts";
import { fromHex } from "../../../host/base/index.ts";
import { AGREEMENT } from "../../../host/community/index.ts";
import { createLog, listen } from "../../../host/http/index.ts";
import { POLICY } from "../../../host/identity/index.ts";
import { flatten, spellings } from "../../support/leaks.ts";
import { backends } from "../../support/stores.ts";
import { dumpOf, type Person, type System, startSystem } from "../../support/system.ts";
import { expectProblem, leavesNoTrace, type Recorded, replay, signed } from "../http/attack.ts";
import { type CommunityPlay, createCommunityPlay } from "../identity/community-samples.ts";
import { encoded, jwsByHand, newSigningKey } from "../sealing/fixtures.ts";
import { createScene, type Insider, type Scene, someId } from "./scene.ts";

const OPERATORS: readonly unknown[] = [{ $gt: "" }, { $ne: null }, ["a"], {}, null, true, 0];

describe.each(backends())("attacks on a community's relay, on the $name store", (backend) => {
  let system: System;
  let moderator: Person;
  let play: CommunityPlay;
  let keys: Parameters<typeof createCommunityPlay>[2];
  let scene: Scene;
  let ada: Insider;
  let ben: Insider;
  let eve: Insider;

  beforeAll(async () => {
    system = await startSystem(backend);
    moderator = await system.person("moderator", "mod");
    keys = { member: await newSigningKey(), applicant: await newSigningKey() };
    play = await createCommunityPlay(system, { moderator, named: system.operator }, keys);
    scene = await createScene(system, { moderator });
    await scene.publish();
    [ada, ben, eve] = [await scene.member(), await scene.member(), await scene.member()];
  });
  afterAll(() => system?.stop());

  const codeOf = ({ status, json }: { status: number; json: { code?: string } }) =>
    status < 300 ? status : json.code;

  /** A fresh request of each action that takes JSON, as whom the policy lets through, with another body. */
  const sending = async (
    action: keyof CommunityPlay["own"]["requests"],
    json: unknown,
  ): Promise<Recorded> => {
    const { path = "/communities" } = play.own.requests[action];
    const { allow } = POLICY[action] as { allow?: Readonly<Record<string, unknown>> };
    const staff = { operate: system.operator, moderate: moderator }[Object.keys(allow ?? {})[0] as "operate"];
    const url = `${system.cloudlet.url}/v1${path}`;
    if (staff !== undefined) {
      return signed(system, { url, json, ...(await staff.session.staffTicket(staff.keys.signing)) });
    }
    return signed(system, { url, json, key: action === "community.join" ? keys.applicant : keys.member });
  };

  it("with operators and other things where texts belong: no route takes them", async () => {
    const actions = (Object.keys(play.own.requests) as (keyof CommunityPlay["own"]["requests"])[]).filter(
      (action) => play.own.requests[action].json !== undefined,
    );
    expect(actions.length).toBeGreaterThan(10);
    await leavesNoTrace(system, async () => {
      for (const action of actions) {
        const valid = play.own.requests[action].json as Record<string, unknown>;
        for (const field of Object.keys(valid)) {
          for (const value of OPERATORS) {
            const recorded = await sending(action, { ...valid, [field]: value });
            await expectProblem(await replay(recorded), 400, "REQUEST_INVALID");
          }
        }
        for (const extra of [{ $set: { standing: "clinician" } }, { admin: true }]) {
          await expectProblem(
            await replay(await sending(action, { ...valid, ...extra })),
            400,
            "REQUEST_INVALID",
          );
        }
      }
    });
  });

  it("with operators inside what is signed, in paths and in queries", async () => {
    const at = system.clock.now();
    const agreement = { community: scene.community, from: ada.pseudonym, to: ben.pseudonym, agreed: true };
    const header = { alg: "EdDSA", typ: AGREEMENT.typ };
    await leavesNoTrace(system, async () => {
      for (const change of [
        { to: { $ne: "" } },
        { from: { $gt: "" } },
        { at: { $gt: 0 } },
        { until: null },
        { agreed: "yes" },
        { to: ada.pseudonym },
        { also: 1 },
      ]) {
        const payload = encoded({ ...agreement, at, until: at + 1000, ...change });
        const statement = await jwsByHand(header, payload, ada.key);
        expect(codeOf(await scene.call("POST", `${scene.path}/agreements`, ada, { statement }))).toBe(
          "STATEMENT_INVALID",
        );
      }
      for (const path of [
        `${scene.path}/members?pseudonym[$ne]=x`,
        `${scene.path}/members?after[$gt]=`,
        `${scene.path}/members?limit=1000000`,
        `${scene.path}/inbox?after=-1`,
        `${scene.path}/inbox?after=1&after=2`,
        `${scene.path}/agreements?after=%24ne`,
        "/communities/%24ne/members",
        `${scene.path}/exchanges/${"A".repeat(32)}`,
      ]) {
        expect(codeOf(await scene.call("GET", path, ada)), path).toBe("REQUEST_INVALID");
      }
    });
  });

  it("by repeating a recorded request, or its body as somebody else", async () => {
    const { body } = await scene.openingOf(ada, ben);
    const url = `${system.cloudlet.url}/v1${scene.path}/openings`;
    const recorded = await signed(system, { url, key: ada.key, json: body });
    expect((await replay(recorded)).status).toBe(201);
    await leavesNoTrace(system, async () => {
      await expectProblem(await replay(recorded), 401, "PROOF_REPLAYED");
      const another = await signed(system, { url, key: eve.key, json: body });
      await expectProblem(await replay(another), 403, "STATEMENT_NOT_YOURS");
      // A proof made for another route of the same relay.
      const elsewhere = await signed(system, { url: url.replace("openings", "questions"), key: ada.key });
      const { headers } = elsewhere.init as { headers: Record<string, string> };
      const moved = {
        url,
        init: { ...recorded.init, headers: { ...headers, "Content-Type": "application/json" } },
      };
      await expectProblem(await replay(moved), 401, "PROOF_INVALID");
    });
  });

  it("by bringing what was signed in one community into another", async () => {
    const other = await createScene(system, { moderator });
    await other.publish();
    // The same people, with the same keys, in both.
    const insiders: Insider[] = [];
    for (const { key, credential } of [ada, ben]) {
      const { pseudonym, signingKey } = credential;
      const twin = { ...(await other.admit({ pseudonym, signingKey })), key };
      const { memberKey } = await scene.admit();
      expect(codeOf(await other.join({ ...twin, memberKey }))).toBe("STATEMENT_INVALID");
      insiders.push(twin);
    }
    const opening = await scene.openingOf(ben, ada);
    expect(codeOf(await scene.open(ben, opening.body))).toBe(201);
    const { path } = other;
    expect(codeOf(await other.call("POST", `${path}/openings`, ben, opening.body))).toBe("MEMBER_UNKNOWN");
    const member = await other.member();
    expect(codeOf(await other.call("GET", `${path}/exchanges/${opening.exchange}`, member))).toBe(
      "EXCHANGE_UNKNOWN",
    );
    const statement = await scene.agreementOf(ada, ben);
    expect(codeOf(await other.call("POST", `${path}/agreements`, member, { statement }))).toBe(
      "STATEMENT_NOT_YOURS",
    );
  });

  it("with bodies that are too large: no memory for strangers, no room for members", async () => {
    const statement = "a".repeat(300 * 1024);
    const path = `${scene.path}/agreements`;
    expect(codeOf(await scene.call("POST", path, undefined, { statement }))).toBe("PROOF_INVALID");
    expect(codeOf(await scene.call("POST", path, ada, { statement }))).toBe("REQUEST_TOO_LARGE");
    expect(codeOf(await scene.call("POST", path, ada, { statement: "a".repeat(10_000) }))).toBe(
      "REQUEST_INVALID",
    );
    const report = { ...(await scene.reportOf(ada, someId(), "answer", "x")).body };
    const sealed = Array.from({ length: 9 }, () => ({ moderator: someId(), sealed: "AAAA" }));
    expect(codeOf(await scene.call("POST", `${scene.path}/reports`, ada, { ...report, sealed }))).toBe(
      "REQUEST_INVALID",
    );
  });

  it("by asking too often: each key has a limit of its own", async () => {
    const log = createLog({ service: "small", level: "silent" });
    const app = await createCloudletApp({
      store: await backend.open("cloudlet"),
      clock: system.clock,
      log,
      kdcUrl: system.kdc.url,
      cloudUrl: system.cloud.url,
      cloudletId: system.cloudletAccount.accountId,
      key: system.cloudletAccount.key,
      spoolCapacity: 2,
      rateLimit: { points: 1_000_000, seconds: 1 },
      memberLimit: { points: 3, seconds: 60 },
      trustProxies: 0,
    });
    const cloudlet = await listen(app, { host: "127.0.0.1", port: 0, log, graceMs: 200 });
    const small = await createScene({ ...system, cloudlet }, { moderator });
    await small.publish();
    const [one, other] = [await small.member(), await small.member()];
    expect([codeOf(await small.inbox(one)), codeOf(await small.inbox(one))]).toEqual([200, 200]);
    expect(codeOf(await small.inbox(one))).toBe("RATE_LIMITED");
    expect(codeOf(await small.inbox(other))).toBe(200);
    await cloudlet.close();
  });

  if (backend.name === "embedded") {
    // Servers that are compatible with MongoDB need not update atomically.
    it("by doing two things at once: one document decides", async () => {
      const [one, other] = [await scene.member(), await scene.member()];
      const first = await Promise.all([scene.openingOf(one, other), scene.openingOf(one, other)]);
      const asked = await Promise.all(first.map(({ body }) => scene.open(one, body)));
      expect(asked.map(codeOf).sort()).toEqual([201, "OPENING_USED"]);
      const opening = first[asked.findIndex(({ status }) => status === 201)] as (typeof first)[0];
      const answer = await scene.answerOf(one, other, opening, "Yes");
      const decline = `${scene.path}/exchanges/${opening.exchange}/decline`;
      const ended = await Promise.all([
        scene.answer(other, opening.exchange, answer.body),
        scene.call("POST", decline, other),
      ]);
      expect(ended.filter(({ status }) => status < 300)).toHaveLength(1);
      // Of many words at once the latest counts.
      const now = system.clock.now();
      const words = Array.from({ length: 8 }, (_, i) =>
        scene.agree(one, other, { agreed: i !== 7, at: now + i }),
      );
      await Promise.all(words);
      const { agreements } = (await scene.call("GET", `${scene.path}/agreements`, one)).json;
      expect(agreements).toEqual([await scene.agreementOf(one, other, { agreed: false, at: now + 7 })]);
    });
  }

  it("on names: nothing that the KDC knows a patient by reaches the cloudlet", async () => {
    const patient = await system.patient("ada-lovelace", "Ada Lovelace");
    await scene.asked(ada, ben, "Does swimming help?");
    const { pseudonym } = ben;
    const shown = await scene.call("GET", `${scene.path}/members/${pseudonym}/ratings`, ada);
    expect(codeOf(shown)).toBe(200);
    expect(codeOf(await scene.call("GET", `${scene.path}/members?pseudonym=${pseudonym}`, ada))).toBe(200);
    const lines = system.logLines.filter((line) => line.includes('"service":"cloudlet"')).join("\n");
    expect(lines.length).toBeGreaterThan(1000);
    const dumped = (await dumpOf(system.stores.cloudlet)).map(flatten).join("\n");
    expect(dumped).toContain(ada.pseudonym);
    const { accountId } = patient.session.account;
    for (const secret of [
      accountId,
      ...spellings(fromHex(accountId)),
      "ada-lovelace",
      "Ada Lovelace",
      "swimming",
    ]) {
      expect(dumped).not.toContain(secret);
      expect(lines).not.toContain(secret);
    }
    // Who looked at whom is in no log line either.
    expect(lines).not.toContain(pseudonym);
  });
});
