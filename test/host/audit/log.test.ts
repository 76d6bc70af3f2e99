import { appendFile, mkdtemp, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AuditEntry, entryHash } from "../../../host/audit/chain.ts";
import {
  type AuditLog,
  createAuditLog,
  openWitnessFile,
  readLine,
  verifyLog,
} from "../../../host/audit/index.ts";
import { type Bytes, systemClock, toBase64Url } from "../../../host/base/index.ts";
import { generateSigningSeed, importSigningKey, type SigningKey } from "../../../host/sealing/index.ts";
import type { Collection, Store } from "../../../host/store/index.ts";
import { backends } from "../../support/stores.ts";
import { codeOf } from "../store/subject.ts";
import { eventOf, idOf } from "./made-log.ts";

type Stored = AuditEntry & { _id: string };

for (const backend of backends()) {
  describe(`the audit log on ${backend.name}`, () => {
    let store: Store;
    let key: SigningKey;
    let witnessFile: string;
    const logs: AuditLog[] = [];
    const troubles: unknown[] = [];

    beforeEach(async () => {
      store = await backend.open("audit");
      key = await importSigningKey(generateSigningSeed());
      witnessFile = join(await mkdtemp(join(tmpdir(), "medcloudlet-witness-")), "audit-heads.ndjson");
    });

    afterEach(async () => {
      await Promise.all(logs.splice(0).map((log) => log.close()));
      await store.close();
      expect(troubles.splice(0)).toEqual([]);
    });

    async function open(options: Partial<Parameters<typeof createAuditLog>[0]> = {}): Promise<AuditLog> {
      const witness = await openWitnessFile(witnessFile);
      const log = await createAuditLog({
        store,
        clock: systemClock,
        key,
        witness,
        onTrouble: (error) => troubles.push(error),
        ...options,
      }).catch(async (error) => {
        await witness.close();
        throw error;
      });
      logs.push(log);
      return log;
    }

    /** Closes a log as if the process had ended. */
    async function shut(log: AuditLog): Promise<void> {
      logs.splice(logs.indexOf(log), 1);
      await log.close();
    }

    const entriesOf = (): Promise<Collection<Stored>> =>
      store.collection<Stored>({ name: "audit", indexes: [] });
    const headsOf = () => store.collection({ name: "audit_heads", indexes: [] });

    async function witnessed(): Promise<string[]> {
      const lines = (await readFile(witnessFile, "utf8")).split("\n").map(readLine);
      return lines.flatMap((line) => (line?.kind === "head" ? line.statement : []));
    }

    async function verified(log: AuditLog, keys: readonly Bytes[] = [key.publicKey]) {
      await log.head();
      const heads = await log.heads({ after: 0, limit: 1000 });
      return verifyLog({
        log: log.id,
        entries: await allOf(log),
        heads: [...heads.map(({ statement }) => statement), ...(await witnessed())],
        keys,
        keyStatements: log.keyStatements,
      });
    }

    async function allOf(log: AuditLog): Promise<AuditEntry[]> {
      const all: AuditEntry[] = [];
      for (;;) {
        const page = await log.entries({ after: all.length, limit: 1000 });
        if (page.length === 0) {
          return all;
        }
        all.push(...page);
      }
    }

    it("chains what many callers append at once, in the order they came", async () => {
      const log = await open();
      const entries = await Promise.all(Array.from({ length: 1500 }, (_, i) => log.append(eventOf(i))));
      expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, i) => i + 2));
      expect(entries.map(({ requestId }) => requestId)).toEqual(entries.map((_, i) => `request-${i}`));
      expect(await allOf(log)).toEqual([
        expect.objectContaining({ action: "audit.begin", sequence: 1 }),
        ...entries,
      ]);
      expect(await verified(log)).toMatchObject({ damage: null, entries: 1501, vouchedUpTo: 1501 });
    });

    it("has every entry in the store before it says so", async () => {
      const log = await open();
      const entries = await entriesOf();
      await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const entry = await log.append(eventOf(i));
          expect(await entries.findOne({ hash: { $eq: entry.hash } })).toMatchObject(entry);
        }),
      );
    });

    it("is one chain when several processes write the same things at the same time to one database", async () => {
      // One time for all makes entries of two processes equal to the last bit: each must still know its own.
      const clock = { now: () => 1_767_225_600_000 };
      const first = await open({ clock });
      const [second, third] = [await open({ clock }), await open({ clock })];
      const appended: AuditEntry[] = [];
      for (let round = 0; round < 10; round++) {
        const batch = Array.from({ length: 20 }, (_, i) =>
          [first, second, third].map((log) => log.append(eventOf(i))),
        );
        appended.push(...(await Promise.all(batch.flat())));
      }
      expect(new Set(appended.map(({ sequence }) => sequence)).size).toBe(600);
      const all = await allOf(first);
      const bySequence = new Map(all.map((entry) => [entry.sequence, entry]));
      for (const entry of appended) {
        expect(bySequence.get(entry.sequence)).toEqual(entry);
      }
      expect(await verified(second)).toMatchObject({ damage: null, entries: 601, vouchedUpTo: 601 });
      expect((await first.head()).head.sequence).toBe(601);
    });

    it("goes on after a restart where it was", async () => {
      const before = await open();
      await before.append(eventOf(1));
      await shut(before);
      const after = await open();
      expect(after.id).toBe(before.id);
      expect(await after.append(eventOf(2))).toMatchObject({ sequence: 3 });
      expect(await verified(after)).toMatchObject({ damage: null, entries: 3 });
    });

    it("writes nothing of an event that is not of the agreed form", async () => {
      const log = await open();
      expect(await codeOf(log.append({ ...eventOf(1), details: { token: { $gt: "" } as never } }))).toBe(
        "AUDIT_EVENT_INVALID",
      );
      expect(await allOf(log)).toHaveLength(1);
    });

    it("rejects what a store that is gone did not take, and says whose fault it is", async () => {
      const log = await open();
      await log.append(eventOf(1));
      await store.close();
      const codes = await Promise.all([1, 2, 3].map((n) => codeOf(log.append(eventOf(n)))));
      expect(codes).toEqual(["STORE_CLOSED", "STORE_CLOSED", "STORE_CLOSED"]);
      await shut(log);
      expect(troubles.splice(0)).toMatchObject([{ code: "STORE_CLOSED" }]);
    });

    describe("signs heads", () => {
      it("after enough entries, in the store and in the witness file", async () => {
        const log = await open({ everyEntries: 10, everyMs: 1_000_000 });
        for (let i = 0; i < 25; i++) {
          await log.append(eventOf(i));
        }
        await expect.poll(async () => (await witnessed()).length).toBe(2);
        const kept = (after: number) => log.heads({ after, limit: 10 });
        const statements = async () => (await kept(0)).map(({ statement }) => statement);
        await expect.poll(statements).toEqual(await witnessed());
        expect((await kept(10)).map(({ sequence }) => sequence)).toEqual([20]);
        expect((await stat(witnessFile)).mode & 0o777).toBe(0o600);
      });

      it("some time after an entry", async () => {
        const log = await open({ everyMs: 30 });
        await log.append(eventOf(1));
        await expect.poll(async () => (await witnessed()).length).toBeGreaterThan(0);
      });

      it("on demand, of what is there, and not twice", async () => {
        const log = await open();
        const entry = await log.append(eventOf(1));
        const { head, statement } = await log.head();
        expect(head).toMatchObject({ log: log.id, sequence: 2, hash: entry.hash });
        expect(await log.head()).toEqual({ head, statement });
        expect(await witnessed()).toEqual([statement]);
      });

      it("when it closes", async () => {
        const log = await open();
        await log.append(eventOf(1));
        await shut(log);
        expect(await witnessed()).toHaveLength(1);
      });
    });

    describe("does not go on", () => {
      async function logOfTen(): Promise<AuditLog> {
        const log = await open();
        await Promise.all(Array.from({ length: 9 }, (_, i) => log.append(eventOf(i))));
        await shut(log);
        return log;
      }

      it("without the entries that the witness has seen", async () => {
        await logOfTen();
        await (await entriesOf()).deleteMany({ sequence: { $gt: 7 } });
        await (await headsOf()).deleteMany({});
        expect(await codeOf(open())).toBe("AUDIT_LOG_BEHIND");
      });

      it("without the entries that a head in the store has seen", async () => {
        await logOfTen();
        await (await entriesOf()).deleteMany({ sequence: { $gt: 7 } });
        witnessFile += ".other";
        expect(await codeOf(open())).toBe("AUDIT_LOG_BEHIND");
      });

      it("when the newest entry is another than the witness has seen", async () => {
        await logOfTen();
        const entries = await entriesOf();
        const { _id, ...last } = (await entries.findOne({ sequence: 10 })) as Stored;
        const forged = { ...last, requestId: "forged" };
        await entries.updateOne({ _id }, { $set: { requestId: "forged", hash: entryHash(forged) } });
        await (await headsOf()).deleteMany({});
        expect(await codeOf(open())).toBe("AUDIT_LOG_BEHIND");
      });

      it("in an empty database beside an old witness", async () => {
        await logOfTen();
        store = await backend.open("audit");
        expect(await codeOf(open())).toBe("AUDIT_LOG_BEHIND");
      });

      it("when another process changed what this one wrote", async () => {
        const log = await open();
        const entry = await log.append(eventOf(1));
        const entries = await entriesOf();
        await entries.updateOne(
          { sequence: entry.sequence },
          { $set: { hash: entryHash({ ...entry, requestId: "forged" }) } },
        );
        expect(await codeOf(log.head())).toBe("AUDIT_LOG_DAMAGED");
        await shut(log);
        expect(troubles.splice(0)).toMatchObject([{ code: "AUDIT_LOG_DAMAGED" }]);
      });

      it("but takes a witness line that a crash cut short for none", async () => {
        const { id } = await logOfTen();
        await appendFile(witnessFile, '{"kind":"head","statement":"eyJ');
        const log = await open();
        expect(log.id).toBe(id);
        await log.append(eventOf(11));
        await log.head();
        expect(await witnessed()).toHaveLength(2);
        expect(await verified(log)).toMatchObject({ damage: null, entries: 11 });
      });
    });

    describe("with a new key", () => {
      it("is handed over by the old one, and whoever knows that one can follow", async () => {
        const before = await open();
        await before.append(eventOf(1));
        await shut(before);
        const [old, next] = [key, await importSigningKey(generateSigningSeed())];
        key = next;
        const log = await open({ previousKey: old });
        expect(log).toMatchObject({ keyChange: "handed-over", keyStatements: [expect.any(String)] });
        expect(await verified(log, [old.publicKey])).toMatchObject({
          damage: null,
          entries: 3,
          vouchedUpTo: 3,
        });
        expect((await log.entries({ after: 2, limit: 1 }))[0]).toMatchObject({
          action: "audit.key-change",
          details: { key: toBase64Url(next.publicKey) },
        });
        await shut(log);
        expect((await open()).keyChange).toBe("same");
      });

      it("and none to hand over is a break that everybody who knew the old key sees", async () => {
        await shut(await open());
        const old = key;
        key = await importSigningKey(generateSigningSeed());
        const stranger = await importSigningKey(generateSigningSeed());
        const log = await open({ previousKey: stranger });
        expect(log).toMatchObject({ keyChange: "lost", keyStatements: [] });
        expect((await log.entries({ after: 1, limit: 1 }))[0]).toMatchObject({ action: "audit.key-loss" });
        expect((await verified(log, [old.publicKey])).damage).toMatchObject({ kind: "head" });
        expect((await verified(log, [old.publicKey, key.publicKey])).damage).toBeNull();
      });
    });

    describe("gives entries", () => {
      it("of an owner, of an actor, of both, page by page", async () => {
        const log = await open();
        await Promise.all(Array.from({ length: 100 }, (_, i) => log.append(eventOf(i))));
        const all = await allOf(log);
        const [owner, actor] = [idOf(1002), idOf(3)];
        expect(await log.entries({ after: 0, limit: 500, owner })).toEqual(
          all.filter((entry) => entry.owner === owner),
        );
        expect(await log.entries({ after: 0, limit: 500, actor })).toEqual(
          all.filter((entry) => entry.actor === actor),
        );
        expect(await log.entries({ after: 0, limit: 500, owner, actor })).toEqual(
          all.filter((entry) => entry.owner === owner && entry.actor === actor),
        );
        const own = await log.append({ ...eventOf(2), actor: owner, owner });
        const about = [...all.filter((entry) => entry.owner === owner || entry.actor === owner), own];
        const pages: AuditEntry[] = [];
        for (;;) {
          const page = await log.entries({ after: pages.at(-1)?.sequence ?? 0, limit: 3, about: owner });
          if (page.length === 0) {
            break;
          }
          pages.push(...page);
        }
        expect(pages).toEqual(about);
      });

      it("of nobody for what only looks like a condition", async () => {
        const log = await open();
        await log.append(eventOf(1));
        for (const query of [
          { owner: { $gt: "" } },
          { actor: { $ne: null } },
          { about: { $exists: true } },
        ]) {
          expect(await codeOf(log.entries({ after: 0, limit: 10, ...(query as object) }))).toBe(
            "STORE_VALUE_INVALID",
          );
        }
      });
    });
  });
}
