import { Router } from "express";
import { afterEach, describe, expect, it } from "vitest";
import { isMedcloudletError, MedcloudletError } from "../../../host/base/index.ts";
import {
  createBinaryReader,
  createLog,
  createServiceApp,
  listen,
  type Probe,
  type RunningService,
} from "../../../host/http/index.ts";
import { eventually } from "../../support/system.ts";
import { expectProblem } from "./attack.ts";

describe("every service", () => {
  const lines: string[] = [];
  const log = createLog({
    service: "test",
    level: "debug",
    destination: { write: (line) => void lines.push(line) },
  });
  let service: RunningService | undefined;
  let drain = () => {};

  afterEach(async () => {
    await service?.close();
    service = undefined;
    lines.length = 0;
  });

  const start = async (
    options: {
      router?: Router;
      probes?: Probe[];
      points?: number;
      graceMs?: number;
      trustProxies?: number;
      pageOrigin?: string;
    } = {},
  ): Promise<string> => {
    const made = createServiceApp({
      log,
      probes: options.probes ?? [],
      rateLimit: { points: options.points ?? 1000, seconds: 10 },
      routes: { router: options.router ?? Router() },
      trustProxies: options.trustProxies ?? 0,
      ...(options.pageOrigin === undefined ? {} : { pageOrigin: options.pageOrigin }),
    });
    drain = made.drain;
    service = await listen(
      { ...made, endpoints: [], start: async () => {}, stop: async () => {} },
      { host: "127.0.0.1", port: 0, log, graceMs: options.graceMs ?? 2000 },
    );
    return service.url;
  };

  it("lives, and is ready while all it needs answers", async () => {
    let healthy = true;
    const url = await start({
      probes: [
        {
          name: "store",
          check: async () => {
            if (!healthy) {
              throw new Error("secret reason");
            }
          },
        },
      ],
    });
    expect(await (await fetch(`${url}/livez`)).json()).toEqual({ status: "live" });
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: "ready", checks: { store: "ok" } }]);
    healthy = false;
    const failed = await fetch(`${url}/readyz`);
    expect([failed.status, await failed.json()]).toEqual([
      503,
      { status: "not ready", checks: { store: "failed" } },
    ]);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect(lines.join()).not.toContain("secret reason");
  });

  it("is not ready when something it needs hangs", async () => {
    const url = await start({ probes: [{ name: "store", check: () => new Promise(() => {}) }] });
    const startedAt = Date.now();
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect(Date.now() - startedAt).toBeLessThan(6000);
  });

  it("is not ready while it drains, and still lives", async () => {
    const url = await start();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    drain();
    const draining = await fetch(`${url}/readyz`);
    expect([draining.status, (await draining.json()).status]).toEqual([503, "draining"]);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  it("sends security headers and a request id of its own with every answer, and names no software", async () => {
    const url = await start();
    const ids = new Set<string | null>();
    for (const path of ["/livez", "/readyz", "/v1/none"]) {
      const { headers } = await fetch(url + path, { headers: { "X-Request-Id": "chosen-by-client" } });
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.has("x-powered-by")).toBe(false);
      expect(headers.has("server")).toBe(false);
      expect(headers.has("access-control-allow-origin")).toBe(false);
      ids.add(headers.get("x-request-id"));
    }
    expect(ids.size).toBe(3);
    expect([...ids].every((id) => /^[0-9a-f-]{36}$/.test(id ?? ""))).toBe(true);
  });

  it("answers a path or a method it does not have with a problem document", async () => {
    const router = Router();
    router.get("/thing", (_request, response) => void response.json({}));
    const url = await start({ router });
    expect((await fetch(`${url}/v1/thing`)).status).toBe(200);
    for (const [method, path] of [
      ["GET", "/"],
      ["GET", "/v1"],
      ["GET", "/thing"],
      ["POST", "/v1/thing"],
      ["DELETE", "/v1/thing"],
      ["GET", "/v1/../../etc/passwd"],
      ["GET", "/v1/<script>alert(1)</script>"],
    ] as const) {
      await expectProblem(await fetch(url + path, { method }), 404, "ROUTE_NOT_FOUND");
    }
  });

  it("tells nothing of an error that nobody expected, but logs it under the request's id", async () => {
    const router = Router();
    router.get("/broken", () => {
      throw new TypeError("cannot read the password hunter2");
    });
    router.get("/busy", () => {
      const details = { retryAfterSeconds: 7 };
      throw new MedcloudletError("STORE_UNAVAILABLE", "Come back later.", { status: 503, details });
    });
    const url = await start({ router });
    const problem = await expectProblem(await fetch(`${url}/v1/broken`), 500, "INTERNAL");
    expect(JSON.stringify(problem)).not.toContain("hunter2");
    const id = String(problem.instance).split(":").at(-1) as string;
    const logged = lines.map((line) => JSON.parse(line)).find(({ event }) => event === "request_failed");
    expect(logged).toMatchObject({ requestId: id, code: "TypeError", level: "error" });
    expect(logged.stack).toMatch(/^\s+at .*service\.test\.ts/);
    expect(lines.join()).not.toContain("hunter2");
    const busy = await fetch(`${url}/v1/busy`);
    expect(busy.headers.get("retry-after")).toBe("7");
    await expectProblem(busy, 503, "STORE_UNAVAILABLE");
  });

  it("limits the requests of an address, but not the questions whether it lives", async () => {
    const url = await start({ points: 3 });
    for (let i = 0; i < 3; i++) {
      await expectProblem(await fetch(`${url}/v1/x`), 404, "ROUTE_NOT_FOUND");
    }
    const limited = await fetch(`${url}/v1/x`, { headers: { "X-Forwarded-For": "203.0.113.7" } });
    const { retryAfterSeconds } = await expectProblem(limited, 429, "RATE_LIMITED");
    expect(limited.headers.get("retry-after")).toBe(String(retryAfterSeconds));
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it("believes a proxy about the client's address only where it is told to", async () => {
    const url = await start({ points: 1, trustProxies: 1 });
    const from = (address: string) => fetch(`${url}/v1/x`, { headers: { "X-Forwarded-For": address } });
    expect((await from("203.0.113.7")).status).toBe(404);
    expect((await from("203.0.113.8")).status).toBe(404);
    // What the client itself wrote stands further left and counts for nothing.
    expect((await from("198.51.100.1, 203.0.113.7")).status).toBe(429);
  });

  it("answers no route to a page of another site, but to its own page wherever that is", async () => {
    const url = await start({ pageOrigin: "https://kdc.example" });
    const from = (headers: Record<string, string>) => fetch(`${url}/v1/x`, { headers });
    const site = { "Sec-Fetch-Site": "cross-site" };
    await expectProblem(await from(site), 403, "REQUEST_CROSS_SITE");
    await expectProblem(await from({ ...site, Origin: "null" }), 403, "REQUEST_CROSS_SITE");
    await expectProblem(await from({ ...site, Origin: "https://kdc.example" }), 404, "ROUTE_NOT_FOUND");
    await expectProblem(await from({ "Sec-Fetch-Site": "same-origin" }), 404, "ROUTE_NOT_FOUND");
    await expectProblem(await from({}), 404, "ROUTE_NOT_FOUND");
  });

  it("counts a household's IPv6 addresses as one, whichever it makes up", async () => {
    const url = await start({ points: 1, trustProxies: 1 });
    const from = (address: string) => fetch(`${url}/v1/x`, { headers: { "X-Forwarded-For": address } });
    expect((await from("2001:db8:1:2::1")).status).toBe(404);
    expect((await from("2001:db8:1:2:aaaa:bbbb:cccc:dddd")).status).toBe(429);
    expect((await from("2001:db8:1:3::1")).status).toBe(404);
    expect((await from("::ffff:203.0.113.9")).status).toBe(404);
    expect((await from("203.0.113.9")).status).toBe(429);
  });

  it("finishes a running request when it closes, takes no new one, and closes once", async () => {
    const router = Router();
    let release = () => {};
    const begun = new Promise<void>((seen) => {
      router.get("/slow", async (_request, response) => {
        seen();
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        response.json({ finished: true });
      });
    });
    const url = await start({ router, graceMs: 20_000 });
    const answer = fetch(`${url}/v1/slow`);
    await begun;
    const closing = service?.close();
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
    release();
    expect(await (await answer).json()).toEqual({ finished: true });
    const startedAt = Date.now();
    await closing;
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    await service?.close();
  });

  it("does not wait for ever for a request that does not end", async () => {
    const router = Router();
    const begun = new Promise<void>((seen) => {
      router.get("/stuck", () => seen());
    });
    const url = await start({ router, graceMs: 200 });
    const answer = fetch(`${url}/v1/stuck`);
    const failure = expect(answer).rejects.toThrow();
    await begun;
    await service?.close();
    await failure;
  });

  it("says plainly that its port is taken, and keeps nothing open that it held", async () => {
    const url = await start();
    const port = Number(new URL(url).port);
    const made = createServiceApp({
      log,
      probes: [],
      rateLimit: { points: 1, seconds: 1 },
      routes: { router: Router() },
    });
    let stopped = 0;
    const stop = async () => void stopped++;
    const error = await listen(
      { ...made, endpoints: [], start: async () => {}, stop },
      { host: "127.0.0.1", port, log },
    ).catch((caught) => caught);
    expect(isMedcloudletError(error, "SERVICE_PORT_UNAVAILABLE")).toBe(true);
    expect(stopped).toBe(1);
    expect(error.message).toContain(String(port));
  });

  it("reads a binary body up to its limit, of its one type, never inflated", async () => {
    const router = Router();
    const read = createBinaryReader(1000);
    router.post("/bytes", async (request, response) => {
      response.json({ length: (await read(request, response)).length });
    });
    const url = await start({ router });
    const post = (body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
      fetch(`${url}/v1/bytes`, {
        method: "POST",
        body,
        headers: { "Content-Type": "application/octet-stream", ...headers },
      });
    for (const length of [0, 1, 1000]) {
      expect(await (await post(new Uint8Array(length))).json()).toEqual({ length });
    }
    await expectProblem(await post(new Uint8Array(1001)), 413, "REQUEST_TOO_LARGE");
    await expectProblem(await post(new Uint8Array(10 * 1024 * 1024)), 413, "REQUEST_TOO_LARGE");
    const small = new Uint8Array(10);
    await expectProblem(await post(small, { "Content-Encoding": "gzip" }), 415, "REQUEST_MEDIA_TYPE");
    for (const type of ["application/json", "text/plain", "application/octet-stream2", ""]) {
      await expectProblem(await post(small, { "Content-Type": type }), 415, "REQUEST_MEDIA_TYPE");
    }
    await expectProblem(await fetch(`${url}/v1/bytes`, { method: "POST" }), 415, "REQUEST_MEDIA_TYPE");
  });

  it("logs one line a request: the route's pattern, never the path, the query or a header", async () => {
    const router = Router();
    router.get("/streams/:streamId", (_request, response) => void response.json({}));
    const url = await start({ router });
    const response = await fetch(`${url}/v1/streams/secretstream?token=secrettoken`, {
      headers: { Authorization: "Bearer secretbearer", "User-Agent": "secretagent" },
    });
    await response.arrayBuffer();
    await fetch(`${url}/secretpath`);
    await eventually(async () => lines.filter((line) => line.includes('"request"')).length === 2);
    const requests = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "request");
    expect(requests).toHaveLength(2);
    expect(requests[0]).toMatchObject({ method: "GET", route: "/v1/streams/:streamId", status: 200 });
    expect(requests[1]).toMatchObject({ status: 404, code: "ROUTE_NOT_FOUND" });
    expect(lines.join()).not.toContain("secret");
  });
});
