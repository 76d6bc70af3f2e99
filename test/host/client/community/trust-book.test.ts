import { describe, expect, it } from "vitest";
import { createTrustBook, emptyTrustBook, TRUST_BOOK } from "../../../../host/client/community/trust-book.ts";
import { NO_RECORD, TRUST_EPOCH_MS, trustEpoch } from "../../../../host/trust/index.ts";
import { newId } from "../people.ts";

const START = 1_800_000_000_000;
const [own, ben, cleo] = [newId(), newId(), newId()];

function newBook() {
  let now = START;
  const book = createTrustBook({ own, state: emptyTrustBook(), clock: { now: () => now } });
  return {
    book,
    epoch: () => trustEpoch(now),
    week: () => {
      now += TRUST_EPOCH_MS;
    },
    word: (rater: string, target: string, good: boolean, exchange = newId()) => ({
      exchange,
      epoch: trustEpoch(now),
      rater,
      target,
      good,
    }),
  };
}
const BOTH = { credential: true, consents: { mine: true, theirs: true } };

describe("the book of trust", () => {
  it("counts one voice of each pair and week, and for its owner the worst of a week", () => {
    const { book, word } = newBook();
    book.rate(word(own, ben, true));
    book.rate(word(own, ben, true));
    expect(book.assess(ben).evidence).toEqual({ positive: 1, negative: 0 });
    book.rate(word(own, ben, false));
    expect(book.assess(ben).evidence).toEqual({ positive: 0, negative: 1 });
    book.rate(word(own, ben, true));
    expect(book.assess(ben).evidence).toEqual({ positive: 0, negative: 1 });
    // A witness's second word in a week, or the same exchange again, is not heard; nor one's own as a witness's.
    const first = word(cleo, ben, true);
    expect([book.hear(first), book.hear(first), book.hear(word(cleo, ben, false))]).toEqual([
      true,
      false,
      false,
    ]);
    expect([book.hear(word(own, cleo, true)), book.hear(word(ben, ben, true))]).toEqual([false, false]);
  });

  it("holds against a witness what they had claimed before, and nothing they say afterwards", () => {
    const { book, word, week } = newBook();
    book.hear(word(cleo, ben, false));
    book.rate(word(own, ben, true));
    // In the same week nobody can tell who spoke first.
    expect(book.state.records[cleo]).toBeUndefined();
    week();
    book.rate(word(own, ben, true));
    const record = book.state.records[cleo] ?? NO_RECORD;
    expect(record.reduce((sum, cell) => sum + cell.positive + cell.negative, 0)).toBe(1);
    expect(TRUST_BOOK.parse(JSON.parse(JSON.stringify(book.state)))).toEqual(book.state);
  });

  it("fades, but not in the eyes of an agreement", () => {
    const { book, word, week } = newBook();
    book.setOverlap(ben, { common: 1, mine: 1, theirs: 1, jaccard: 1 });
    book.setThreshold(0.6);
    for (let i = 0; i < 8; i++) {
      book.rate(word(own, ben, true));
      week();
    }
    const agreedAt = START + 8 * TRUST_EPOCH_MS;
    expect(book.weigh(ben, BOTH).share).toBe(true);
    for (let i = 0; i < 20; i++) {
      week();
    }
    expect(book.weigh(ben, BOTH)).toMatchObject({ share: false, reason: "BELOW_THRESHOLD" });
    expect(book.weigh(ben, BOTH, agreedAt).share).toBe(true);
    book.rate(word(own, ben, false));
    expect(book.weigh(ben, BOTH, agreedAt).share).toBe(false);
  });

  it("keeps each decision once, newest first, and shares with nobody it has not compared", () => {
    const { book, word, week } = newBook();
    for (let i = 0; i < 12; i++) {
      book.rate(word(own, ben, true));
      week();
    }
    expect(book.decide(ben, BOTH, "to ask")).toMatchObject({ share: false, reason: "NOT_SIMILAR" });
    book.decide(ben, BOTH, "to ask");
    book.setOverlap(ben, { common: 1, mine: 1, theirs: 1, jaccard: 1 });
    book.decide(ben, BOTH, "to ask");
    book.decide(cleo, BOTH, "to ask");
    expect(book.decisions().map(({ partner, reason }) => [partner, reason])).toEqual([
      [cleo, "NOT_SIMILAR"],
      [ben, "SHARE"],
      [ben, "NOT_SIMILAR"],
    ]);
    expect(book.decisions(ben).map(({ number }) => number)).toEqual([2, 1]);
  });
});
