import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBase64Url } from "../../../host/base/index.ts";
import { SIMILARITY_MESSAGE } from "../../../host/community/index.ts";
import { verifyStatement } from "../../../host/sealing/index.ts";
import { answerSimilarity, askSimilarity } from "../../../host/trust/index.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, dumpOf, type System, startSystem } from "../../support/system.ts";
import { createScene, type Insider, runIdOf, type Scene, someId } from "./scene.ts";

const CODES = ["195967001", "44054006", "38341003"];

describe.each(backends())("private similarity through a relay, on the $name store", (backend) => {
  let system: System;
  let scene: Scene;
  let ada: Insider;
  let ben: Insider;
  let eve: Insider;

  beforeAll(async () => {
    system = await startSystem(backend);
    scene = await createScene(system, { moderator: await system.person("moderator", "mod") });
    await scene.publish();
    [ada, ben, eve] = [await scene.member(), await scene.member(), await scene.member()];
  });
  afterAll(() => system?.stop());

  const codeOf = ({ status, json }: { status: number; json: { code?: string } }) =>
    status < 300 ? status : json.code;
  const send = (sender: Insider, statement: string) =>
    scene.call("POST", `${scene.path}/similarity`, sender, { statement });
  const show = (sender: Insider, run: string) => scene.call("GET", `${scene.path}/similarity/${run}`, sender);
  const messageIn = async (statement: string, sender: Insider) =>
    fromBase64Url((await verifyStatement(SIMILARITY_MESSAGE, statement, sender.key.publicKey)).message);

  it("gives both the size of the overlap and the relay no code", async () => {
    const asker = askSimilarity(CODES);
    const run = runIdOf(asker.request);
    const request = await scene.similarityOf("request", ada, ben, asker.request);
    expect(codeOf(await send(ada, request))).toBe(201);
    expect(codeOf(await send(ada, request))).toBe(200);

    const [item] = (await scene.inbox(ben)).json.items;
    expect(item).toMatchObject({
      type: "similarity",
      run: { run, from: ada.pseudonym, request, reply: null },
    });
    const answerer = answerSimilarity(["44054006", "999"], await messageIn(item.run.request, ada));
    const reply = await scene.similarityOf("reply", ben, ada, answerer.reply);
    expect(codeOf(await send(ben, reply))).toBe(201);

    const [told] = (await scene.inbox(ada)).json.items;
    const { overlap, confirmation } = asker.receive(await messageIn(told.run.reply, ben));
    expect(overlap.common).toBe(1);
    expect(codeOf(await send(ada, await scene.similarityOf("confirmation", ada, ben, confirmation)))).toBe(
      201,
    );
    const done = (await show(ben, run)).json;
    expect(answerer.receive(await messageIn(done.confirmation, ada)).common).toBe(1);

    const stored = JSON.stringify(await dumpOf(system.stores.cloudlet));
    for (const code of CODES) {
      expect(stored).not.toContain(code);
    }
  });

  it("lets nobody play the partner, look on, or send out of turn", async () => {
    const asker = askSimilarity(CODES);
    const run = runIdOf(asker.request);
    const request = await scene.similarityOf("request", ada, ben, asker.request);
    expect(codeOf(await send(eve, request))).toBe("STATEMENT_NOT_YOURS");
    // Signed by Eve that it is from Ada, and sent by either.
    const forged = await scene.similarityOf("request", ada, ben, asker.request, { by: eve });
    expect(codeOf(await send(ada, forged))).toBe("STATEMENT_INVALID");
    const early = answerSimilarity(CODES, asker.request);
    expect(codeOf(await send(ben, await scene.similarityOf("reply", ben, ada, early.reply)))).toBe(
      "SIMILARITY_RUN_UNKNOWN",
    );
    expect(codeOf(await send(ada, request))).toBe(201);
    expect(codeOf(await show(eve, run))).toBe("SIMILARITY_RUN_UNKNOWN");
    expect(codeOf(await show(eve, someId()))).toBe("SIMILARITY_RUN_UNKNOWN");
    const byEve = await scene.similarityOf("reply", eve, ada, early.reply);
    expect(codeOf(await send(eve, byEve))).toBe("SIMILARITY_TURN");
    const { confirmation } = asker.receive(early.reply);
    const confirmed = await scene.similarityOf("confirmation", ada, ben, confirmation);
    expect(codeOf(await send(ada, confirmed))).toBe("SIMILARITY_TURN");
    expect(codeOf(await send(ada, await scene.similarityOf("reply", ada, ben, early.reply)))).toBe(
      "SIMILARITY_TURN",
    );
    expect(codeOf(await send(ben, await scene.similarityOf("reply", ben, ada, early.reply)))).toBe(201);
    const second = answerSimilarity(CODES, asker.request);
    expect(codeOf(await send(ben, await scene.similarityOf("reply", ben, ada, second.reply)))).toBe(
      "SIMILARITY_TURN",
    );
    expect(JSON.stringify((await scene.inbox(eve)).json)).not.toContain(run);
  });

  it("takes nothing that is no message of this run", async () => {
    const { request } = askSimilarity(CODES);
    const cut = request.slice(0, 1000);
    expect(codeOf(await send(ada, await scene.similarityOf("request", ada, ben, cut)))).toBe(
      "SIMILARITY_MESSAGE_INVALID",
    );
    const other = await scene.similarityOf("request", ada, ben, request, { run: someId() });
    expect(codeOf(await send(ada, other))).toBe("SIMILARITY_MESSAGE_INVALID");
    const kind = await scene.similarityOf("reply", ada, ben, request);
    expect(codeOf(await send(ada, kind))).toBe("SIMILARITY_MESSAGE_INVALID");
  });

  it("is bounded for each pair and week, and a run that nobody finishes goes", async () => {
    const [one, other] = [await scene.member(), await scene.member()];
    const begin = async (from: Insider, to: Insider) => {
      const { request } = askSimilarity(CODES);
      const answer = await send(from, await scene.similarityOf("request", from, to, request));
      return { run: runIdOf(request), code: codeOf(answer) };
    };
    const first = await begin(one, other);
    expect([first.code, (await begin(other, one)).code]).toEqual([201, 201]);
    expect((await begin(one, other)).code).toBe("SIMILARITY_BUDGET_SPENT");
    expect((await begin(one, await scene.admit())).code).toBe("PARTNER_UNKNOWN");
    expect((await show(other, first.run)).status).toBe(200);
    system.clock.advance(7 * DAY_MS + 1);
    expect(codeOf(await show(other, first.run))).toBe("SIMILARITY_RUN_UNKNOWN");
    expect((await scene.inbox(other)).json.items).toEqual([]);
  });
});
