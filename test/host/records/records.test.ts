import { afterEach, describe, expect, it } from "vitest";
import { type Bytes, systemClock, toHex } from "../../../host/base/index.ts";
import {
  createErasures,
  createRecords,
  createSubscriptions,
  type Records,
} from "../../../host/records/index.ts";
import { batchDigest, type SealedBatch } from "../../../host/sealing/index.ts";
import type { Store } from "../../../host/store/index.ts";
import { backends } from "../../support/stores.ts";
import { createTestClock } from "../../support/system.ts";
import { someId } from "../http/attack.ts";

const KIB = 1024;

describe.each(backends())("the cloud's records on the $name store", (backend) => {
  const open: Store[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((store) => store.close()));
  });

  async function recordsOf(
    store: Store,
    onStored: (streamId: string, position: number) => void = () => {},
    clock = systemClock,
  ): Promise<Records> {
    return createRecords({
      store,
      clock,
      erasures: await createErasures({ store, clock, onErased: () => {} }),
      onStored,
    });
  }

  async function opened(): Promise<Store> {
    const store = await backend.open("cloud");
    open.push(store);
    return store;
  }

  /** The records do not look into a batch: any bytes do. */
  function add(
    records: Records,
    streamId: string,
    sequence: number,
    bytes: Bytes,
    deviceId = "d".repeat(32),
  ) {
    const header = {
      region: "medical",
      priority: "regular",
      epochId: "e".repeat(32),
      streamId,
      deviceId,
      sequence,
      firstTime: 0,
      lastTime: 0,
    } as const;
    const batch = { header } as SealedBatch;
    return records.add(batch, bytes, batchDigest(bytes), 1);
  }

  it("end a page before it grows beyond 8 MiB and go on after it without a gap", async () => {
    const records = await recordsOf(await opened());
    const streamId = someId();
    for (let i = 0; i < 20; i++) {
      await add(records, streamId, i, new Uint8Array(1000 * KIB).fill(i));
    }
    const seen: number[] = [];
    const sizes: number[] = [];
    for (let cursor = 0; ; ) {
      const page = await records.page(streamId, cursor, 500);
      if (page.batches.length === 0) {
        expect(page.cursor).toBe(cursor);
        break;
      }
      sizes.push(page.batches.reduce((sum, { length }) => sum + length, 0));
      seen.push(...page.batches.map(([first]) => first as number));
      cursor = page.cursor;
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(8 * KIB * KIB);
    expect(sizes).toHaveLength(3);
  });

  it("give exactly as many batches as asked for, across portions", async () => {
    const records = await recordsOf(await opened());
    const streamId = someId();
    for (let i = 0; i < 40; i++) {
      await add(records, streamId, i, new Uint8Array([i]));
    }
    for (const limit of [1, 15, 16, 17, 32, 33, 40, 41, 500]) {
      const { batches } = await records.page(streamId, 0, limit);
      expect(batches.map(([first]) => first)).toEqual(
        Array.from({ length: Math.min(40, limit) }, (_, i) => i),
      );
    }
  });

  it("tell of positions that only grow under concurrent adds, so that a following reader misses nothing", async () => {
    const positions = new Map<string, number[]>();
    const records = await recordsOf(await opened(), (streamId, position) =>
      positions.set(streamId, [...(positions.get(streamId) ?? []), position]),
    );
    const streams = [someId(), someId(), someId()];
    const followed: string[] = [];
    let cursor = 0;
    let writing = true;
    const following = (async () => {
      for (let last = false; ; ) {
        const page = await records.page(streams[0] as string, cursor, 7);
        followed.push(...page.batches.map(toHex));
        cursor = page.cursor;
        if (last && page.batches.length === 0) {
          return;
        }
        last = !writing;
      }
    })();
    await Promise.all(
      Array.from({ length: 120 }, (_, i) =>
        add(records, streams[i % 3] as string, i, new Uint8Array([i]), someId()),
      ),
    );
    writing = false;
    await following;
    expect(followed).toHaveLength(40);
    expect(new Set(followed).size).toBe(40);
    for (const streamId of streams) {
      const told = positions.get(streamId) as number[];
      expect(told).toHaveLength(40);
      expect(told).toEqual([...told].sort((a, b) => a - b));
      expect(new Set(told).size).toBe(40);
    }
  });

  it("show no batch of a stream before an earlier one, though a store may finish the later write first", async () => {
    const store = await opened();
    let delayMs = 60;
    const uneven: Store = {
      ...store,
      collection: async (spec) => {
        const collection = await store.collection<{ _id: string }>(spec);
        const insertOne = async (document: { _id: string }) => {
          delayMs -= 20;
          await new Promise((resolve) => setTimeout(resolve, delayMs));
          await collection.insertOne(document);
        };
        return { ...collection, insertOne } as never;
      },
    };
    const records = await recordsOf(uneven);
    const streamId = someId();
    let writing = true;
    const adding = Promise.all([1, 2, 3].map((i) => add(records, streamId, i, new Uint8Array([i])))).then(
      () => {
        writing = false;
      },
    );
    const seen: number[] = [];
    for (let cursor = 0, last = false; ; last = !writing) {
      const page = await records.page(streamId, cursor, 10);
      seen.push(...page.batches.map(([first]) => first as number));
      cursor = page.cursor;
      if (last) {
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await adding;
    // Which of them came first is the store's to say; whoever read along has seen all of them, in that order.
    const kept = await records.page(streamId, 0, 10);
    expect(seen).toEqual(kept.batches.map(([first]) => first as number));
    expect([...seen].sort()).toEqual([1, 2, 3]);
  });

  it("never go back behind a position given out, though clock and process do", async () => {
    const store = await opened();
    const clock = createTestClock();
    const streamId = someId();
    const first = await add(await recordsOf(store, undefined, clock), streamId, 0, new Uint8Array([0]));
    clock.advance(-60 * 60_000);
    const restarted = await recordsOf(store, undefined, clock);
    const second = await add(restarted, streamId, 1, new Uint8Array([1]));
    expect(second.position).toBeGreaterThan(first.position);
    expect(await restarted.page(streamId, first.position, 10)).toEqual({
      batches: [expect.objectContaining({ length: 1 })],
      cursor: second.position,
      first: second.position,
    });
  });

  it("keep one of two batches under the same number and tell nobody of the refused one", async () => {
    const told: number[] = [];
    const store = await opened();
    const records = await recordsOf(store, (_, position) => void told.push(position));
    const streamId = someId();
    const kept = await add(records, streamId, 7, new Uint8Array([1]));
    expect(await add(records, streamId, 7, new Uint8Array([1]))).toEqual({ ...kept, status: "duplicate" });
    await expect(add(records, streamId, 7, new Uint8Array([2]))).rejects.toMatchObject({
      code: "BATCH_SEQUENCE_REUSED",
      status: 409,
    });
    await expect(add(records, someId(), 7, new Uint8Array([2]))).rejects.toMatchObject({
      code: "BATCH_SEQUENCE_REUSED",
    });
    expect(told).toEqual([kept.position]);
    expect((await records.page(streamId, 0, 10)).batches).toHaveLength(1);
  });
});

describe("subscriptions", () => {
  /** As much of a response as subscriptions use, over nothing: the HTTP side is tested with the whole cloud. */
  function fakeResponse() {
    const closers: (() => void)[] = [];
    const written: string[] = [];
    return {
      written,
      ended: false,
      writeHead: () => {},
      write: (text: string) => void written.push(text),
      end() {
        this.ended = true;
        this.leave();
      },
      leave: () => {
        for (const close of closers) {
          close();
        }
      },
      on: (_: string, listener: () => void) => void closers.push(listener),
    };
  }
  const asResponse = (fake: ReturnType<typeof fakeResponse>) =>
    fake as unknown as Parameters<ReturnType<typeof createSubscriptions>["add"]>[1];

  it("are limited in number, and a reader who leaves makes room", () => {
    const subscriptions = createSubscriptions(2);
    const readers = [fakeResponse(), fakeResponse(), fakeResponse(), fakeResponse()] as const;
    subscriptions.add("a", asResponse(readers[0]), 60_000);
    subscriptions.add("b", asResponse(readers[1]), 60_000);
    expect(() => subscriptions.add("a", asResponse(readers[2]), 60_000)).toThrowError(
      expect.objectContaining({
        code: "SUBSCRIPTIONS_FULL",
        status: 503,
        details: { retryAfterSeconds: 30 },
      }),
    );
    expect(readers[2].written).toEqual([]);
    readers[0].leave();
    subscriptions.add("a", asResponse(readers[3]), 60_000);
    subscriptions.publish("a", 5);
    expect(readers[3].written.at(-1)).toContain("id: 5");
    expect(readers[0].written.join()).not.toContain("id: 5");
    subscriptions.close();
    expect(readers.map(({ ended }) => ended)).toEqual([false, true, false, true]);
  });

  it("end at once when they come after the close", () => {
    const subscriptions = createSubscriptions(2);
    subscriptions.close();
    const late = fakeResponse();
    subscriptions.add("a", asResponse(late), 60_000);
    expect(late.ended).toBe(true);
  });
});
