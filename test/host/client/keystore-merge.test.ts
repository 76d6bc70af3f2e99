import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toBase64Url } from "../../../host/base/index.ts";
import { createChanges, type KeystoreContents, mergeContents } from "../../../host/client/index.ts";

const secret = (fill: number) => toBase64Url(new Uint8Array(32).fill(fill));
const id = (number: number) => number.toString(16).padStart(32, "0");

const base: KeystoreContents = {
  accountId: id(1),
  handle: "quiet-otter",
  role: "patient",
  name: "Ada",
  signingSeed: secret(1),
  receivingKey: secret(2),
  epochs: [],
  known: {},
};

const epochArbitrary = fc
  .record({ number: fc.integer({ min: 1, max: 6 }), region: fc.constantFrom("medical", "profile") })
  .map(({ number, region }) => ({
    region: region as "medical" | "profile",
    streamId: id(region === "medical" ? 100 : 200),
    epochId: id(number * 1000 + (region === "medical" ? 1 : 2)),
    number,
    privateKey: secret(number),
  }));

const contentsArbitrary: fc.Arbitrary<KeystoreContents> = fc
  .record({
    epochs: fc.uniqueArray(epochArbitrary, { selector: ({ epochId }) => epochId }),
    known: fc.dictionary(
      fc.constantFrom("dr-a", "dr-b", "dr-c"),
      fc.constantFrom("1".repeat(64), "2".repeat(64)),
    ),
    told: fc.option(fc.boolean(), { nil: undefined }),
    seen: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    planAt: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  })
  .map(({ epochs, known, told, seen, planAt }) => ({
    ...base,
    epochs: [...epochs].sort((a, b) => a.number - b.number),
    known,
    ...(told === undefined
      ? {}
      : { revocations: [{ consentId: id(9), until: 5, statement: "s", epochs: { medical: 1 }, told }] }),
    ...(seen === undefined
      ? {}
      : { seenRecords: { [`${id(3)}:medical`]: { version: seen, digest: "a".repeat(64) } } }),
    ...(planAt === undefined
      ? {}
      : { emergency: { setId: id(planAt), threshold: 2, trustees: [], createdAt: planAt } }),
  }));

describe("two machines of one person", () => {
  it("lose nothing of either by being merged", () => {
    fc.assert(
      fc.property(contentsArbitrary, contentsArbitrary, (ours, theirs) => {
        const merged = mergeContents(ours, theirs);
        const ids = new Set(merged.epochs.map(({ epochId }) => epochId));
        for (const { epochId } of [...ours.epochs, ...theirs.epochs]) {
          expect(ids.has(epochId)).toBe(true);
        }
        expect(ids.size).toBe(merged.epochs.length);
        expect(Object.keys(merged.known).sort()).toEqual(
          [...new Set([...Object.keys(ours.known), ...Object.keys(theirs.known)])].sort(),
        );
        const versionIn = (contents: KeystoreContents) =>
          contents.seenRecords?.[`${id(3)}:medical`]?.version ?? 0;
        expect(versionIn(merged)).toBe(Math.max(versionIn(ours), versionIn(theirs)));
        const told = (contents: KeystoreContents) => contents.revocations?.[0]?.told === true;
        expect(told(merged)).toBe(told(ours) || told(theirs));
        const planned = (contents: KeystoreContents) => contents.emergency?.createdAt ?? 0;
        expect(planned(merged)).toBe(Math.max(planned(ours), planned(theirs)));
      }),
    );
  });

  it("come to the same keys in whichever order, and gain nothing by a second time", () => {
    fc.assert(
      fc.property(contentsArbitrary, contentsArbitrary, (a, b) => {
        const keysOf = (contents: KeystoreContents) => contents.epochs.map(({ epochId }) => epochId).sort();
        const merged = mergeContents(a, b);
        expect(keysOf(merged)).toEqual(keysOf(mergeContents(b, a)));
        expect(mergeContents(merged, b)).toEqual(merged);
      }),
    );
  });

  it("keep the newest epoch of each region last", () => {
    fc.assert(
      fc.property(contentsArbitrary, contentsArbitrary, (a, b) => {
        for (const region of ["medical", "profile"]) {
          const numbers = mergeContents(a, b)
            .epochs.filter((epoch) => epoch.region === region)
            .map(({ number }) => number);
          expect(numbers).toEqual([...numbers].sort((x, y) => x - y));
        }
      }),
    );
  });

  it("are believed where they disagree about a fingerprint as far as the person sits there", () => {
    const ours = { ...base, known: { "dr-a": "1".repeat(64) } };
    const theirs = { ...base, known: { "dr-a": "2".repeat(64) } };
    expect(mergeContents(ours, theirs).known).toEqual(ours.known);
  });

  it("are of one person: another identity is refused", () => {
    for (const other of [
      { ...base, signingSeed: secret(7) },
      { ...base, receivingKey: secret(7) },
      { ...base, accountId: id(7) },
    ]) {
      expect(() => mergeContents(base, other)).toThrow(expect.objectContaining({ code: "KEYSTORE_FOREIGN" }));
    }
  });
});

describe("changes by who does not know what was taken in", () => {
  const epoch = (number: number) => ({
    region: "medical" as const,
    streamId: id(100),
    epochId: id(number),
    number,
    privateKey: secret(number),
  });

  it("keep the other machine's epochs, and let go what was this one's to let go", () => {
    const changes = createChanges();
    const before = { ...base, epochs: [epoch(1)] };
    const after = { ...base, epochs: [epoch(1), epoch(2)] };
    changes.noteTakenIn(before, after);
    expect(changes.apply(after, { epochs: [epoch(1), epoch(3)] }).epochs).toEqual([
      epoch(1),
      epoch(2),
      epoch(3),
    ]);
    expect(changes.apply(after, { epochs: [] }).epochs).toEqual([epoch(2)]);
  });
});
