import { describe, expect, it } from "vitest";
import { verifyLog } from "../../../host/audit/index.ts";
import type { StoredTurn } from "../../../host/audit/turns.ts";
import { createChainWriter, type StoredEntry } from "../../../host/audit/writer.ts";
import { MedcloudletError, systemClock } from "../../../host/base/index.ts";
import type { Collection, Store } from "../../../host/store/index.ts";
import { backends } from "../../support/stores.ts";
import { codeOf } from "../store/subject.ts";
import { eventOf, idOf } from "./made-log.ts";

const LOG = idOf(1);

/** Faults that a server really has, on a real store: they cannot be made to happen from outside at the right moment. */
describe.each(backends())("the writer of the chain, on the $name store", (backend) => {
  async function openCollections(store: Store) {
    const entries = await store.collection<StoredEntry>({ name: "audit", indexes: [] });
    const turns = await store.collection<StoredTurn>({ name: "audit_turns", indexes: [] });
    const writerOn = (collection: Collection<StoredEntry>) =>
      createChainWriter({ log: LOG, collection, turns, clock: systemClock, onCommitted: () => {} });
    const all = async () => {
      const found = await entries.find({}, { sort: { _id: 1 } });
      return found.map(({ _id, writer, ...entry }) => entry);
    };
    const damage = async () =>
      (await verifyLog({ log: LOG, entries: await all(), heads: [], keys: [], keyStatements: [] })).damage;
    return { entries, writerOn, all, damage };
  }

  it("knows which of a group got in when another process wrote in the middle of it", async () => {
    const store = await backend.open("audit");
    const { entries, writerOn, all, damage } = await openCollections(store);
    const other = writerOn(entries);
    let interrupted = false;
    // MongoDB inserts an ordered list one by one: others may come in between.
    const writer = writerOn({
      ...entries,
      async insertMany(documents) {
        for (const [i, document] of documents.entries()) {
          if (i === 2 && !interrupted) {
            interrupted = true;
            await other.append({ ...eventOf(0), requestId: "of-the-other" });
          }
          await entries.insertOne(document);
        }
      },
    });
    const appended = await Promise.all([1, 2, 3, 4, 5].map((n) => writer.append(eventOf(n))));
    expect(appended.map(({ sequence }) => sequence)).toEqual([1, 2, 4, 5, 6]);
    expect((await all()).map(({ requestId }) => requestId)).toEqual([
      "request-1",
      "request-2",
      "of-the-other",
      "request-3",
      "request-4",
      "request-5",
    ]);
    expect(await damage()).toBeNull();
    await store.close();
  });

  it("rejects what it does not know to be written, and goes on behind it", async () => {
    const store = await backend.open("audit");
    const { entries, writerOn, all, damage } = await openCollections(store);
    const outages: ("before" | "after")[] = ["before", "after"];
    const writer = writerOn({
      ...entries,
      async insertMany(documents) {
        const outage = outages.shift();
        if (outage !== "before") {
          await entries.insertMany(documents);
        }
        if (outage !== undefined) {
          throw new MedcloudletError("STORE_UNAVAILABLE", "The database server does not answer.", {
            status: 503,
          });
        }
      },
    });
    expect(await codeOf(writer.append(eventOf(1)))).toBe("STORE_UNAVAILABLE");
    expect(await codeOf(writer.append(eventOf(2)))).toBe("STORE_UNAVAILABLE");
    expect(await writer.append(eventOf(3))).toMatchObject({ sequence: 2 });
    expect((await all()).map(({ requestId }) => requestId)).toEqual(["request-2", "request-3"]);
    expect(await damage()).toBeNull();
    await store.close();
  });

  it("tells the end of the chain while others keep appending", async () => {
    const store = await backend.open("audit");
    const { entries, writerOn } = await openCollections(store);
    const writer = writerOn(entries);
    let done = false;
    const busy = (async () => {
      for (let n = 1; !done; n++) {
        await Promise.all([writer.append(eventOf(n)), writer.append(eventOf(n))]);
      }
    })();
    for (let i = 0; i < 5; i++) {
      expect((await writer.end()).sequence).toBeGreaterThanOrEqual(i);
    }
    done = true;
    await busy;
    await store.close();
  });

  it("gives up, and says that one may try again, when others are always faster", async () => {
    const store = await backend.open("audit");
    const { entries, writerOn, damage } = await openCollections(store);
    const other = writerOn(entries);
    let faster = true;
    const writer = writerOn({
      ...entries,
      async insertMany(documents) {
        if (faster) {
          await other.append(eventOf(1));
        }
        await entries.insertMany(documents);
      },
    });
    const refused = await writer.append(eventOf(2)).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "AUDIT_LOG_BUSY", status: 503 });
    faster = false;
    await writer.append(eventOf(3));
    expect(await damage()).toBeNull();
    await store.close();
  });
});
