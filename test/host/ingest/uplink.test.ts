import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCloudApp, createCloudletApp } from "../../../host/apps/index.ts";
import { toHex } from "../../../host/base/index.ts";
import { createLog, listen, type RunningService } from "../../../host/http/index.ts";
import { batchDigest, type Priority } from "../../../host/sealing/index.ts";
import type { Store } from "../../../host/store/index.ts";
import { backends } from "../../support/stores.ts";
import { eventually, type System, startSystem } from "../../support/system.ts";
import {
  cloudletAccount,
  documentsOf,
  expectProblem,
  leavesNoTrace,
  replay,
  sealedBy,
  snapshot,
  uploadBy,
  wearerOf,
} from "../http/attack.ts";

const log = createLog({ service: "test", level: "silent" });
const rateLimit = { points: 1_000_000, seconds: 1 };

describe.each(backends())("a cloudlet's way to the cloud on the $name store", (backend) => {
  let system: System;
  let sensor: Awaited<ReturnType<typeof wearerOf>>;
  const running: RunningService[] = [];
  const stores: Store[] = [];

  beforeEach(async () => {
    system = await startSystem(backend);
    sensor = await wearerOf(system, "quiet-otter");
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((service) => service.close()));
    await system.stop();
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });

  const opened = async (service: string): Promise<Store> => {
    const store = await backend.open(service);
    stores.push(store);
    return store;
  };

  /** Another cloud where the first one was: it is back, with an empty store. */
  const cloudComesBack = async (): Promise<Store> => {
    const store = await opened("cloud");
    const { clock, kdc } = system;
    const app = await createCloudApp({ store, clock, log, kdcUrl: kdc.url, rateLimit, trustProxies: 0 });
    const port = Number(new URL(system.cloud.url).port);
    running.push(await listen(app, { host: "127.0.0.1", port, log, graceMs: 200 }));
    return store;
  };

  const send = async (sequence: number, priority: Priority = "regular", url = system.cloudlet.url) => {
    const bytes = await sealedBy(system, sensor, sequence, { priority });
    const response = await replay(await uploadBy(system, sensor, bytes, url));
    return { bytes, response };
  };

  const spoolOf = (store = system.stores.cloudlet) => documentsOf(store, "spool");

  /** Sequences in the cloud in their order of arrival. */
  const arrived = async (store: Store): Promise<number[]> => {
    const batches = await documentsOf(store, "batches");
    return batches
      .sort((a, b) => Number(a.position) - Number(b.position))
      .map(({ _id }) => Number(String(_id).split(":")[1]));
  };

  it("loses nothing while the cloud is away, and goes by priority when it is back", async () => {
    await system.cloud.close();
    const priorities: Priority[] = [
      ...Array<Priority>(8).fill("bulk"),
      ...Array<Priority>(8).fill("regular"),
      ...Array<Priority>(5).fill("abnormal"),
      ...Array<Priority>(3).fill("emergency"),
    ];
    const digests = new Map<string, string>();
    for (const [sequence, priority] of priorities.entries()) {
      const { bytes, response } = await send(sequence, priority);
      expect(response.status).toBe(202);
      expect((await response.json()).digest).toBe(batchDigest(bytes));
      digests.set(`${sensor.deviceId}:${sequence}`, toHex(bytes));
    }
    expect((await spoolOf()).map(({ state }) => state)).toEqual(Array(24).fill("waiting"));
    expect((await fetch(`${system.cloudlet.url}/readyz`)).status).toBe(200);

    const store = await cloudComesBack();
    await eventually(async () => (await arrived(store)).length === 24, 30_000);
    const order = await arrived(store);
    // Eight go at once: when one arrives, fewer than eight that are more urgent can still be on their way.
    const rank = (sequence: number) =>
      ["emergency", "abnormal", "regular", "bulk"].indexOf(priorities[sequence] as Priority);
    for (const [i, sequence] of order.entries()) {
      const moreUrgent = order.slice(i + 1).filter((later) => rank(later) < rank(sequence));
      expect(moreUrgent.length, `${order}`).toBeLessThan(8);
    }
    expect(rank(order[0] as number)).toBeLessThan(2);
    expect(rank(order[23] as number)).toBe(3);
    for (const { _id, bytes } of await documentsOf(store, "batches")) {
      expect(toHex(bytes as Uint8Array)).toBe(digests.get(String(_id)));
    }
    await eventually(async () => (await spoolOf()).every(({ state }) => state === "forwarded"));
    expect((await spoolOf()).every(({ bytes, ticket }) => bytes === null && ticket === null)).toBe(true);
  });

  it("sets a batch aside that the cloud refuses for good, keeps its bytes, and lets the others go on", async () => {
    const batches = await system.stores.cloud.collection<{ _id: string; digest: string }>({
      name: "batches",
      indexes: [],
    });
    await batches.insertOne({ _id: `${sensor.deviceId}:1`, digest: "another batch under this number" });
    const { bytes } = await send(1, "emergency");
    for (const sequence of [2, 3]) {
      expect((await send(sequence)).response.status).toBe(202);
    }
    await snapshot(system);
    const spool = new Map((await spoolOf()).map((entry) => [entry._id, entry]));
    expect(spool.get(`${sensor.deviceId}:1`)).toMatchObject({
      state: "refused",
      reason: "BATCH_SEQUENCE_REUSED",
      bytes: expect.objectContaining({ length: bytes.length }),
      ticket: null,
    });
    expect(toHex(spool.get(`${sensor.deviceId}:1`)?.bytes as Uint8Array)).toBe(toHex(bytes));
    expect(spool.get(`${sensor.deviceId}:2`)?.state).toBe("forwarded");
    expect(spool.get(`${sensor.deviceId}:3`)?.state).toBe("forwarded");
    expect(system.logLines.filter((line) => line.includes("batch_refused"))).toHaveLength(1);
    // Its device is still told that it was received, and another batch under its number is still refused.
    await leavesNoTrace(system, async () => {
      const again = await replay(await uploadBy(system, sensor, bytes));
      expect(again.status).toBe(200);
      await expectProblem((await send(1)).response, 409, "BATCH_SEQUENCE_REUSED");
    });
  });

  it("goes on with the tickets it has while the KDC is away", async () => {
    expect((await send(0)).response.status).toBe(202);
    await snapshot(system);
    await system.kdc.close();
    // Less than five minutes are left of the uplink's ticket: it would rather renew it, and cannot.
    system.clock.advance(57 * 60_000);
    expect((await send(1)).response.status).toBe(202);
    await eventually(async () => (await arrived(system.stores.cloud)).includes(1));
    // When it has ended nothing is forwarded, and nothing is lost.
    system.clock.advance(4 * 60_000);
    await expectProblem((await send(2)).response, 401, "TICKET_EXPIRED");
    expect(await arrived(system.stores.cloud)).toEqual([0, 1]);
  });

  it("says when it is full, still knows what it has, and takes more when the cloud has some of it", async () => {
    const account = await cloudletAccount(system, "small-cloudlet");
    const { clock, kdc, cloud } = system;
    const store = await opened("cloudlet");
    const app = await createCloudletApp({
      store,
      clock,
      log,
      kdcUrl: kdc.url,
      cloudUrl: cloud.url,
      cloudletId: account.cloudletId,
      key: account.key,
      spoolCapacity: 2,
      rateLimit,
      trustProxies: 0,
    });
    const small = await listen(app, { host: "127.0.0.1", port: 0, log, graceMs: 200 });
    running.push(small);
    await system.cloud.close();
    const first = await send(0, "regular", small.url);
    expect(first.response.status).toBe(202);
    expect((await send(1, "regular", small.url)).response.status).toBe(202);

    const before = await spoolOf(store);
    const full = (await send(2, "emergency", small.url)).response;
    const problem = await expectProblem(full, 503, "SPOOL_FULL");
    expect(problem.retryAfterSeconds).toBe(30);
    expect((await replay(await uploadBy(system, sensor, first.bytes, small.url))).status).toBe(200);
    await expectProblem((await send(1, "regular", small.url)).response, 409, "BATCH_SEQUENCE_REUSED");
    expect(await spoolOf(store)).toEqual(before);

    const back = await cloudComesBack();
    await eventually(async () => (await arrived(back)).length === 2, 30_000);
    await eventually(async () => (await send(2, "emergency", small.url)).response.status === 202);
    await eventually(async () => (await arrived(back)).length === 3, 30_000);
  });

  it("lets other batches go first while the cloud cannot judge some, and sends those when it can", async () => {
    await system.cloud.close();
    for (let sequence = 0; sequence < 10; sequence++) {
      await send(sequence, "emergency");
    }
    const spool = await system.stores.cloudlet.collection<{ _id: string; ticket: string | null }>({
      name: "spool",
      indexes: [],
    });
    // Tickets of a key that the cloud does not know yet, more than go at once.
    const [head, ...rest] = sensor.ticket.split(".");
    const header = JSON.parse(Buffer.from(head as string, "base64url").toString());
    const unknown = Buffer.from(JSON.stringify({ ...header, kid: "next" })).toString("base64url");
    for (let sequence = 0; sequence < 10; sequence++) {
      const ticket = [unknown, ...rest].join(".");
      await spool.updateOne({ _id: { $eq: `${sensor.deviceId}:${sequence}` } }, { $set: { ticket } });
    }
    await send(10, "bulk");
    const store = await cloudComesBack();
    await eventually(async () => (await arrived(store)).includes(10), 30_000);
    expect(await arrived(store)).toEqual([10]);
    await eventually(async () => (await spoolOf()).filter(({ state }) => state === "waiting").length === 10);

    for (let sequence = 0; sequence < 10; sequence++) {
      await spool.updateOne(
        { _id: { $eq: `${sensor.deviceId}:${sequence}` } },
        { $set: { ticket: sensor.ticket } },
      );
    }
    system.clock.advance(31_000);
    await send(11);
    await eventually(async () => (await arrived(store)).length === 12, 30_000);
  });
});
