import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fetch } from "../../../../host/client/index.ts";
import { TRUST_EPOCH_MS } from "../../../../host/trust/index.ts";
import {
  compareBoth,
  OPENING_QUESTIONS,
  opening,
  startCommunity,
  type TestCommunity,
  type TestMember,
} from "../../../support/community.ts";
import { backends } from "../../../support/stores.ts";
import { type System, startSystem } from "../../../support/system.ts";

// A relay that lies: what it answers to one member is changed on the way. Nothing else about it is different.

// biome-ignore lint/suspicious/noExplicitAny: a lying relay answers whatever it likes.
type Answer = any;

/** Lets a test change the relay's answers, or take the relay away. */
function lyingRelay() {
  let lie: ((path: string, body: Answer) => Answer) | null = null;
  let away: ((path: string) => boolean) | null = null;
  const fetch: Fetch = async (url, init) => {
    const { pathname } = new URL(url);
    if (away?.(pathname) === true) {
      throw new TypeError("fetch failed");
    }
    const response = await globalThis.fetch(url, init);
    if (lie === null || !response.ok || response.status === 204) {
      return response;
    }
    const body = lie(pathname, await response.json());
    return new Response(JSON.stringify(body), { status: response.status, headers: response.headers });
  };
  return {
    fetch,
    async while<T>(lying: (path: string, body: Answer) => Answer, work: () => Promise<T>): Promise<T> {
      lie = lying;
      try {
        return await work();
      } finally {
        lie = null;
      }
    },
    async away<T>(when: (path: string) => boolean, work: () => Promise<T>): Promise<T> {
      away = when;
      try {
        return await work();
      } finally {
        away = null;
      }
    },
  };
}

/** Changes every exchange in an inbox. */
const inInbox = (change: (item: Answer) => void) => (path: string, body: Answer) => {
  if (path.endsWith("/inbox")) {
    body.items.forEach(change);
  }
  return body;
};

describe("a member before a lying relay", () => {
  const [backend] = backends();
  let system: System;
  let community: TestCommunity;
  const relay = lyingRelay();
  let ada: TestMember;
  let ben: TestMember;
  let heron: TestMember;

  beforeAll(async () => {
    system = await startSystem(backend as NonNullable<typeof backend>);
    community = await startCommunity(system);
    ada = await community.join("ada", { fetch: relay.fetch });
    ben = await community.join("ben");
    heron = await community.join("heron", { standing: "clinician" });
    await compareBoth(ada, ben);
  });
  afterAll(() => system?.stop());

  const exchangeOf = (id: string) => ada.member.exchanges().find(({ exchange }) => exchange === id);
  const partner = async (of: TestMember, who: TestMember) =>
    (await of.member.partners()).find(({ pseudonym }) => pseudonym === who.member.pseudonym);

  it("is shown no member whom no hospital admitted, and no key that is not a member's", async () => {
    const swap = (path: string, body: Answer) => {
      if (path.endsWith("/members")) {
        const [one, other] = body.members;
        one.memberKey = other.memberKey;
      }
      return body;
    };
    await relay.while(swap, () => ada.member.visit());
    const shown = (await ada.member.partners()).length;
    await ada.member.visit();
    expect((await ada.member.partners()).length - shown).toBeGreaterThanOrEqual(0);
    expect(shown).toBeLessThanOrEqual(2);
    const forged = (path: string, body: Answer) => {
      if (path.endsWith("/members")) {
        body.members.push({ ...body.members[0], pseudonym: "0".repeat(32) });
      }
      return body;
    };
    await relay.while(forged, () => ada.member.visit());
    expect((await ada.member.partners()).map(({ pseudonym }) => pseudonym)).not.toContain("0".repeat(32));
    await ada.member.visit();
    expect(await ada.member.partners()).toHaveLength(2);
  });

  it("takes no other community's document for its own", async () => {
    const other = await startCommunity(system, "Another one");
    const swapped = (path: string, body: Answer) =>
      path.endsWith(community.community.community) ? { statement: other.statement } : body;
    await expect(relay.while(swapped, () => ada.member.visit())).rejects.toMatchObject({
      code: "COMMUNITY_MISMATCH",
    });
    const changed = (path: string, body: Answer) =>
      path.endsWith(community.community.community)
        ? { statement: `${body.statement.slice(0, -8)}AAAAAAAA` }
        : body;
    await expect(relay.while(changed, () => ada.member.visit())).rejects.toMatchObject({
      code: "STATEMENT_INVALID",
    });
  });

  it("shows no answer that its sender did not sign, and rates none without both halves of the receipt", async () => {
    // Ben's true half of another receipt, of the same week.
    const other = await ben.member.open(heron.member.pseudonym, 0);
    await heron.member.visit();
    await heron.member.answer(other, "Fewer than you.");
    await ben.member.visit();
    const foreign = ben.state().exchanges[other]?.receipt.byAsker as string;
    const id = await ada.member.open(ben.member.pseudonym, 0);
    await ben.member.visit();
    await ben.member.answer(id, "Eleven years.");
    const state = ada.state();
    for (const lie of [
      inInbox(({ type, exchange }) => {
        if (type === "exchange" && exchange.answer !== null) {
          exchange.answer.sealed = `${exchange.answer.sealed.slice(0, -6)}AAAAAA`;
        }
      }),
      inInbox(({ type, exchange }) => {
        if (type === "exchange" && exchange.answer !== null) {
          exchange.answer.receipt = exchange.question.receipt;
        }
      }),
      inInbox(({ type, exchange }) => {
        if (type === "exchange" && exchange.answer !== null) {
          exchange.answer.receipt = foreign;
        }
      }),
      inInbox(({ type, exchange }) => {
        if (type === "exchange" && exchange.answer !== null) {
          exchange.answer.statement = exchange.question.statement;
        }
      }),
    ]) {
      const again = await ada.reopen(relay.fetch);
      await relay.while(lie, () => again.member.visit());
      const kept = again.member.exchanges().find(({ exchange }) => exchange === id);
      expect(kept?.answer).toBeNull();
      expect(kept?.trouble).not.toBeNull();
    }
    expect(state.exchanges[id]?.answer).toBeNull();
    await ada.member.visit();
    expect(exchangeOf(id)?.answer?.text).toBe("Eleven years.");
    await ada.member.rate(id, true);
    await expect(ada.member.rate(id, false)).rejects.toMatchObject({ code: "EXCHANGE_RATED" });
  });

  it("shows no question with another's receipt, nor one that the community does not ask", async () => {
    const id = await ben.member.open(ada.member.pseudonym, 1);
    const lie = inInbox(({ type, exchange }) => {
      if (type === "exchange" && exchange.exchange === id) {
        exchange.question.receipt = Object(
          ada.member.exchanges().find(({ mine }) => mine)?.receipt,
        ).byAnswerer;
      }
    });
    const again = await ada.reopen(relay.fetch);
    await relay.while(lie, () => again.member.visit());
    expect(again.member.exchanges().find(({ exchange }) => exchange === id)).toBeUndefined();
    await expect(ben.member.open(ada.member.pseudonym, 7)).rejects.toMatchObject({ code: "OPENING_UNKNOWN" });
    await ada.member.visit();
    expect(exchangeOf(id)?.question?.text).toBe(OPENING_QUESTIONS[1]);
  });

  it("hears no word that its witness did not sign, and each word once", async () => {
    await opening(heron, ben, true);
    const flip = (path: string, body: Answer) => {
      if (path.endsWith("/ratings")) {
        for (const rating of body.ratings) {
          const [head, , signature] = rating.statement.split(".");
          const said = JSON.parse(Buffer.from(rating.statement.split(".")[1], "base64url").toString());
          const bad = Buffer.from(JSON.stringify({ ...said, good: false })).toString("base64url");
          rating.statement = `${head}.${bad}.${signature}`;
        }
      }
      return body;
    };
    const before = (await partner(ada, ben))?.assessment;
    await relay.while(flip, () => ada.member.visit());
    expect((await partner(ada, ben))?.assessment).toEqual(before);
    const twice = (path: string, body: Answer) => {
      if (path.endsWith("/ratings")) {
        body.ratings.push(...body.ratings);
      }
      return body;
    };
    await relay.while(twice, () => ada.member.visit());
    const heard = (await partner(ada, ben))?.assessment;
    expect(heard).toMatchObject({ witnesses: 1 });
    await ada.member.visit();
    expect((await partner(ada, ben))?.assessment).toEqual(heard);
    // Once heard, a word stays, though the relay leaves it out from then on.
    const none = (path: string, body: Answer) =>
      path.endsWith("/ratings") ? { ...body, ratings: [] } : body;
    await relay.while(none, () => ada.member.visit());
    expect((await partner(ada, ben))?.assessment).toEqual(heard);
  });

  it("gives no second confirmation of a comparison, whatever reply comes", async () => {
    await ada.member.compare(heron.member.pseudonym);
    await heron.member.visit();
    await ada.member.visit();
    const overlap = (await partner(ada, heron))?.overlap;
    expect(overlap).toMatchObject({ common: 2 });
    const runs = Object.values(ada.state().runs);
    expect(runs.every(({ seed }) => seed === null)).toBe(true);
    // A reply by somebody else, as if the relay played the partner.
    await ben.member.compare(ada.member.pseudonym);
    const forged = inInbox((item) => {
      if (item.type === "similarity" && item.run.to === ada.member.pseudonym) {
        item.run.from = heron.member.pseudonym;
      }
    });
    const again = await ada.reopen(relay.fetch);
    await relay.while(forged, () => again.member.visit());
    expect(Object.values(again.state().runs).filter(({ mine }) => !mine)).toEqual([]);
  });

  it("takes an agreement back even while the relay is away, and is shown no older one", async () => {
    for (const member of [ada.member, ben.member]) {
      await member.setThreshold(0.3);
    }
    for (let week = 0; week < 3; week++) {
      system.clock.advance(TRUST_EPOCH_MS);
      await opening(ada, ben, true);
      await opening(ben, ada, true);
      await opening(heron, ben, true);
    }
    await ada.member.agree(ben.member.pseudonym, 30);
    await ben.member.visit();
    await ben.member.agree(ada.member.pseudonym, 30);
    const agreed = ben.state().agreements.mine[ada.member.pseudonym]?.statement as string;
    await ada.member.visit();
    expect((await partner(ada, ben))?.decision.reason).toBe("SHARE");

    const closed = await relay.away(
      (path) => path.endsWith("/agreements"),
      () => ada.member.setThreshold(0.95),
    );
    expect(closed).toMatchObject([{ decision: { reason: "BELOW_THRESHOLD" } }]);
    expect(ada.state().pending).toMatchObject([{ type: "agreement" }]);
    expect((await partner(ada, ben))?.agreed).toEqual({ mine: false, theirs: true });
    await (await ada.reopen(relay.fetch)).member.visit();
    await ben.member.visit();
    expect((await partner(ben, ada))?.agreed).toEqual({ mine: true, theirs: false });

    await ben.member.withdraw(ada.member.pseudonym);
    const stale = (path: string, body: Answer) => {
      if (path.endsWith("/inbox")) {
        body.items = [{ at: 0, type: "agreement", statement: agreed }];
      }
      return body;
    };
    await ada.member.visit();
    await relay.while(stale, () => ada.member.visit());
    expect((await partner(ada, ben))?.agreed.theirs).toBe(false);
  });
});
