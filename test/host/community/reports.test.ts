import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBase64Url, toBase64Url, utf8 } from "../../../host/base/index.ts";
import {
  APPEAL,
  COMMUNITY_MESSAGE,
  envelopeAad,
  envelopeInfo,
  MODERATION,
  type Moderation,
  sealedDigest,
} from "../../../host/community/index.ts";
import { signStatement, verifyStatement } from "../../../host/sealing/index.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Person, type System, startSystem } from "../../support/system.ts";
import { createScene, type Insider, type Scene, someId } from "./scene.ts";
import { sealTo } from "./wire.ts";

describe.each(backends())("reports and moderation, on the $name store", (backend) => {
  let system: System;
  let moderator: Person;
  let scene: Scene;
  let foreign: Scene;
  let ada: Insider;
  let ben: Insider;
  let eve: Insider;

  beforeAll(async () => {
    system = await startSystem(backend);
    moderator = await system.person("moderator", "mod");
    scene = await createScene(system, { moderator });
    foreign = await createScene(system, { moderator: await system.person("moderator", "other-mod") });
    await scene.publish();
    await foreign.publish();
    [ada, ben, eve] = [await scene.member(), await scene.member(), await scene.member()];
  });
  afterAll(() => system?.stop());

  const codeOf = ({ status, json }: { status: number; json: { code?: string } }) =>
    status < 300 ? status : json.code;
  const file = (by: Insider, body: unknown) => scene.call("POST", `${scene.path}/reports`, by, body);
  const decisionOf = (
    report: string,
    member: Insider,
    action: Moderation["action"],
    changes: Partial<Moderation> = {},
    by = moderator,
  ) =>
    signStatement(
      MODERATION,
      {
        community: scene.community,
        report,
        moderator: by.session.account.accountId,
        member: member.pseudonym,
        action,
        until: action === "suspend" ? system.clock.now() + 7 * DAY_MS : null,
        reason: "harmful-advice",
        note: null,
        at: system.clock.now(),
        ...changes,
      },
      by.keys.signing,
    );
  const decide = async (report: string, body: unknown, place = scene) =>
    place.call("POST", `${scene.path}/reports/${report}/decisions`, await place.moderate(), body);
  /** Somebody's answer, reported by whom it was sent to. */
  const reported = async (victim: Insider, liar: Insider, text: string) => {
    const question = await scene.asked(victim, liar, "What helps?");
    const answer = await scene.answerOf(victim, liar, question, text);
    await scene.answer(liar, question.exchange, answer.body);
    const content = JSON.stringify({
      statement: answer.body.statement,
      frankingKey: toBase64Url(answer.frankingKey),
      body: toBase64Url(utf8(text)),
    });
    const report = await scene.reportOf(victim, question.exchange, "answer", content);
    expect(codeOf(await file(victim, report.body))).toBe(201);
    return { ...report, exchange: question.exchange, question, answer };
  };

  it("show a moderator the reported message, provably the sender's, and nothing else", async () => {
    const { report, binding, body, answer, exchange, question } = await reported(
      ada,
      ben,
      "Stop your insulin.",
    );
    expect(codeOf(await file(ada, body))).toBe(200);
    const ticket = await scene.moderate();
    const list = (await scene.call("GET", `${scene.path}/reports`, ticket)).json;
    expect(list).toMatchObject({ reports: [{ report, exchange, message: "answer" }], next: null });
    const shown = (await scene.call("GET", `${scene.path}/reports/${report}`, await scene.moderate())).json;
    expect(shown).toMatchObject({
      reporter: { pseudonym: ada.pseudonym },
      sender: { pseudonym: ben.pseudonym, credential: ben.statement },
      decisions: [],
      appeal: null,
    });
    const sealed = fromBase64Url(shown.sealed);
    const opened = await moderator.keys.receiving.open(
      { enc: sealed.slice(0, 962), ciphertext: sealed.slice(962) },
      envelopeInfo(),
      envelopeAad(binding),
    );
    const said = JSON.parse(new TextDecoder().decode(opened).replace(/\0+$/, ""));
    const message = await verifyStatement(COMMUNITY_MESSAGE, said.statement, ben.key.publicKey);
    const commitment = hmac(sha256, fromBase64Url(said.frankingKey), fromBase64Url(said.body));
    expect(toBase64Url(commitment)).toBe(message.commitment);
    // Neither the question nor the answer's own bytes are in what the moderator gets.
    for (const secret of [question.body.sealed, question.body.statement, answer.body.sealed]) {
      expect(JSON.stringify([list, shown])).not.toContain(secret);
    }
  });

  it("give a moderator no way to what was not reported", async () => {
    const { exchange } = await scene.asked(ada, eve, "Private");
    for (const path of [
      `${scene.path}/exchanges/${exchange}`,
      `${scene.path}/members`,
      `${scene.path}/inbox`,
      `${scene.path}/agreements`,
    ]) {
      expect(codeOf(await scene.call("GET", path, await scene.moderate())), path).toBe("PROOF_INVALID");
      const { keys } = moderator;
      expect(codeOf(await scene.call("GET", path, { key: keys.signing })), path).toBe("MEMBER_UNKNOWN");
    }
    expect(codeOf(await scene.call("GET", `${scene.path}/reports/${exchange}`, await scene.moderate()))).toBe(
      "REPORT_UNKNOWN",
    );
  });

  it("are for moderators of this community alone", async () => {
    const { report } = await reported(ada, eve, "Buy my book.");
    const at = `${scene.path}/reports`;
    for (const path of [at, `${at}/${report}`]) {
      expect(codeOf(await scene.call("GET", path, await foreign.moderate()))).toBe("REPORT_UNKNOWN");
      expect(codeOf(await scene.call("GET", path, undefined))).toBe("TICKET_MISSING");
      const { session, keys } = system.operator;
      expect(codeOf(await scene.call("GET", path, await session.staffTicket(keys.signing)))).toBe(
        "TICKET_SCOPE",
      );
    }
    const statement = await decisionOf(report, eve, "warn");
    expect(codeOf(await decide(report, { statement }, foreign))).toBe("REPORT_UNKNOWN");
    // Signed by another moderator, about somebody else, or of another report.
    const byOther = await decisionOf(report, eve, "warn", {}, foreign.moderator);
    expect(codeOf(await decide(report, { statement: byOther }))).toBe("STATEMENT_INVALID");
    for (const wrong of [
      await decisionOf(report, ada, "suspend"),
      await decisionOf(someId(), eve, "warn"),
      await decisionOf(report, eve, "warn", { note: "0".repeat(64) }),
    ]) {
      expect(codeOf(await decide(report, { statement: wrong }))).toBe("MODERATION_MISMATCH");
    }
    expect(
      (await scene.inbox(eve)).json.items.some(({ type }: { type: string }) => type === "moderation"),
    ).toBe(false);
  });

  it("are by whom the message was sent to, about a message that there is, and once", async () => {
    const { exchange } = await scene.asked(ada, eve, "Only a question so far");
    const tries: [Insider, "question" | "answer", string][] = [
      [ada, "answer", "MESSAGE_UNKNOWN"],
      [ada, "question", "MESSAGE_UNKNOWN"],
      [ben, "question", "MESSAGE_UNKNOWN"],
    ];
    for (const [by, message, code] of tries) {
      expect(codeOf(await file(by, (await scene.reportOf(by, exchange, message, "x")).body))).toBe(code);
    }
    const nowhere = await scene.reportOf(ada, someId(), "answer", "x");
    expect(codeOf(await file(ada, nowhere.body))).toBe("MESSAGE_UNKNOWN");
    const right = await scene.reportOf(eve, exchange, "question", "x");
    expect(codeOf(await file(ada, right.body))).toBe("STATEMENT_NOT_YOURS");
    const swapped = [{ ...right.body.sealed[0], sealed: nowhere.body.sealed[0]?.sealed }];
    expect(codeOf(await file(eve, { ...right.body, sealed: swapped }))).toBe("SEALED_DIGEST_MISMATCH");
    const elsewhere = [{ ...right.body.sealed[0], moderator: someId() }];
    expect(codeOf(await file(eve, { ...right.body, sealed: elsewhere }))).toBe("REPORT_MODERATORS");
    expect(codeOf(await file(eve, right.body))).toBe(201);
    const second = await scene.reportOf(eve, exchange, "question", "again");
    expect(codeOf(await file(eve, second.body))).toBe("REPORT_EXISTS");
    // An opening question holds nothing that anybody wrote.
    const opening = await scene.openingOf(ada, ben);
    await scene.open(ada, opening.body);
    const ofOpening = await scene.reportOf(ben, opening.exchange, "question", "x");
    expect(codeOf(await file(ben, ofOpening.body))).toBe("MESSAGE_UNKNOWN");
  });

  it("suspend somebody, who may read, withdraw and appeal, and send nothing; and are lifted", async () => {
    const liar = await scene.member();
    const { exchange, report } = await reported(ada, liar, "Leeches.");
    const open = await scene.openingOf(ada, liar);
    await scene.open(ada, open.body);
    const text = utf8("Quote this to the member alone.");
    const binding = {
      kind: "note" as const,
      community: scene.community,
      subject: report,
      from: moderator.session.account.accountId,
      to: liar.pseudonym,
    };
    const note = await sealTo(system, liar.receiving.publicKey, binding, text);
    const statement = await decisionOf(report, liar, "suspend", { note: sealedDigest(note) });
    expect(codeOf(await decide(report, { statement }))).toBe("MODERATION_MISMATCH");
    const body = { statement, note: toBase64Url(note) };
    expect(codeOf(await decide(report, body))).toBe(201);
    expect(codeOf(await decide(report, body))).toBe(200);

    const path = (rest: string) => `${scene.path}${rest}`;
    const answer = await scene.answerOf(ada, liar, open, "Still here");
    const refused: [string, unknown][] = [
      ["/openings", (await scene.openingOf(liar, ada)).body],
      ["/questions", (await scene.questionOf(liar, ada, "x")).body],
      [`/exchanges/${open.exchange}/answer`, answer.body],
      [`/exchanges/${exchange}/rating`, { statement: await scene.ratingOf(liar, ada, exchange, false) }],
      ["/agreements", { statement: await scene.agreementOf(liar, ada, { at: system.clock.now() + 1 }) }],
      ["/reports", (await scene.reportOf(liar, exchange, "question", "x")).body],
    ];
    for (const [rest, json] of refused) {
      const { status, json: problem } = await scene.call("POST", path(rest), liar, json);
      expect([rest, status, problem.code, problem.report]).toEqual([rest, 403, "MEMBER_SUSPENDED", report]);
    }
    const items = (await scene.inbox(liar)).json.items;
    expect(items.find(({ type }: { type: string }) => type === "moderation")).toMatchObject({
      report,
      exchange,
      role: "sender",
      decisions: [{ statement, note: body.note }],
    });
    expect((await scene.show(liar, exchange)).json.question.sealed).not.toBeNull();
    expect(codeOf(await scene.agree(liar, ada, { agreed: false, at: system.clock.now() + 1 }))).toBe(201);

    const appealing = {
      kind: "appeal" as const,
      community: scene.community,
      subject: report,
      from: liar.pseudonym,
      to: moderator.session.account.accountId,
    };
    const words = await sealTo(system, moderator.keys.receiving.publicKey, appealing, utf8("It was a joke."));
    const appealOf = (by: Insider, about = report) =>
      signStatement(
        APPEAL,
        {
          community: scene.community,
          report: about,
          from: by.pseudonym,
          sealed: [{ moderator: appealing.to, sealed: sealedDigest(words) }],
          at: system.clock.now(),
        },
        by.key,
      );
    const appeal = async (by: Insider, about = report) => ({
      statement: await appealOf(by, about),
      sealed: [{ moderator: appealing.to, sealed: toBase64Url(words) }],
    });
    const to = path(`/reports/${report}/appeal`);
    expect(codeOf(await scene.call("POST", to, ada, await appeal(ada)))).toBe("REPORT_UNKNOWN");
    const own = await appeal(liar);
    expect(codeOf(await scene.call("POST", to, liar, own))).toBe(201);
    expect(codeOf(await scene.call("POST", to, liar, own))).toBe(200);
    expect(codeOf(await scene.call("POST", to, liar, await appeal(liar, someId())))).toBe("REPORT_UNKNOWN");
    const seen = (await scene.call("GET", path(`/reports/${report}`), await scene.moderate())).json;
    expect(seen.appeal).toEqual({ statement: own.statement, sealed: own.sealed[0]?.sealed });
    const { members } = (await scene.call("GET", path(`/members?pseudonym=${liar.pseudonym}`), ada)).json;
    expect(members[0].suspendedUntil).toBeGreaterThan(system.clock.now());

    expect(codeOf(await decide(report, { statement: await decisionOf(report, liar, "lift") }))).toBe(201);
    expect(codeOf(await scene.open(liar, (await scene.openingOf(liar, ada)).body))).toBe(201);
    // A suspension ends by itself, too.
    const again = await decisionOf(report, liar, "suspend", { until: system.clock.now() + DAY_MS });
    expect(codeOf(await decide(report, { statement: again }))).toBe(201);
    expect(codeOf(await scene.open(liar, (await scene.openingOf(liar, ben)).body))).toBe("MEMBER_SUSPENDED");
    system.clock.advance(DAY_MS + 1);
    expect(codeOf(await scene.open(liar, (await scene.openingOf(liar, ben)).body))).toBe(201);
    const forEver = await decisionOf(report, liar, "suspend", { until: system.clock.now() + 400 * DAY_MS });
    expect(codeOf(await decide(report, { statement: forEver }))).toBe("SUSPENSION_TOO_LONG");
  });

  it("keep a removed message back by the decision alone, should the relay stop before it deletes the bytes", async () => {
    const { exchange, report } = await reported(eve, ben, "Secret cure.");
    expect((await scene.show(eve, exchange)).json.answer.sealed).not.toBeNull();
    // The decision as it lies in the store, without what comes after it.
    const reports = await system.stores.cloudlet.collection<{ _id: string; removed: boolean }>({
      name: "community_reports",
      indexes: [],
    });
    const _id = { $eq: `${scene.community}:${report}` };
    expect((await reports.updateOne({ _id }, { $set: { removed: true } })).matched).toBe(1);
    expect((await scene.show(eve, exchange)).json).toMatchObject({
      removed: ["answer"],
      answer: { sealed: null },
    });
    const told = (await scene.inbox(eve, "0", 50)).json.items.filter(
      (item: { exchange?: { exchange?: string } }) => item.exchange?.exchange === exchange,
    );
    expect(told).toMatchObject([{ exchange: { answer: { sealed: null } } }]);
  });

  it("remove a message, which is passed on no more; and tell the reporter alone when they come to nothing", async () => {
    const { exchange, report, answer } = await reported(ben, eve, "Advertising.");
    expect(codeOf(await decide(report, { statement: await decisionOf(report, eve, "remove") }))).toBe(201);
    const shown = (await scene.show(ben, exchange)).json;
    expect(shown).toMatchObject({
      removed: ["answer"],
      answer: { sealed: null, statement: answer.body.statement },
    });
    expect(shown.question.sealed).not.toBeNull();
    const second = await decisionOf(report, eve, "dismiss", { reason: "no-violation" });
    expect(codeOf(await decide(report, { statement: second }))).toBe(201);
    const told = (await scene.inbox(eve, "0", 50)).json.items.find(
      (item: { report?: string }) => item.report === report,
    );
    expect(told.decisions).toHaveLength(1);
    expect(
      (await scene.inbox(ben, "0", 50)).json.items.find((item: { report?: string }) => item.report === report)
        .decisions,
    ).toHaveLength(2);

    const liar = await scene.member();
    const dull = await reported(ben, liar, "Drink enough.");
    const statement = await decisionOf(dull.report, liar, "dismiss", { reason: "no-violation" });
    expect(codeOf(await decide(dull.report, { statement }))).toBe(201);
    const ofReport = ({ report: id }: { report?: string }) => id === dull.report;
    expect((await scene.inbox(ben, "0", 50)).json.items.find(ofReport)).toMatchObject({
      role: "reporter",
      decisions: [{ statement, note: null }],
    });
    expect((await scene.inbox(liar)).json.items.find(ofReport)).toBeUndefined();
    // And of a report that they were not told of, nobody appeals.
    const path = `${scene.path}/reports/${dull.report}/appeal`;
    const sealed = await sealTo(
      system,
      moderator.keys.receiving.publicKey,
      {
        kind: "appeal",
        community: scene.community,
        subject: dull.report,
        from: liar.pseudonym,
        to: moderator.session.account.accountId,
      },
      utf8("?"),
    );
    const appeal = await signStatement(
      APPEAL,
      {
        community: scene.community,
        report: dull.report,
        from: liar.pseudonym,
        sealed: [{ moderator: moderator.session.account.accountId, sealed: sealedDigest(sealed) }],
        at: system.clock.now(),
      },
      liar.key,
    );
    const body = {
      statement: appeal,
      sealed: [{ moderator: moderator.session.account.accountId, sealed: toBase64Url(sealed) }],
    };
    expect(codeOf(await scene.call("POST", path, liar, body))).toBe("REPORT_UNKNOWN");
  });
});
