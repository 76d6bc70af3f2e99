import { afterEach, describe, expect, it } from "vitest";
import type { Store } from "../../../host/store/index.ts";
import { createRatings, createSimilarityBudget, TRUST_EPOCH_MS } from "../../../host/trust/index.ts";
import { RUNS_A_PAIR, RUNS_A_PATIENT } from "../../../host/trust/similarity-budget.ts";
import { backends } from "../../support/stores.ts";
import { rejectionOf } from "../sealing/fixtures.ts";
import { exchange, feedback, type Member, NOW, newCommunity, someId } from "./community.ts";

describe.each(backends())("ratings on the $name store", (backend) => {
  const open: Store[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((store) => store.close()));
  });

  async function opened(): Promise<Store> {
    const store = await backend.open("kdc");
    open.push(store);
    return store;
  }

  /** A store with three members, and a clock that can be moved. */
  async function community() {
    const place = await newCommunity();
    let now = NOW;
    const ratings = await createRatings({
      store: await opened(),
      clock: { now: () => now },
      forgetting: { positive: 0.5, negative: 0.9 },
    });
    const members = await Promise.all([place.admit(), place.admit(), place.admit()]);
    for (const { statement } of members) {
      await ratings.enrol(statement, place.issuers);
    }
    const [ada, ben, eve] = members as [Member, Member, Member];
    async function rate(asker: Member, answerer: Member, good: boolean, by = asker, both = {}) {
      const { receipt, signed } = await exchange(asker, answerer, {}, both);
      return {
        community: place.community,
        statement: await feedback(receipt, good, by),
        receipt: signed,
        asker: asker.credential.pseudonym,
        answerer: answerer.credential.pseudonym,
        rater: by.credential.pseudonym,
      };
    }
    return {
      ...place,
      ratings,
      ada,
      ben,
      eve,
      rate,
      later: (epochs: number) => {
        now += epochs * TRUST_EPOCH_MS;
      },
    };
  }

  it("are kept, by whom and about whom, and fade", async () => {
    const { ratings, community: name, ada, ben, eve, rate, later } = await community();
    await ratings.rate(await rate(ada, ben, true));
    await ratings.rate(await rate(eve, ben, false));
    await ratings.rate(await rate(ada, ben, false, ben));
    const about = (member: Member) => ratings.aboutTarget(name, member.credential.pseudonym);
    expect(await about(ben)).toEqual(
      new Map([
        [ada.credential.pseudonym, { positive: 1, negative: 0 }],
        [eve.credential.pseudonym, { positive: 0, negative: 1 }],
      ]),
    );
    expect(await ratings.byRater(name, ben.credential.pseudonym)).toEqual(
      new Map([[ada.credential.pseudonym, { positive: 0, negative: 1 }]]),
    );
    expect(await ratings.aboutTarget(someId(), ben.credential.pseudonym)).toEqual(new Map());
    later(2);
    const faded = await about(ben);
    expect(faded.get(ada.credential.pseudonym)?.positive).toBeCloseTo(0.25, 12);
    expect(faded.get(eve.credential.pseudonym)?.negative).toBeCloseTo(0.81, 12);
    expect(await ratings.since(name, 0)).toHaveLength(3);
    expect(await ratings.since(name, Number.MAX_SAFE_INTEGER)).toEqual([]);
  });

  it("give one voice to a pair in an epoch, whatever receipts there are", async () => {
    const { ratings, ada, ben, rate } = await community();
    const first = await rate(ada, ben, true);
    await ratings.rate(first);
    expect(await rejectionOf(ratings.rate(first))).toBe("VOICE_USED");
    expect(await rejectionOf(ratings.rate(await rate(ada, ben, true)))).toBe("VOICE_USED");
    // The other one has a voice too.
    expect(await rejectionOf(ratings.rate(await rate(ada, ben, true, ben)))).toBe("none");
  });

  it("use a receipt up: its exchange counts once for each of the two, whatever else bears its id", async () => {
    const { ratings, ada, ben, eve, rate } = await community();
    const same = { exchange: someId() };
    await ratings.rate(await rate(ada, ben, true, ada, same));
    expect(await rejectionOf(ratings.rate(await rate(ada, eve, true, ada, same)))).toBe("VOICE_USED");
    expect(await rejectionOf(ratings.rate(await rate(ada, ben, true, ben, same)))).toBe("none");
  });

  it("give many voices at once no more than one", async () => {
    const { ratings, ada, ben, rate, community: name } = await community();
    const tries = await Promise.all(Array.from({ length: 8 }, () => rate(ada, ben, true)));
    const verdicts = await Promise.all(tries.map((one) => rejectionOf(ratings.rate(one))));
    expect(verdicts.filter((verdict) => verdict === "none")).toHaveLength(1);
    expect((await ratings.since(name, 0)).length).toBe(1);
  });

  it("are refused without a credential, from a third, and too late", async () => {
    const { ratings, admit, ada, ben, eve, rate, later } = await community();
    const stranger = await admit();
    expect(await rejectionOf(ratings.rate(await rate(stranger, ben, true)))).toBe("CREDENTIAL_UNKNOWN");
    expect(await rejectionOf(ratings.rate(await rate(ada, ben, false, eve)))).toBe("FEEDBACK_MISMATCH");
    const input = await rate(ada, ben, true);
    later(1);
    expect(await rejectionOf(ratings.rate(input))).toBe("none");
    const late = await rate(eve, ben, true);
    later(1);
    expect(await rejectionOf(ratings.rate(late))).toBe("FEEDBACK_LATE");
    later(60);
    expect(await rejectionOf(ratings.rate(late))).toBe("CREDENTIAL_UNKNOWN");
  });

  it("stay with a patient who comes back with a new key", async () => {
    const { ratings, admit, issuers, ada, ben, eve, rate, community: name } = await community();
    await ratings.rate(await rate(ada, ben, false));
    const before = await rate(eve, ben, false);
    const { pseudonym, from } = ben.credential;
    const washed = await admit({ pseudonym, from: from + 1 });
    await ratings.enrol(washed.statement, issuers);
    expect(await ratings.credentialOf(name, pseudonym)).toEqual(washed.credential);
    expect((await ratings.aboutTarget(name, pseudonym)).size).toBe(1);
    expect(await rejectionOf(ratings.enrol(ben.statement, issuers))).toBe("CREDENTIAL_OLDER");
    // An exchange of before is rated all the same: its receipt bears the key that he had then.
    expect(await rejectionOf(ratings.rate(before))).toBe("none");
    expect((await ratings.aboutTarget(name, pseudonym)).size).toBe(2);
    // But what the old key says counts no more.
    expect(await rejectionOf(ratings.rate(await rate(eve, ben, true, ben)))).toBe("STATEMENT_INVALID");
    const shared = await admit({ signingKey: ada.credential.signingKey });
    expect(await rejectionOf(ratings.enrol(shared.statement, issuers))).toBe("CREDENTIAL_KEY_TAKEN");
  });

  it("bound how often somebody compares, by pair and by patient", async () => {
    const budget = await createSimilarityBudget({ store: await opened() });
    const [name, ada, ben] = [someId(), someId(), someId()];
    const verdict = (asker: string, partner: string, epoch = 7) =>
      rejectionOf(budget.spend(name, asker, partner, epoch));
    for (let i = 0; i < RUNS_A_PAIR; i++) {
      // Whoever begins: a pair is a pair.
      expect(await (i % 2 === 0 ? verdict(ada, ben) : verdict(ben, ada))).toBe("none");
    }
    expect(await verdict(ada, ben)).toBe("SIMILARITY_BUDGET_SPENT");
    expect(await verdict(ben, ada)).toBe("SIMILARITY_BUDGET_SPENT");
    expect(await verdict(ada, ben, 8)).toBe("none");

    const scanner = someId();
    const verdicts = [];
    for (let i = 0; i <= RUNS_A_PATIENT; i++) {
      verdicts.push(await verdict(scanner, someId()));
    }
    expect(verdicts.filter((one) => one === "none")).toHaveLength(RUNS_A_PATIENT);
    expect(verdicts.at(-1)).toBe("SIMILARITY_BUDGET_SPENT");
    expect(await budget.forgetBefore(8)).toBeGreaterThan(RUNS_A_PATIENT);
    expect(await verdict(ada, ben)).toBe("none");
  });
});

describe("the budget of comparisons", () => {
  it("holds against many who ask at once", async () => {
    const embedded = backends()[0];
    const store = await (embedded as NonNullable<typeof embedded>).open("kdc");
    const budget = await createSimilarityBudget({ store });
    const [name, ada, ben] = [someId(), someId(), someId()];
    const verdicts = await Promise.all(
      Array.from({ length: 10 }, () => rejectionOf(budget.spend(name, ada, ben, 1))),
    );
    expect(verdicts.filter((verdict) => verdict === "none")).toHaveLength(RUNS_A_PAIR);
    await store.close();
  });
});
