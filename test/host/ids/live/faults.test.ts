import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createCloudApp } from "../../../../host/apps/index.ts";
import { randomBytes } from "../../../../host/base/index.ts";
import { createLog, listen, type RunningService } from "../../../../host/http/index.ts";
import type { Engine } from "../../../../host/ids/engine/index.ts";
import { parseLogLine, replayLog } from "../../../../host/ids/engine/index.ts";
import { createTrainer } from "../../../../host/ids/index.ts";
import { createJournal, type Ids, type IdsParts } from "../../../../host/ids/live/index.ts";
import type { InspectedRequest } from "../../../../host/ids/request.ts";
import { backends } from "../../../support/stores.ts";
import { createTestClock, DAY_MS } from "../../../support/system.ts";

const ADDRESS = "203.0.113.77";
const ATTACK = "/v1/nowhere?q=1'%20UNION%20SELECT%20password%20FROM%20users--";
const TOKEN = "a token of Prometheus";

describe.each(backends())("the intrusion detection of a cloud on the $name store", (backend) => {
  const running: RunningService[] = [];
  const lines: string[] = [];
  const log = createLog({
    service: "cloud",
    level: "debug",
    destination: { write: (line) => void lines.push(line) },
  });
  afterEach(async () => {
    lines.length = 0;
    for (const service of running.splice(0)) {
      await service.close();
    }
  });

  const start = async (
    parts: Partial<IdsParts> & { mode?: "enforce" | "simulate"; key?: Uint8Array<ArrayBuffer> } = {},
    store?: Awaited<ReturnType<typeof backend.open>>,
    clock = createTestClock(),
  ) => {
    const { mode = "enforce", key = randomBytes(32), ...rest } = parts;
    const kept = store ?? (await backend.open("cloud"));
    const app = await createCloudApp({
      ...{ store: kept, clock, log, trustProxies: 1 },
      kdcUrl: "http://127.0.0.1:9",
      rateLimit: { points: 100_000, seconds: 1 },
      ids: { settings: { key, mode, metricsToken: TOKEN }, ...rest },
    });
    const service = await listen(app, { host: "127.0.0.1", port: 0, log, graceMs: 100 });
    running.push(service);
    return { ids: app.ids as Ids, url: service.url, clock, store: kept, service };
  };
  const knock = async (url: string, path = "/v1/nowhere"): Promise<string> => {
    const answer = await fetch(url + path, { headers: { "X-Forwarded-For": ADDRESS } });
    return ((await answer.json()) as { code: string }).code;
  };
  const attack = async (url: string): Promise<string[]> => {
    const codes: string[] = [];
    for (let i = 0; i < 12; i++) {
      codes.push(await knock(url, `${ATTACK}${i}`));
    }
    return codes;
  };
  const metricsOf = async (url: string): Promise<string> => {
    const answer = await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${TOKEN}` } });
    expect(answer.status).toBe(200);
    return answer.text();
  };

  it("holds on to its decisions over a restart, and forgets them when they are over", async () => {
    const key = randomBytes(32);
    const store = await backend.open("cloud");
    const clock = createTestClock();
    const open = { ...store, close: async () => {} };
    const first = await start({ key }, open, clock);
    expect((await attack(first.url)).at(-1)).toMatch(/^IDS_/);
    await running.pop()?.close();
    const second = await start({ key }, open, clock);
    expect(await knock(second.url)).toMatch(/^IDS_/);
    await running.pop()?.close();
    clock.advance(3 * 3_600_000);
    const third = await start({ key }, store, clock);
    expect(await knock(third.url)).toBe("ROUTE_NOT_FOUND");
  });

  it("only writes down what it would do when it simulates", async () => {
    const { url, ids, store } = await start({ mode: "simulate" });
    expect(new Set(await attack(url))).toEqual(new Set(["ROUTE_NOT_FOUND"]));
    await ids.settled();
    const kept = [];
    for await (const { collection, document } of store.dump()) {
      if (collection === "ids_decisions") {
        kept.push(document);
      }
    }
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.every(({ simulated }) => simulated === true)).toBe(true);
    const metrics = await metricsOf(url);
    expect(metrics).toMatch(/medcloudlet_ids_held_total\{what="simulated"\} [1-9]/);
    expect(lines.some((line) => line.includes("ids_would_decide"))).toBe(true);
  });

  it("lets requests through when its engine breaks, and says so in log and metrics, not at every request", async () => {
    const broken: Engine = {
      observe: () => {
        throw new Error("a fault of the detection itself");
      },
      inForce: () => null,
      members: () => [],
    };
    const { url } = await start({ engine: broken });
    expect(new Set(await attack(url))).toEqual(new Set(["ROUTE_NOT_FOUND"]));
    expect(await metricsOf(url)).toMatch(/medcloudlet_ids_faults_total\{what="engine"\} (?:1[2-9]|[2-9]\d)/);
    const said = lines.filter((line) => line.includes("ids_failed"));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain("requests go on without it");
    expect(said[0]).not.toContain("a fault of the detection itself");
  });

  it("goes on when its store is away", async () => {
    const { url, store, ids } = await start();
    await store.close();
    expect((await attack(url)).at(-1)).toMatch(/^IDS_/);
    await ids.settled();
    expect(await metricsOf(url)).toMatch(/medcloudlet_ids_faults_total\{what="decision"\} [1-9]/);
  });

  it("forgets alerts, events and decisions after their time", async () => {
    const { url, store, ids, clock } = await start();
    await attack(url);
    await ids.settled();
    const count = async () => {
      let number = 0;
      for await (const { collection } of store.dump()) {
        number += collection.startsWith("ids_") ? 1 : 0;
      }
      return number;
    };
    expect(await count()).toBeGreaterThan(2);
    clock.advance(20 * DAY_MS);
    await ids.sweep();
    expect(await count()).toBeGreaterThan(1);
    clock.advance(20 * DAY_MS);
    await ids.sweep();
    expect(await count()).toBe(0);
  });

  it("writes a journal that replays to the same decisions, in files that are few", async () => {
    const folder = await mkdtemp(join(tmpdir(), "medcloudlet-journal-"));
    const onFault = (what: string, error: unknown) => {
      throw new Error(what, { cause: error });
    };
    const clock = createTestClock();
    const journal = await createJournal({ folder, name: "observations", startedAt: clock.now(), onFault });
    const { url, ids } = await start({ journal }, undefined, clock);
    await attack(url);
    await ids.settled();
    const [file, ...others] = await readdir(folder);
    expect(others).toEqual([]);
    const written = (await readFile(join(folder, file as string), "utf8")).trimEnd().split("\n");
    written.forEach((line, i) => {
      expect(line).not.toContain(ADDRESS);
      parseLogLine(line, i + 1);
    });
    const replayed = await replayLog(written);
    expect(replayed.differences).toEqual([]);
    expect(replayed.decisions.length).toBeGreaterThan(0);

    const small = await createJournal({
      ...{ folder, name: "requests", startedAt: 1, fileBytes: 100, files: 2, onFault },
    });
    for (let i = 0; i < 10; i++) {
      small.append(`${"x".repeat(120)}\n`);
      await small.settled();
    }
    expect((await readdir(folder)).filter((name) => name.startsWith("requests"))).toHaveLength(2);
  });

  it("writes requests down where it shall, without their secrets, and judges by a model of them", async () => {
    const requests: InspectedRequest[] = [];
    const { url } = await start({ onRequest: (request) => void requests.push(request) });
    const post = (at: string, body: object) =>
      fetch(`${at}/v1/ids/appeals`, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          Authorization: "DPoP a-ticket-of-mine",
          DPoP: "a-proof",
        },
        body: JSON.stringify(body),
      });
    await post(url, { decision: "0".repeat(32), appeal: "private words", password: "a-password-of-mine" });
    await fetch(`${url}/v1/nowhere?page=1`);
    expect(requests.map(({ m, u }) => `${m} ${u}`)).toEqual([
      "POST /v1/ids/appeals",
      "GET /v1/nowhere?page=1",
    ]);
    expect(requests[0]?.b).toBe('{"decision":""}');
    expect(JSON.stringify(requests)).not.toMatch(/of-mine|a-proof|private words/);

    const trainer = createTrainer();
    for (let i = 0; i < 400; i++) {
      trainer.add({ m: "GET", u: `/v1/nowhere?page=${i % 9}`, headers: requests[1]?.headers ?? {} });
    }
    const settings = { key: randomBytes(32), mode: "enforce", metricsToken: TOKEN } as const;
    const judging = await start({ settings: { ...settings, model: trainer.finish() } });
    await fetch(`${judging.url}/v1/nowhere?page=3`);
    expect(await metricsOf(judging.url)).not.toContain('kind="attack-found"');
    await fetch(`${judging.url}/v1/nowhere?page=${encodeURIComponent("Zq{~9|^".repeat(30))}&zz=%00%01`);
    await post(judging.url, { decision: "0".repeat(32), appeal: "x" });
    expect(await metricsOf(judging.url)).toMatch(/kind="attack-found"\} [1-9]/);
  });

  it("serves metrics to who has the token, and to nobody where there is none", async () => {
    const { url } = await start();
    for (const authorization of ["", "Bearer ", `bearer ${TOKEN}x`, TOKEN]) {
      const answer = await fetch(`${url}/metrics`, { headers: { Authorization: authorization } });
      expect(answer.status).toBe(401);
      expect(await answer.text()).not.toContain("medcloudlet_ids_");
    }
    const metrics = await metricsOf(url);
    expect(metrics).toContain("medcloudlet_ids_in_force 0");
    const without = await start({ settings: { key: randomBytes(32), mode: "enforce" } });
    expect((await fetch(`${without.url}/metrics`)).status).toBe(404);
  });
});
