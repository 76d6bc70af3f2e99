import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type Bytes,
  fromBase64Url,
  fromHex,
  randomBytes,
  toBase64Url,
  toHex,
} from "../../../host/base/index.ts";
import { createHttpClient, createKdcClient } from "../../../host/client/index.ts";
import { MODERATION } from "../../../host/community/index.ts";
import {
  ACKNOWLEDGEMENT,
  FORWARD_PERMIT,
  type ForwardPermit,
  HELPER_ANSWER,
  PERMIT_MS,
  PRESENCE_MS,
  requestDigest,
  SLOW_MS,
} from "../../../host/emergency/live/index.ts";
import {
  batchDigest,
  EMERGENCY_CALL,
  type EmergencyCall,
  importSigningKey,
  parseBatch,
  type SigningKey,
  signStatement,
  unverifiedPayload,
} from "../../../host/sealing/index.ts";
import { answerAttested, askAttested } from "../../../host/trust/index.ts";
import { createPhysiology, type Device, type Pairing } from "../../../host/wearable/index.ts";
import {
  attest,
  confirmed,
  createLine,
  createTestHelper,
  gatewayOf,
  helperOf,
  type TestHelper,
} from "../../support/helpers.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, dumpOf, eventually, type Patient, type System, startSystem } from "../../support/system.ts";
import { createScene, type Insider, type Scene, someId } from "../community/scene.ts";
import { newSigningKey } from "../sealing/fixtures.ts";

const CODES = ["asthma", "diabetes", "hypertension", "epilepsy"];
const MINUTE_MS = 60_000;

describe.each(backends())("helpers near an emergency, on the $name store", (backend) => {
  const line = createLine();
  let system: System;
  let scene: Scene;
  let document: string;
  let ada: Patient;
  let device: Device;
  let pairing: Pairing;
  let deviceKey: SigningKey;

  beforeAll(async () => {
    system = await startSystem(backend, { cloudletFetch: line.fetch });
    scene = await createScene(system, { moderator: await system.person("moderator", "mod") });
    await scene.publish();
    document = (await scene.call("GET", scene.path, undefined)).json.statement;
    ada = await system.patient("ada-helped", "Ada");
    await ada.owner.startEpoch("medical");
    // The cloudlet has to have met its cloud once.
    await eventually(async () =>
      (await dumpOf(system.stores.cloudlet)).some(({ collection }) => collection === "cloud_keys"),
    );
  });
  // One device may call six times an hour.
  beforeEach(async () => {
    ({ device, pairing } = await system.device(ada));
    deviceKey = await importSigningKey(fromHex(pairing.signingSeed));
  });
  afterAll(async () => {
    line.mend();
    await system?.stop();
  });

  const codeOf = ({ status, json }: { status: number; json: { code?: string } }) =>
    status < 300 ? status : json.code;
  const standBy = (who: Insider, set: string) =>
    scene.call("POST", `${scene.path}/helpers/own`, who, { set });
  const helper = (codes: readonly string[] = CODES) => createTestHelper(system, scene, codes);
  const gateway = (threshold = 3, codes: readonly string[] = CODES) =>
    gatewayOf(system, pairing, { community: document, codes, threshold });
  const ticketOf = async (key = deviceKey, id = pairing.deviceId) => ({
    key,
    ticket: (
      await createKdcClient({
        http: createHttpClient({ clock: system.clock }),
        url: system.kdc.url,
      }).uploadTicket(id, key)
    ).ticket,
  });
  const columns = createPhysiology({ seed: 7, startTime: Date.now() });
  /** A batch that the cloudlet has and the cloud has not. */
  const stranded = async (priority: "emergency" | "regular" = "emergency") => {
    line.cut(system.cloud.url);
    const sealed = await device.record(columns.nextBatch(10), priority);
    await device.flush();
    // Whether or not the cloudlet has noticed yet that the line is cut.
    system.clock.advance(SLOW_MS + 1);
    return sealed;
  };
  const inCloud = async (bytes: Bytes) =>
    (await dumpOf(system.stores.cloud)).filter(
      ({ collection, document: { digest } }) => collection === "batches" && digest === batchDigest(bytes),
    ).length;
  const waiting = async () =>
    (await dumpOf(system.stores.cloudlet)).filter(
      ({ collection, document: { _id, state } }) =>
        collection === "spool" && state === "waiting" && String(_id).startsWith(pairing.deviceId),
    ).length;
  /** Errands as the cloudlet hands them out. */
  const errandsFor = async (who: TestHelper) => {
    return (await standBy(who, who.self.set)).json.errands as {
      batch: string;
      deviceTicket: string;
      forwardTicket: string;
      permit: string;
    }[];
  };
  const bring = async (
    who: SigningKey,
    errand: { batch: string; deviceTicket: string; forwardTicket: string; permit: string },
    changes: { batch?: Bytes; permit?: string; forwardTicket?: string } = {},
  ) => {
    const http = createHttpClient({ clock: system.clock });
    try {
      return (await http.json({
        method: "POST",
        url: `${system.cloud.url}/v1/relayed-batches`,
        credentials: { key: who },
        bytes: changes.batch ?? fromBase64Url(errand.batch),
        headers: {
          "Device-Ticket": errand.deviceTicket,
          "Forward-Ticket": changes.forwardTicket ?? errand.forwardTicket,
          "Forward-Permit": changes.permit ?? errand.permit,
        },
      })) as { status: string; acknowledgement: string; code?: string };
    } catch (error) {
      return { status: "refused", acknowledgement: "", code: (error as { code: string }).code };
    }
  };
  const tell = (who: Insider, statement: string) =>
    scene.call("POST", `${scene.path}/acknowledgements`, who, { statement });

  describe("phase 1: who stands by", () => {
    it("takes a member with a confirmed set, and hears no one for longer than two minutes", async () => {
      const one = await helper();
      expect(codeOf(await standBy(one, one.self.set))).toBe(200);
      const called = await gateway();
      const { callId } = await called.call("news2");
      const late = await answerOf(one, callId);
      system.clock.advance(PRESENCE_MS + 1000);
      expect(codeOf(await sendAnswer(one, callId, late))).toBe("HELPER_ABSENT");
      expect(codeOf(await standBy(one, one.self.set))).toBe(200);
      expect(codeOf(await sendAnswer(one, callId, late))).toBe(201);
      await called.end();
    });

    it("refuses strangers, other hospitals, expired credentials, others' sets", async () => {
      const one = await helper();
      const two = await helper();
      // Never joined, and joined by a hospital that the community does not admit.
      const stranger = await scene.admit();
      const { set } = await attest(scene, stranger, CODES);
      expect(codeOf(await standBy(stranger, set))).toBe("MEMBER_UNKNOWN");
      const elsewhere = await newSigningKey();
      const foreign = await scene.admit({ issuer: someId() }, elsewhere);
      expect(codeOf(await scene.join(foreign))).toBe("CREDENTIAL_ISSUER_UNKNOWN");
      // A set by another hospital, a set of a friend, one that I signed.
      const forged = await attest(scene, one, CODES, elsewhere);
      expect(codeOf(await standBy(one, forged.set))).toBe("STATEMENT_INVALID");
      expect(codeOf(await standBy(one, (await attest(scene, one, CODES, one.key)).set))).toBe(
        "STATEMENT_INVALID",
      );
      expect(codeOf(await standBy(one, two.self.set))).toBe("ATTESTED_SET_MISMATCH");
      expect(codeOf(await standBy(one, one.statement))).toBe("STATEMENT_INVALID");
      // A credential, and a set, that end soon.
      const brief = await scene.member({ until: system.clock.now() + 30_000 });
      const briefSet = (await attest(scene, brief, CODES)).set;
      expect(codeOf(await standBy(brief, briefSet))).toBe(200);
      const { set: shortSet } = await attest(scene, one, CODES, scene.hospital, {
        until: system.clock.now() + 30_000,
      });
      system.clock.advance(31_000);
      expect(codeOf(await standBy(brief, briefSet))).toBe("CREDENTIAL_EXPIRED");
      expect(codeOf(await standBy(one, shortSet))).toBe("CREDENTIAL_EXPIRED");
    });

    it("knows a person once, whatever credentials they show: a later one replaces the earlier", async () => {
      const one = await helper();
      const again = await scene.admit({ pseudonym: one.pseudonym, from: system.clock.now() });
      const { set } = await attest(scene, again, CODES);
      expect(codeOf(await standBy(one, one.self.set))).toBe(200);
      expect((await scene.join(again)).status).toBeLessThan(300);
      // The replaced credential is over, with its set.
      expect(codeOf(await standBy(one, one.self.set))).toBe("MEMBER_UNKNOWN");
      expect(codeOf(await standBy(again, set))).toBe(200);
      const here = (await dumpOf(system.stores.cloudlet)).filter(
        ({ collection, document: { pseudonym } }) =>
          collection === "emergency_helpers" && pseudonym === one.pseudonym,
      );
      expect(here).toHaveLength(1);
    });

    it("hears no one whom a moderator has suspended", async () => {
      const [one, partner] = [await helper(), await helper()];
      const question = await scene.asked(one, partner);
      const { report, body } = await scene.reportOf(partner, question.exchange, "question", "{}");
      expect(codeOf(await scene.call("POST", `${scene.path}/reports`, partner, body))).toBe(201);
      const at = system.clock.now();
      const { accountId } = scene.moderator.session.account;
      const statement = await signStatement(
        MODERATION,
        {
          ...{ community: scene.community, report, moderator: accountId, member: one.pseudonym },
          ...{ action: "suspend", until: at + DAY_MS, reason: "abuse", note: null, at },
        },
        scene.moderator.keys.signing,
      );
      expect(codeOf(await standBy(one, one.self.set))).toBe(200);
      const decisions = `${scene.path}/reports/${report}/decisions`;
      expect(codeOf(await scene.call("POST", decisions, await scene.moderate(), { statement }))).toBe(201);
      expect(codeOf(await standBy(one, one.self.set))).toBe("MEMBER_SUSPENDED");
    });

    it("takes no recorded presence", async () => {
      const one = await helper();
      let recorded: { url: string; init: RequestInit } | undefined;
      const spying = helperOf(system, one.self, async (url, init) => {
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

  const answerOf = async (
    who: TestHelper,
    callId: string,
    changes: Partial<(typeof HELPER_ANSWER)["schema"]["_output"]> = {},
    by: SigningKey = who.key,
  ) => {
    const { json } = await standBy(who, who.self.set);
    const call = (json.calls as { callId: string; request: string }[]).find((one) => one.callId === callId);
    const points = call === undefined ? randomBytes(1024) : fromBase64Url(call.request);
    return signStatement(
      HELPER_ANSWER,
      {
        callId,
        community: scene.community,
        pseudonym: who.pseudonym,
        answer: toBase64Url(call === undefined ? points : answerAttested(who.self.seed, points)),
        at: system.clock.now(),
        ...changes,
      },
      by,
    );
  };
  const sendAnswer = (who: Insider, callId: string, statement: string) =>
    scene.call("POST", `${scene.path}/emergency-calls/${callId}/answers`, who, { statement });

  describe("calls", () => {
    const call = (changes: Partial<EmergencyCall>, points: Bytes, by = deviceKey) =>
      signStatement(
        EMERGENCY_CALL,
        {
          callId: someId(),
          deviceId: pairing.deviceId,
          cause: "news2",
          request: requestDigest(points),
          at: system.clock.now(),
          until: system.clock.now() + 30 * MINUTE_MS,
          ...changes,
        },
        by,
      );
    const send = async (statement: string, points: Bytes) =>
      scene.call("POST", "/emergency-calls", await ticketOf(), {
        community: scene.community,
        statement,
        request: toBase64Url(points),
      });

    it("come from the device that signs them, for a time, with the points that they name", async () => {
      const other = await system.device(ada);
      const otherKey = await importSigningKey(fromHex(other.pairing.signingSeed));
      const points = askAttested(confirmed(CODES)).request;
      const now = system.clock.now();
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
      const body = { community: scene.community, statement: genuine, request: toBase64Url(points) };
      expect(codeOf(await scene.call("POST", "/emergency-calls", undefined, body))).toBe("TICKET_MISSING");
    });

    it("show answers to their own device alone, and are nobody's to choose for", async () => {
      const other = await system.device(ada);
      const stranger = await ticketOf(
        await importSigningKey(fromHex(other.pairing.signingSeed)),
        other.pairing.deviceId,
      );
      const called = await gateway();
      const { callId } = await called.call("fall");
      expect(codeOf(await scene.call("GET", `/emergency-calls/${callId}`, stranger))).toBe("CALL_UNKNOWN");
      const path = `/emergency-calls/${callId}/choice`;
      expect(codeOf(await scene.call("POST", path, stranger, { statement: "no.choice.here" }))).toBe(
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
        const lying = helperOf(system, one.self, async (url, init) => {
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
      const stored = JSON.stringify(await dumpOf(system.stores.cloudlet));
      for (const code of [...CODES, ...confirmed(CODES)]) {
        expect(stored).not.toContain(code);
      }
      const [kept] = (await dumpOf(system.stores.cloudlet)).filter(
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
      const invented = await scene.admit({ issuer: someId() }, elsewhere);
      const inventedSet = await attest(scene, invented, CODES, elsewhere);
      const calls = await system.stores.cloudlet.collection<{ _id: string; answers: unknown }>({
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
      const apart = await createScene(system, { moderator: scene.moderator });
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
      await apart.publish({ version: 2, at: system.clock.now() });
      expect(codeOf(await stand())).toBe("MEMBER_UNKNOWN");
      const gatewayThere = await gatewayOf(system, pairing, { community: plan, codes: CODES, threshold: 0 });
      await gatewayThere.call("fall");
      await gatewayThere.end();
    });
  });

  describe("relay", () => {
    /** Two qualified helpers for a call with one stranded batch. */
    const relaying = async (count = 2) => {
      const helpers = await Promise.all(Array.from({ length: count }, () => helper()));
      const sealed = await stranded();
      const called = await gateway(3);
      await called.call("news2");
      for (const { helper: program } of helpers) {
        await program.round();
      }
      expect((await called.tend()).helpers).toBe(count);
      return { helpers: helpers as [TestHelper, TestHelper, TestHelper], sealed, called };
    };
    const settle = async (called: { end(): Promise<void> }) => {
      await called.end();
      line.mend();
    };

    it("brings a sealed emergency to the cloud, whose word ends the cloudlet's waiting; other batches wait", async () => {
      const { helpers, sealed, called } = await relaying();
      const regular = await stranded("regular");
      expect(await waiting()).toBe(2);
      const done = await helpers[0].helper.round();
      expect(done).toMatchObject({ relayed: 1, bytes: sealed.bytes.length, troubles: [] });
      expect(await inCloud(sealed.bytes)).toBe(1);
      expect(await inCloud(regular.bytes)).toBe(0);
      expect(await waiting()).toBe(1);
      // The other finds nothing left to do.
      expect(await helpers[1].helper.round()).toMatchObject({ relayed: 0 });
      await settle(called);
      // The cloudlet's own trying never ended.
      await eventually(async () => (await inCloud(regular.bytes)) === 1, 40_000);
      expect(await inCloud(sealed.bytes)).toBe(1);
    });

    it("gives frames to two at a time, and to nobody who did not qualify", async () => {
      const { helpers, called } = await relaying(3);
      const outsider = await helper(["gout"]);
      expect(await errandsFor(outsider)).toEqual([]);
      expect(await errandsFor(helpers[0])).toHaveLength(1);
      expect(await errandsFor(helpers[0])).toEqual([]);
      expect(await errandsFor(helpers[1])).toHaveLength(1);
      expect(await errandsFor(helpers[2])).toEqual([]);
      // Who drops it costs half a minute: then the third is asked.
      system.clock.advance(PERMIT_MS + 1000);
      expect(await errandsFor(helpers[0])).toEqual([]);
      expect(await helpers[2].helper.round()).toMatchObject({ relayed: 1 });
      await settle(called);
    });

    it("costs nothing where a helper lies: false words, altered bytes, another's permit, another batch, too late", async () => {
      const { helpers, sealed, called } = await relaying(3);
      const [liar, second, third] = helpers;
      const [errand] = await errandsFor(liar);
      const permit = unverifiedPayload(FORWARD_PERMIT, errand?.permit as string);
      const { header } = parseBatch(sealed.bytes);
      const word = {
        deviceId: header.deviceId,
        sequence: header.sequence,
        digest: batchDigest(sealed.bytes),
        cloudlet: permit.cloudlet,
        at: system.clock.now(),
      };
      expect(codeOf(await tell(liar, await signStatement(ACKNOWLEDGEMENT, word, liar.key)))).toBe(
        "ACKNOWLEDGEMENT_INVALID",
      );
      expect(await waiting()).toBe(1);
      // A liar carries nothing more; somebody else takes over at once.
      expect(await errandsFor(liar)).toEqual([]);

      const e = errand as NonNullable<typeof errand>;
      const code = async (answer: ReturnType<typeof bring>) => (await answer).code;
      const altered = Uint8Array.from(sealed.bytes);
      altered[1100] = (altered[1100] as number) ^ 1;
      expect(await code(bring(liar.key, e, { batch: altered }))).toBe("BATCH_SIGNATURE_INVALID");
      expect(await code(bring(second.key, e))).toBe("PERMIT_HOLDER_MISMATCH");
      const another = await stranded();
      expect(await code(bring(liar.key, e, { batch: another.bytes }))).toBe("PERMIT_BATCH_MISMATCH");
      // Permits that the helper makes for itself: with its own key, with the cloudlet's key named.
      const own = (changes: Partial<ForwardPermit>, by = liar.key) =>
        signStatement(FORWARD_PERMIT, { ...permit, ...changes }, by);
      const keyed = await own({
        cloudletKey: toBase64Url(liar.key.publicKey),
        batch: batchDigest(another.bytes),
      });
      expect(await code(bring(liar.key, e, { batch: another.bytes, permit: keyed }))).toBe(
        "PERMIT_CLOUDLET_MISMATCH",
      );
      const unsigned = await own({ batch: batchDigest(another.bytes) });
      expect(await code(bring(liar.key, e, { batch: another.bytes, permit: unsigned }))).toBe(
        "STATEMENT_INVALID",
      );
      expect(await code(bring(liar.key, e, { forwardTicket: e.deviceTicket }))).toBe(
        "FORWARD_TICKET_INVALID",
      );
      // The cloudlet's ticket in a helper's hands is no cloudlet's right.
      const http = createHttpClient({ clock: system.clock });
      await expect(
        http.json({
          method: "POST",
          url: `${system.cloud.url}/v1/batches`,
          credentials: { key: liar.key, ticket: e.forwardTicket },
          bytes: sealed.bytes,
          headers: { "Device-Ticket": e.deviceTicket, "Received-At": String(system.clock.now()) },
        }),
      ).rejects.toMatchObject({ code: "TICKET_HOLDER_MISMATCH" });
      expect(await inCloud(sealed.bytes)).toBe(0);

      // Twice is once, and its word is as good the second time.
      const first = await bring(liar.key, e);
      expect(first.status).toBe("stored");
      expect((await bring(liar.key, e)).status).toBe("duplicate");
      expect(await inCloud(sealed.bytes)).toBe(1);
      // The word about one batch ends nobody else's waiting.
      expect((await tell(second, first.acknowledgement)).json).toEqual({ status: "taken" });
      expect((await tell(third, first.acknowledgement)).json).toEqual({ status: "known" });
      expect(await waiting()).toBe(1);
      system.clock.advance(PERMIT_MS + 1000);
      expect(await code(bring(liar.key, e))).toBe("PERMIT_EXPIRED");
      expect(await third.helper.round()).toMatchObject({ relayed: 1 });
      await settle(called);
    });

    it("lets no cloudlet pass off a batch that is no emergency, or of a device that it invented", async () => {
      const regular = await stranded("regular");
      const who = await helper();
      const { accountId: cloudlet, key } = system.cloudletAccount;
      const kdc = createKdcClient({ http: createHttpClient({ clock: system.clock }), url: system.kdc.url });
      const now = system.clock.now();
      const permit = await signStatement(
        FORWARD_PERMIT,
        {
          permitId: toHex(randomBytes(16)),
          cloudlet,
          cloudletKey: toBase64Url(key.publicKey),
          helper: toBase64Url(who.key.publicKey),
          batch: batchDigest(regular.bytes),
          receivedAt: now,
          at: now,
          until: now + PERMIT_MS,
        },
        key,
      );
      const errand = {
        batch: toBase64Url(regular.bytes),
        deviceTicket: (await ticketOf()).ticket,
        forwardTicket: (await kdc.forwardTicket(cloudlet, key)).ticket,
        permit,
      };
      expect((await bring(who.key, errand)).code).toBe("RELAY_NOT_EMERGENCY");
      expect((await bring(who.key, { ...errand, deviceTicket: errand.forwardTicket })).code).toBe(
        "DEVICE_TICKET_INVALID",
      );
      line.mend();
    });

    it("shows a helper the sealed frame and ids, and no name, handle or reading", async () => {
      const { helpers, called } = await relaying(2);
      const { json } = await standBy(helpers[0], helpers[0].self.set);
      const text =
        JSON.stringify(json) + atob((json.errands[0].deviceTicket as string).split(".")[1] as string);
      expect(text).not.toContain("ada");
      expect(text).not.toContain("Ada");
      expect(text).not.toContain(pairing.ownerId);
      expect(Object.keys(json.errands[0]).sort()).toEqual([
        "batch",
        "callId",
        "deviceTicket",
        "forwardTicket",
        "permit",
      ]);
      await settle(called);
    });
  });
});
