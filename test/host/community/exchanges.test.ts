import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBase64Url } from "../../../host/base/index.ts";
import { envelopeAad, envelopeInfo, statementDigest } from "../../../host/community/index.ts";
import { TRUST_EPOCH_MS } from "../../../host/trust/index.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, dumpOf, type System, startSystem } from "../../support/system.ts";
import { createScene, type Insider, type Scene, someId } from "./scene.ts";

describe.each(backends())("exchanges through a relay, on the $name store", (backend) => {
  let system: System;
  let scene: Scene;
  let ada: Insider;
  let ben: Insider;
  let eve: Insider;

  beforeAll(async () => {
    system = await startSystem(backend);
    scene = await createScene(system, { moderator: await system.person("moderator", "mod") });
    expect((await scene.publish()).status).toBe(201);
    [ada, ben, eve] = [await scene.member(), await scene.member(), await scene.member()];
  });
  afterAll(() => system?.stop());

  const codeOf = ({ status, json }: { status: number; json: { code?: string } }) =>
    status < 300 ? status : json.code;

  it("carry a question and its answer, both halves of the receipt, and nothing readable", async () => {
    const { exchange, body } = await scene.asked(ada, ben, "Do you sleep well at night?");
    expect(codeOf(await scene.ask(ada, body))).toBe(200);

    const { items } = (await scene.inbox(ben)).json;
    const waiting = items.find(({ type }: { type: string }) => type === "exchange");
    expect(waiting.exchange).toMatchObject({
      exchange,
      asker: ada.pseudonym,
      answerer: ben.pseudonym,
      state: "waiting",
      held: false,
      question: body,
      answer: null,
    });
    const sealed = fromBase64Url(waiting.exchange.question.sealed);
    const recipient = await system.suite.recipient(ben.receiving.privateKey);
    const opened = await recipient.open(
      { enc: sealed.slice(0, 962), ciphertext: sealed.slice(962) },
      envelopeInfo(),
      envelopeAad({
        kind: "question",
        community: scene.community,
        subject: exchange,
        from: ada.pseudonym,
        to: ben.pseudonym,
      }),
    );
    expect(new TextDecoder().decode(opened)).toContain("Do you sleep well at night?");

    const answer = await scene.answerOf(ada, ben, { exchange, body }, "Better since I use two pillows.");
    expect(codeOf(await scene.answer(ben, exchange, answer.body))).toBe(201);
    expect(codeOf(await scene.answer(ben, exchange, answer.body))).toBe(200);
    expect((await scene.show(ada, exchange)).json).toMatchObject({ state: "answered", answer: answer.body });
    const told = (await scene.inbox(ada)).json.items.filter(
      ({ type }: { type: string }) => type === "exchange",
    );
    expect(told.map((item: { exchange: { exchange: string } }) => item.exchange.exchange)).toEqual([
      exchange,
    ]);

    expect(codeOf(await scene.rate(ada, ben, exchange, true))).toBe(201);
    const again = await scene.ratingOf(ada, ben, exchange, false);
    const path = `${scene.path}/exchanges/${exchange}/rating`;
    expect(codeOf(await scene.call("POST", path, ada, { statement: again }))).toBe("VOICE_USED");

    for (const { document } of await dumpOf(system.stores.cloudlet)) {
      const text = JSON.stringify(document, (_name, value) =>
        value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value,
      );
      expect(text).not.toMatch(/sleep well|two pillows/);
    }
  });

  it("answer the same rating sent again as one that was taken", async () => {
    const [one, other] = [await scene.member(), await scene.member()];
    const { exchange } = await scene.met(one, other);
    const statement = await scene.ratingOf(one, other, exchange, true);
    const path = `${scene.path}/exchanges/${exchange}/rating`;
    expect(codeOf(await scene.call("POST", path, one, { statement }))).toBe(201);
    expect(codeOf(await scene.call("POST", path, one, { statement }))).toBe(200);
  });

  it("need both agreements, and are held once one is withdrawn", async () => {
    const [one, other] = [await scene.member(), await scene.member()];
    const question = await scene.questionOf(one, other, "May I ask?");
    expect(codeOf(await scene.ask(one, question.body))).toBe("AGREEMENT_MISSING");
    await scene.agree(one, other);
    expect(codeOf(await scene.ask(one, question.body))).toBe("AGREEMENT_MISSING");
    await scene.agree(other, one, { days: 10 });
    expect(codeOf(await scene.ask(one, question.body))).toBe(201);

    system.clock.advance(1000);
    expect(codeOf(await scene.agree(one, other, { agreed: false }))).toBe(201);
    const held = (await scene.show(other, question.exchange)).json;
    expect(held).toMatchObject({ held: true, question: { sealed: null, receipt: question.body.receipt } });
    const answer = await scene.answerOf(one, other, question, "Too late.");
    expect(codeOf(await scene.answer(other, question.exchange, answer.body))).toBe("AGREEMENT_MISSING");
    const next = await scene.questionOf(other, one, "And the other way?");
    expect(codeOf(await scene.ask(other, next.body))).toBe("AGREEMENT_MISSING");

    // An older word than the withdrawal does not come back, sent by whomever.
    const old = await scene.agreementOf(one, other, { at: system.clock.now() - 60_000 });
    const path = `${scene.path}/agreements`;
    const refused = await scene.call("POST", path, one, { statement: old });
    expect(codeOf(refused)).toBe("AGREEMENT_OLDER");
    expect(refused.json.at).toBeGreaterThan(system.clock.now() - 60_000);
    expect(codeOf(await scene.call("POST", path, other, { statement: old }))).toBe("STATEMENT_NOT_YOURS");

    system.clock.advance(1000);
    await scene.agree(one, other);
    expect((await scene.show(other, question.exchange)).json.held).toBe(false);
    expect(codeOf(await scene.answer(other, question.exchange, answer.body))).toBe(201);
    // Agreements end by themselves, too.
    system.clock.advance(11 * DAY_MS);
    expect((await scene.show(one, question.exchange)).json).toMatchObject({
      held: true,
      answer: { sealed: null },
    });
  });

  it("take nothing without its half of the receipt, or with another's", async () => {
    const [one, other] = [await scene.member(), await scene.member()];
    await scene.agree(one, other);
    await scene.agree(other, one);
    const { exchange, body } = await scene.questionOf(one, other, "A question");
    const without = { statement: body.statement, sealed: body.sealed };
    expect(codeOf(await scene.ask(one, without))).toBe("REQUEST_INVALID");
    const about = { exchange, asker: one.pseudonym, answerer: other.pseudonym };
    const right = statementDigest(body.statement);
    for (const receipt of [
      await scene.receiptOf(one, { ...about, question: statementDigest("another") }),
      await scene.receiptOf(one, { ...about, question: right, exchange: someId() }),
      await scene.receiptOf(one, { ...about, question: right, answerer: eve.pseudonym }),
      await scene.receiptOf(one, { ...about, question: right, epoch: 1 }),
    ]) {
      expect(codeOf(await scene.ask(one, { ...body, receipt }))).toBe("RECEIPT_MISMATCH");
    }
    const forged = await scene.receiptOf(other, { ...about, question: right });
    expect(codeOf(await scene.ask(one, { ...body, receipt: forged }))).toBe("STATEMENT_INVALID");
    expect(codeOf(await scene.ask(one, body))).toBe(201);

    const answer = await scene.answerOf(one, other, { exchange, body }, "An answer");
    const bare = { statement: answer.body.statement, sealed: answer.body.sealed };
    expect(codeOf(await scene.answer(other, exchange, bare))).toBe("REQUEST_INVALID");
    const wrong = await scene.receiptOf(other, { ...about, question: statementDigest("another") });
    expect(codeOf(await scene.answer(other, exchange, { ...bare, receipt: wrong }))).toBe("RECEIPT_MISMATCH");
    // The asker's half in the answerer's place.
    expect(codeOf(await scene.answer(other, exchange, { ...bare, receipt: body.receipt }))).toBe(
      "STATEMENT_INVALID",
    );
    expect((await scene.show(one, exchange)).json).toMatchObject({ state: "waiting", answer: null });
    expect(codeOf(await scene.rate(one, other, exchange, false))).toBe("EXCHANGE_UNANSWERED");
  });

  it("begin with an opening, once a pair and week, which may be declined", async () => {
    const [one, other] = [await scene.member(), await scene.member()];
    const opening = await scene.openingOf(one, other, 1);
    expect(codeOf(await scene.open(one, opening.body))).toBe(201);
    expect(codeOf(await scene.open(one, opening.body))).toBe(200);
    const second = await scene.openingOf(one, other, 0);
    expect(codeOf(await scene.open(one, second.body))).toBe("OPENING_USED");
    const unknown = await scene.openingOf(other, one, 2);
    expect(codeOf(await scene.open(other, unknown.body))).toBe("OPENING_UNKNOWN");
    expect(codeOf(await scene.open(other, (await scene.openingOf(other, one)).body))).toBe(201);

    const decline = `${scene.path}/exchanges/${opening.exchange}/decline`;
    expect(codeOf(await scene.call("POST", decline, one))).toBe("EXCHANGE_UNKNOWN");
    expect((await scene.call("POST", decline, other)).json.state).toBe("declined");
    expect(codeOf(await scene.call("POST", decline, other))).toBe(200);
    const answer = await scene.answerOf(one, other, opening, "After all");
    expect(codeOf(await scene.answer(other, opening.exchange, answer.body))).toBe("EXCHANGE_CLOSED");

    system.clock.advance(TRUST_EPOCH_MS);
    expect(codeOf(await scene.open(one, (await scene.openingOf(one, other)).body))).toBe(201);
  });

  it("are nobody else's: showing, answering, declining, acknowledging, rating", async () => {
    const question = await scene.asked(ada, ben, "Between us");
    const { exchange } = question;
    const at = (rest: string) => `${scene.path}/exchanges/${exchange}${rest}`;
    expect(codeOf(await scene.show(eve, exchange))).toBe("EXCHANGE_UNKNOWN");
    expect(codeOf(await scene.show(eve, someId()))).toBe("EXCHANGE_UNKNOWN");
    const hers = await scene.answerOf(ada, eve, question, "Me instead");
    expect(codeOf(await scene.answer(eve, exchange, hers.body))).toBe("EXCHANGE_UNKNOWN");
    // Nor by one party in the other's place, nor with words that another signed.
    expect(
      codeOf(await scene.answer(ada, exchange, (await scene.answerOf(ada, ben, question, "x")).body)),
    ).toBe("STATEMENT_INVALID");
    expect(codeOf(await scene.answer(ben, exchange, hers.body))).toBe("STATEMENT_INVALID");
    const { statement, sealed } = await scene.messageOf("answer", eve, ada, exchange, "As her", { by: ben });
    const { receipt } = (await scene.answerOf(ada, ben, question, "x")).body;
    expect(codeOf(await scene.answer(ben, exchange, { statement, sealed, receipt }))).toBe(
      "MESSAGE_MISMATCH",
    );
    for (const rest of ["/decline", "/received"]) {
      expect(codeOf(await scene.call("POST", at(rest), eve))).toBe("EXCHANGE_UNKNOWN");
    }
    const rating = await scene.ratingOf(eve, ben, exchange, false);
    expect(codeOf(await scene.call("POST", at("/rating"), eve, { statement: rating }))).toBe(
      "EXCHANGE_UNKNOWN",
    );
    const inbox = (await scene.inbox(eve)).json;
    expect(JSON.stringify(inbox)).not.toContain(exchange);
    expect((await scene.show(ben, exchange)).json.state).toBe("waiting");
  });

  it("let nobody ask in another's name, and no sender reuse an id", async () => {
    const question = await scene.asked(ada, ben, "Mine");
    expect(codeOf(await scene.ask(eve, question.body))).toBe("STATEMENT_NOT_YOURS");
    // Eve signs with her own key that it is from Ada.
    const forged = await scene.messageOf("question", ada, ben, someId(), "Forged", { by: eve });
    const receipt = question.body.receipt;
    const { statement, sealed } = forged;
    expect(codeOf(await scene.ask(ada, { statement, sealed, receipt }))).toBe("STATEMENT_INVALID");
    // Another question under the same id.
    const same = await scene.questionOf(ada, ben, "Another", question.exchange);
    expect(codeOf(await scene.ask(ada, same.body))).toBe("EXCHANGE_EXISTS");
    // Other sealed bytes than were signed for.
    const other = await scene.messageOf("question", ada, ben, question.exchange, "Swapped");
    const fresh = await scene.questionOf(ada, ben, "Fresh");
    expect(codeOf(await scene.ask(ada, { ...fresh.body, sealed: other.sealed }))).toBe(
      "SEALED_DIGEST_MISMATCH",
    );
  });

  it("take no sealed bytes of another size, no statement of long ago, and nobody who is no member", async () => {
    const { body } = await scene.questionOf(ada, ben, "Padded");
    const longer = Buffer.concat([Buffer.from(body.sealed, "base64url"), Buffer.of(0)]).toString("base64url");
    expect(codeOf(await scene.ask(ada, { ...body, sealed: longer }))).toBe("SEALED_SIZE_INVALID");
    expect(codeOf(await scene.ask(ada, { ...body, sealed: "A".repeat(24_001) }))).toBe("REQUEST_INVALID");
    const stranger = await scene.admit();
    expect(codeOf(await scene.ask(stranger, body))).toBe("MEMBER_UNKNOWN");
    const toStranger = await scene.openingOf(ada, stranger);
    expect(codeOf(await scene.open(ada, toStranger.body))).toBe("PARTNER_UNKNOWN");
    const kept = await scene.openingOf(ada, eve);
    system.clock.advance(DAY_MS + 60_000);
    expect(codeOf(await scene.open(ada, kept.body))).toBe("STATEMENT_STALE");
  });

  it("are told at least once by an inbox that pages", async () => {
    const reader = await scene.member();
    const askers = [await scene.member(), await scene.member(), await scene.member()];
    const made: string[] = [];
    for (const asker of askers) {
      const { exchange, body } = await scene.openingOf(asker, reader);
      expect(codeOf(await scene.open(asker, body))).toBe(201);
      made.push(exchange);
    }
    const seen: string[] = [];
    let after = "0";
    for (;;) {
      const { items, next, more } = (await scene.inbox(reader, after, 2)).json;
      seen.push(...items.map((item: { exchange: { exchange: string } }) => item.exchange.exchange));
      after = next;
      if (!more) {
        break;
      }
    }
    expect(seen).toEqual(made);
    // For ten seconds the last of it comes again: a write that overtook another is missed by nobody.
    const again = (await scene.inbox(reader, after)).json.items;
    expect(again.at(-1).exchange.exchange).toBe(made.at(-1));
    system.clock.advance(11_000);
    const later = (await scene.inbox(reader, after)).json;
    system.clock.advance(11_000);
    expect((await scene.inbox(reader, later.next)).json.items).toEqual([]);
  });
});

// What a service forgets by itself, without waiting for its timer.
describe.each(backends())("what a relay forgets, on the $name store", (backend) => {
  it("is what both sides have kept, a week later; the receipts stay", async () => {
    const system = await startSystem(backend);
    const { createCommunityRooms } = await import("../../../host/community/index.ts");
    const rooms = await createCommunityRooms({ store: system.stores.cloudlet, clock: system.clock });
    const scene = await createScene(system, { moderator: await system.person("moderator", "mod") });
    await scene.publish();
    const [ada, ben] = [await scene.member(), await scene.member()];
    const question = await scene.asked(ada, ben, "Kept for a while");
    const { exchange } = question;
    const received = `${scene.path}/exchanges/${exchange}/received`;
    // Nothing to keep yet: it does not count.
    expect((await scene.call("POST", received, ada)).status).toBe(204);
    expect((await scene.call("POST", received, ben)).status).toBe(204);
    const answer = await scene.answerOf(ada, ben, question, "An answer");
    await scene.answer(ben, exchange, answer.body);
    system.clock.advance(8 * DAY_MS);
    await rooms.forget();
    expect((await scene.show(ada, exchange)).json.answer.sealed).toBe(answer.body.sealed);
    expect((await scene.call("POST", received, ada)).status).toBe(204);
    system.clock.advance(6 * DAY_MS);
    await rooms.forget();
    expect((await scene.show(ada, exchange)).json.answer.sealed).toBe(answer.body.sealed);
    system.clock.advance(2 * DAY_MS);
    await rooms.forget();
    const left = (await scene.show(ada, exchange)).json;
    expect(left.question.sealed).toBeNull();
    expect(left.answer).toEqual({ ...answer.body, sealed: null });
    const stored = (await dumpOf(system.stores.cloudlet)).filter(
      ({ collection }) => collection === "community_exchanges",
    );
    expect(stored).toMatchObject([{ document: { question: { sealed: null }, answer: { sealed: null } } }]);
    system.clock.advance(60 * DAY_MS);
    await rooms.forget();
    expect((await scene.show(ada, exchange)).json.code).toBe("EXCHANGE_UNKNOWN");
    expect(
      (await dumpOf(system.stores.cloudlet)).filter(({ collection }) =>
        /exchanges|agreements/.test(collection),
      ),
    ).toEqual([]);
    await system.stop();
  });
});
