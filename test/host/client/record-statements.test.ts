import { beforeAll, describe, expect, it } from "vitest";
import { createSeenParts, type SeenPart } from "../../../host/client/index.ts";
import { fetchRecordPart, verifyRecordParts } from "../../../host/client/record-statements.ts";
import {
  RECORD_PART,
  type RecordPart,
  type SealingSuite,
  signStatement,
} from "../../../host/sealing/index.ts";
import { codeOf, loadSuite, rejectionOf } from "../sealing/fixtures.ts";
import { NOW, newId, newStream, type Somebody, type Stream, somebody } from "./people.ts";

let suite: SealingSuite;
let owner: Somebody;
let other: Somebody;
let doctor: Somebody;
let medical: Stream;
let identity: Stream;

const partOf = ({ epoch }: Stream, changes: Partial<RecordPart> = {}): RecordPart => ({
  owner: epoch.owner,
  region: epoch.region,
  streamId: epoch.streamId,
  epochId: epoch.epochId,
  version: 1,
  digest: "0".repeat(64),
  createdAt: NOW,
  ...changes,
});
const signedBy = (who: Somebody, part: RecordPart) => signStatement(RECORD_PART, part, who.keys.signing);

beforeAll(async () => {
  suite = await loadSuite();
  owner = await somebody(suite, "quiet-otter");
  other = await somebody(suite, "brave-wren");
  doctor = await somebody(suite, "dr-heron");
  medical = await newStream(suite, owner, "medical");
  identity = await newStream(suite, owner, "identity");
});

describe("what a KDC says about a record", () => {
  const verify = (statements: string[]) =>
    verifyRecordParts(
      statements,
      { id: owner.account.accountId, signingKey: owner.keys.signing.publicKey },
      new Map([[medical.epoch.epochId, medical.epoch]]),
    );

  it("is the newest of what the owner signed", async () => {
    const newer = partOf(medical, { version: 3 });
    const parts = await verify([
      await signedBy(owner, partOf(medical, { version: 2 })),
      await signedBy(owner, newer),
      await signedBy(owner, partOf(medical)),
    ]);
    expect([...parts]).toEqual([["medical", newer]]);
  });

  it("is refused when another signed it, or it is about something else", async () => {
    const theirs = await newStream(suite, other, "medical");
    for (const [statement, code] of [
      [await signedBy(other, partOf(medical)), "STATEMENT_INVALID"],
      [await signedBy(other, partOf(theirs)), "STATEMENT_INVALID"],
      [await signedBy(owner, partOf(medical, { owner: newId() })), "RECORD_STATEMENT_MISMATCH"],
      [await signedBy(owner, partOf(medical, { epochId: newId() })), "RECORD_STATEMENT_MISMATCH"],
      [await signedBy(owner, partOf(medical, { streamId: newId() })), "RECORD_STATEMENT_MISMATCH"],
      [await signedBy(owner, partOf(medical, { region: "identity" })), "RECORD_STATEMENT_MISMATCH"],
      // A region that was not shared: its epoch is none of those the reader was told.
      [await signedBy(owner, partOf(identity)), "RECORD_STATEMENT_MISMATCH"],
    ] as const) {
      expect(await rejectionOf(verify([statement])), code).toBe(code);
    }
  });

  describe("to a reader", () => {
    /** What the reader gets when the KDC answers like this. */
    const shown = (answer: { owner: unknown; statement: string | null }) =>
      fetchRecordPart(async (schema) => schema.parse(answer), {
        streamId: medical.epoch.streamId,
        region: "medical",
        ownerId: owner.account.accountId,
        ownerFingerprint: owner.fingerprint,
        epochs: new Map([[medical.epoch.epochId, doctor.keys.receiving]]),
      });

    it("is what the owner signed, or nothing yet", async () => {
      const part = partOf(medical);
      const statement = await signedBy(owner, part);
      expect(await shown({ owner: owner.account, statement })).toEqual(part);
      expect(await shown({ owner: owner.account, statement: null })).toBeNull();
    });

    it("is refused from a KDC that names another owner, stream, region or epoch", async () => {
      for (const [from, statement, code] of [
        [other, await signedBy(other, partOf(medical)), "RECORD_STATEMENT_MISMATCH"],
        [owner, await signedBy(other, partOf(medical)), "STATEMENT_INVALID"],
        [owner, await signedBy(owner, partOf(medical, { owner: newId() })), "RECORD_STATEMENT_MISMATCH"],
        [owner, await signedBy(owner, partOf(medical, { streamId: newId() })), "RECORD_STATEMENT_MISMATCH"],
        [owner, await signedBy(owner, partOf(medical, { region: "identity" })), "RECORD_STATEMENT_MISMATCH"],
        [owner, await signedBy(owner, partOf(identity)), "RECORD_STATEMENT_MISMATCH"],
        [owner, await signedBy(owner, partOf(medical, { epochId: newId() })), "EPOCH_UNKNOWN"],
      ] as const) {
        expect(await rejectionOf(shown({ owner: from.account, statement })), code).toBe(code);
      }
      const forged = { ...owner.account, identity: other.account.identity };
      const statement = await signedBy(other, partOf(medical));
      expect(await rejectionOf(shown({ owner: forged, statement }))).toBe("RECORD_STATEMENT_MISMATCH");
    });
  });
});

describe("what a machine has seen of a record", () => {
  it("is kept once, never goes back, and is kept apart for each owner and region", async () => {
    const kept: Readonly<Record<string, SeenPart>>[] = [];
    const seen = createSeenParts({}, async (all) => {
      kept.push(all);
    });
    const id = owner.account.accountId;
    seen.check(id, "medical", null);
    await seen.remember([partOf(medical, { version: 2 }), partOf(identity, { version: 5 })]);
    await seen.remember([partOf(medical, { version: 2 }), partOf(identity, { version: 4 })]);
    expect(kept).toHaveLength(1);
    expect(kept[0]).toEqual({
      [`${id}:medical`]: { version: 2, digest: "0".repeat(64) },
      [`${id}:identity`]: { version: 5, digest: "0".repeat(64) },
    });
    const later = createSeenParts(kept[0] ?? {}, async () => {});
    later.check(id, "medical", partOf(medical, { version: 2 }));
    later.check(id, "medical", partOf(medical, { version: 3, digest: "1".repeat(64) }));
    later.check(id, "profile", null);
    later.check(newId(), "medical", null);
    expect(codeOf(() => later.check(id, "medical", partOf(medical)))).toBe("RECORD_ROLLED_BACK");
    expect(codeOf(() => later.check(id, "medical", null))).toBe("RECORD_ROLLED_BACK");
    const forked = partOf(medical, { version: 2, digest: "1".repeat(64) });
    expect(codeOf(() => later.check(id, "medical", forked))).toBe("RECORD_VERSION_REUSED");
  });
});
