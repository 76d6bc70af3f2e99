import { describe, expect, it } from "vitest";
import { type Bytes, fromHex, toBase64Url } from "../../../host/base/index.ts";
import { MODERATION } from "../../../host/community/index.ts";
import { HELPER_ANSWER, PRESENCE_MS, requestDigest } from "../../../host/emergency/live/index.ts";
import {
  EMERGENCY_CALL,
  type EmergencyCall,
  importSigningKey,
  signStatement,
  unverifiedPayload,
} from "../../../host/sealing/index.ts";
import { askAttested } from "../../../host/trust/index.ts";
import { attest, confirmed, gatewayOf, helperOf } from "../../support/helpers.ts";
import { backendsOfLongRuns } from "../../support/stores.ts";
import { DAY_MS, dumpOf } from "../../support/system.ts";
import { createScene, someId } from "../community/scene.ts";
import { newSigningKey } from "../sealing/fixtures.ts";

import { CODES, createStage } from "./stage.ts";

const MINUTE_MS = 60_000;

describe.each(backendsOfLongRuns())("helpers near an emergency, on the $name store", (backend) => {
  const stage = createStage(backend);
  const { codeOf, standBy, helper, gateway, ticketOf, answerOf, sendAnswer } = stage;

  describe("phase 1: who stands by", () => {
    it("takes a member with a confirmed set, and hears no one for longer than two minutes", async () => {
      const one = await helper();
      expect(codeOf(await standBy(one, one.self.set))).toBe(200);
      const called = await gateway();
      const { callId } = await called.call("news2");
      const late = await answerOf(one, callId);
      stage.system.clock.advance(PRESENCE_MS + 1000);
      expect(codeOf(await sendAnswer(one, callId, late))).toBe("HELPER_ABSENT");
      expect(codeOf(await standBy(one, one.self.set))).toBe(200);
      expect(codeOf(await sendAnswer(one, callId, late))).toBe(201);
      await called.end();
    });

    it("refuses strangers, other hospitals, expired credentials, others' sets", async () => {
      const one = await helper();
      const two = await helper();
      // Never joined, and joined by a hospital that the community does not admit.
      const stranger = await stage.scene.admit();
      const { set } = await attest(stage.scene, stranger, CODES);
      expect(codeOf(await standBy(stranger, set))).toBe("MEMBER_UNKNOWN");
      const elsewhere = await newSigningKey();
      const foreign = await stage.scene.admit({ issuer: someId() }, elsewhere);
      expect(codeOf(await stage.scene.join(foreign))).toBe("CREDENTIAL_ISSUER_UNKNOWN");
      // A set by another hospital, a set of a friend, one that I signed.
      const forged = await attest(stage.scene, one, CODES, elsewhere);
      expect(codeOf(await standBy(one, forged.set))).toBe("STATEMENT_INVALID");
      expect(codeOf(await standBy(one, (await attest(stage.scene, one, CODES, one.key)).set))).toBe(
        "STATEMENT_INVALID",
      );
      expect(codeOf(await standBy(one, two.self.set))).toBe("ATTESTED_SET_MISMATCH");
      expect(codeOf(await standBy(one, one.statement))).toBe("STATEMENT_INVALID");
      // A credential, and a set, that end soon.
      const brief = await stage.scene.member({ until: stage.system.clock.now() + 30_000 });
      const briefSet = (await attest(stage.scene, brief, CODES)).set;
      expect(codeOf(await standBy(brief, briefSet))).toBe(200);
      const { set: shortSet } = await attest(stage.scene, one, CODES, stage.scene.hospital, {
        until: stage.system.clock.now() + 30_000,
      });
      stage.system.clock.advance(31_000);
      expect(codeOf(await standBy(brief, briefSet))).toBe("CREDENTIAL_EXPIRED");
      expect(codeOf(await standBy(one, shortSet))).toBe("CREDENTIAL_EXPIRED");
    });

    it("knows a person once, whatever credentials they show: a later one replaces the earlier", async () => {
      const one = await helper();
      const again = await stage.scene.admit({ pseudonym: one.pseudonym, from: stage.system.clock.now() });
      const { set } = await attest(stage.scene, again, CODES);
      expect(codeOf(await standBy(one, one.self.set))).toBe(200);
      expect((await stage.scene.join(again)).status).toBeLessThan(300);
      // The replaced credential is over, with its set.
      expect(codeOf(await standBy(one, one.self.set))).toBe("MEMBER_UNKNOWN");
      expect(codeOf(await standBy(again, set))).toBe(200);
      const here = (await dumpOf(stage.system.stores.cloudlet)).filter(
        ({ collection, document: { pseudonym } }) =>
          collection === "emergency_helpers" && pseudonym === one.pseudonym,
      );
      expect(here).toHaveLength(1);
    });

    it("hears no one whom a moderator has suspended", async () => {
      const [one, partner] = [await helper(), await helper()];
      const question = await stage.scene.asked(one, partner);
      const { report, body } = await stage.scene.reportOf(partner, question.exchange, "question", "{}");
      expect(codeOf(await stage.scene.call("POST", `${stage.scene.path}/reports`, partner, body))).toBe(201);
      const at = stage.system.clock.now();
      const { accountId } = stage.scene.moderator.session.account;
      const statement = await signStatement(
        MODERATION,
        {
          ...{ community: stage.scene.community, report, moderator: accountId, member: one.pseudonym },
          ...{ action: "suspend", until: at + DAY_MS, reason: "abuse", note: null, at },
        },
        stage.scene.moderator.keys.signing,
      );
      expect(codeOf(await standBy(one, one.self.set))).toBe(200);
      const decisions = `${stage.scene.path}/reports/${report}/decisions`;
      expect(
        codeOf(await stage.scene.call("POST", decisions, await stage.scene.moderate(), { statement })),
      ).toBe(201);
      expect(codeOf(await standBy(one, one.self.set))).toBe("MEMBER_SUSPENDED");
    });

    it("takes no recorded presence", async () => {
      const one = await helper();
      let recorded: { url: string; init: RequestInit } | undefined;
      const spying = helperOf(stage.system, one.self, async (url, init) => {
        recorded ??= { url, init };
        return fetch(url, init);
      });
      await spying.round();
      const { url, init } = recorded as { url: string; init: RequestInit };
      const answer = await fetch(url, init);
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ code: "PROOF_REPLAYED" });
    });
  });

  describe("calls", () => {
    const call = (changes: Partial<EmergencyCall>, points: Bytes, by = stage.deviceKey) =>
      signStatement(
        EMERGENCY_CALL,
        {
          callId: someId(),
          deviceId: stage.pairing.deviceId,
          cause: "news2",
          request: requestDigest(points),
          at: stage.system.clock.now(),
          until: stage.system.clock.now() + 30 * MINUTE_MS,
          ...changes,
        },
        by,
      );
    const send = async (statement: string, points: Bytes) =>
      stage.scene.call("POST", "/emergency-calls", await ticketOf(), {
        community: stage.scene.community,
        statement,
        request: toBase64Url(points),
      });

    it("come from the device that signs them, for a time, with the points that they name", async () => {
      const other = await stage.system.device(stage.ada);
      const otherKey = await importSigningKey(fromHex(other.pairing.signingSeed));
      const points = askAttested(confirmed(CODES)).request;
      const now = stage.system.clock.now();
      expect(codeOf(await send(await call({}, points, otherKey), points))).toBe("STATEMENT_INVALID");
      const named = await call({ deviceId: other.pairing.deviceId }, points);
      expect(codeOf(await send(named, points))).toBe("CALL_MISMATCH");
      expect(codeOf(await send(await call({}, points), askAttested(confirmed(CODES)).request))).toBe(
        "CALL_MISMATCH",
      );
      expect(codeOf(await send(await call({ until: now + DAY_MS }, points), points))).toBe("CALL_TIME_LIMIT");
      expect(codeOf(await send(await call({ at: now - 7_200_000, until: now - 1 }, points), points))).toBe(
        "CALL_STALE",
      );
      // By somebody without a ticket at all.
      const genuine = await call({}, points);
      const body = { community: stage.scene.community, statement: genuine, request: toBase64Url(points) };
      expect(codeOf(await stage.scene.call("POST", "/emergency-calls", undefined, body))).toBe(
        "TICKET_MISSING",
      );
    });

    it("show answers to their own device alone, and are nobody's to choose for", async () => {
      const other = await stage.system.device(stage.ada);
      const stranger = await ticketOf(
        await importSigningKey(fromHex(other.pairing.signingSeed)),
        other.pairing.deviceId,
      );
      const called = await gateway();
      const { callId } = await called.call("fall");
      expect(codeOf(await stage.scene.call("GET", `/emergency-calls/${callId}`, stranger))).toBe(
        "CALL_UNKNOWN",
      );
      const path = `/emergency-calls/${callId}/choice`;
      expect(codeOf(await stage.scene.call("POST", path, stranger, { statement: "no.choice.here" }))).toBe(
        "CALL_UNKNOWN",
      );
      await called.end();
    });

    it("get no answer by a helper to whom a cloudlet shows points of its own", async () => {
      const one = await helper();
      const genuine = await gateway();
      const { callId } = await genuine.call("news2");
      const curious = askAttested(confirmed(["asthma"])).request;
      // A cloudlet that lies about what the device asked, and one that made the whole call up with another's key.
      for (const forge of [
        (seen: Record<string, unknown>) => ({ ...seen, request: toBase64Url(curious) }),
        async (seen: Record<string, unknown>) => ({
          ...seen,
          request: toBase64Url(curious),
          statement: await call({ callId }, curious, await newSigningKey()),
        }),
      ]) {
        const lying = helperOf(stage.system, one.self, async (url, init) => {
          const answer = await fetch(url, init);
          if (!url.endsWith("/helpers/own")) {
            return answer;
          }
          const work = await answer.json();
          const calls = await Promise.all(work.calls.map(forge));
          return new Response(JSON.stringify({ ...work, calls }), { status: 200 });
        });
        const round = await lying.round();
        expect(round.answered).toBe(0);
        expect(round.troubles).toContain("CALL_FORGED");
      }
      await genuine.end();
    });
  });

  describe("phase 2: who qualifies", () => {
    it("is found by the patient's side: it counts, the threshold decides, and nobody else learns anything", async () => {
      const like = await helper();
      const enough = await helper([...CODES.slice(0, 3), "gout"]);
      const unlike = await helper(["gout", "asthma"]);
      const called = await gateway(3);
      const { callId } = await called.call("news2");
      for (const { helper: program } of [like, enough, unlike]) {
        expect((await program.round()).answered).toBeGreaterThan(0);
        expect((await program.round()).answered).toBe(0);
      }
      const { judged, helpers } = await called.tend();
      const by = new Map(judged.map((one) => [one.pseudonym, one]));
      expect(by.get(like.pseudonym)).toMatchObject({ common: 4, qualified: true });
      expect(by.get(enough.pseudonym)).toMatchObject({ common: 3, qualified: true });
      expect(by.get(unlike.pseudonym)).toMatchObject({ common: 1, qualified: false });
      expect(helpers).toBe(2);
      const stored = JSON.stringify(await dumpOf(stage.system.stores.cloudlet));
      for (const code of [...CODES, ...confirmed(CODES)]) {
        expect(stored).not.toContain(code);
      }
      const [kept] = (await dumpOf(stage.system.stores.cloudlet)).filter(
        ({ collection, document: { _id } }) => collection === "emergency_calls" && _id === callId,
      );
      expect([...((kept?.document.helpers ?? []) as string[])].sort()).toEqual(
        [like, enough].map(({ key }) => toBase64Url(key.publicKey)).sort(),
      );
      await called.end();
      expect((await standBy(like, like.self.set)).json.calls).toEqual([]);
    });

    it("denies whoever answers for another, twice, another call, or with what a friend computed", async () => {
      const like = await helper();
      const unlike = await helper(["gout"]);
      const called = await gateway(3);
      const { callId } = await called.call("news2");
      const friend = unverifiedPayload(HELPER_ANSWER, await answerOf(like, callId)).answer;
      // In my own name, with the answer of the friend who is alike: it does not fit my confirmed set.
      const borrowed = await answerOf(unlike, callId, { answer: friend });
      expect(codeOf(await sendAnswer(unlike, callId, borrowed))).toBe(201);
      expect(codeOf(await sendAnswer(unlike, callId, await answerOf(unlike, callId)))).toBe("CALL_ANSWERED");
      const third = await helper(["gout"]);
      const inTheirName = await answerOf(third, callId, { pseudonym: like.pseudonym });
      expect(codeOf(await sendAnswer(third, callId, inTheirName))).toBe("STATEMENT_NOT_YOURS");
      expect(codeOf(await sendAnswer(third, callId, await answerOf(like, callId)))).toBe("STATEMENT_INVALID");
      const elsewhere = await answerOf(third, callId, { callId: someId() });
      expect(codeOf(await sendAnswer(third, callId, elsewhere))).toBe("STATEMENT_NOT_YOURS");
      expect(codeOf(await sendAnswer(third, someId(), elsewhere))).toBe("STATEMENT_NOT_YOURS");
      const { judged, helpers } = await called.tend();
      expect(judged).toEqual([{ pseudonym: unlike.pseudonym, common: 0, qualified: false, code: null }]);
      expect(helpers).toBe(0);
      await called.end();
    });

    it("believes no cloudlet: helpers of its own making, another hospital's, swapped sets", async () => {
      const like = await helper();
      const unlike = await helper(["gout"]);
      const called = await gateway(1);
      const { callId } = await called.call("news2");
      const [mine, theirs] = [await answerOf(like, callId), await answerOf(unlike, callId)];
      expect(codeOf(await sendAnswer(like, callId, mine))).toBe(201);
      // What a lying cloudlet would put into its own store.
      const elsewhere = await newSigningKey();
      const invented = await stage.scene.admit({ issuer: someId() }, elsewhere);
      const inventedSet = await attest(stage.scene, invented, CODES, elsewhere);
      const calls = await stage.system.stores.cloudlet.collection<{ _id: string; answers: unknown }>({
        name: "emergency_calls",
        indexes: [
          { fields: { community: 1, until: 1 } as never },
          { fields: { deviceId: 1, until: 1 } as never },
          { fields: { until: 1 } as never },
        ],
      });
      const answers = {
        [invented.pseudonym]: { statement: mine, credential: invented.statement, set: inventedSet.set },
        [unlike.pseudonym]: { statement: theirs, credential: unlike.statement, set: like.self.set },
        [someId()]: { statement: mine, credential: like.statement, set: like.self.set },
      };
      await calls.updateOne({ _id: { $eq: callId } }, { $set: { answers } });
      const { judged, helpers } = await called.tend();
      expect(helpers).toBe(0);
      expect(judged.map(({ code }) => code).sort()).toEqual([
        "ATTESTED_SET_MISMATCH",
        "CREDENTIAL_ISSUER_UNKNOWN",
        "HELPER_MISMATCH",
      ]);
      await called.end();
    });

    it("stops believing a hospital that the community has struck off", async () => {
      const apart = await createScene(stage.system, { moderator: stage.scene.moderator });
      const second = await newSigningKey();
      const issuers = [
        ...apart.document().issuers,
        { id: someId(), signingKey: toBase64Url(second.publicKey) },
      ];
      await apart.publish({ issuers });
      const plan = (await apart.call("GET", apart.path, undefined)).json.statement as string;
      const struck = await apart.admit({ issuer: issuers[1]?.id as string }, second);
      await apart.join(struck);
      const { set } = await attest(apart, struck, CODES, second);
      const stand = () => apart.call("POST", `${apart.path}/helpers/own`, struck, { set });
      expect(codeOf(await stand())).toBe(200);
      await apart.publish({ version: 2, at: stage.system.clock.now() });
      expect(codeOf(await stand())).toBe("MEMBER_UNKNOWN");
      const gatewayThere = await gatewayOf(stage.system, stage.pairing, {
        community: plan,
        codes: CODES,
        threshold: 0,
      });
      await gatewayThere.call("fall");
      await gatewayThere.end();
    });
  });
});
