import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { JSONWebKeySet } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCloudApp } from "../../../host/apps/index.ts";
import { createLog, listen, type RunningService } from "../../../host/http/index.ts";
import { createTicketIssuer, type TicketIssuer } from "../../../host/identity/index.ts";
import { keyThumbprint, type SigningKey } from "../../../host/sealing/index.ts";
import type { Store } from "../../../host/store/index.ts";
import { backends } from "../../support/stores.ts";
import { createTestClock, ticketKeyRing } from "../../support/system.ts";
import { expectProblem, replay, signed, someId, strangerKey } from "../http/attack.ts";

/** A store that outlives the service that uses it, so that a test can start the service again on it. */
function keptOpen(store: Store): Store {
  return { ...store, close: async () => {} };
}

describe.each(backends())("the KDC's keys in a cloud on the $name store", (backend) => {
  const clock = createTestClock();
  const stream = someId();
  let kdc: Server;
  let kdcUrl: string;
  /** What the KDC's one route answers with; null breaks the connection. */
  let published: JSONWebKeySet | null;
  let fetches: number;
  let delayMs: number;
  let store: Store;
  let cloud: RunningService;
  let holder: SigningKey;
  let issuer: TicketIssuer;

  const startCloud = async () => {
    const log = createLog({ service: "cloud", level: "silent" });
    const rateLimit = { points: 100_000, seconds: 1 };
    const app = await createCloudApp({
      store: keptOpen(store),
      clock,
      log,
      kdcUrl,
      rateLimit,
      trustProxies: 0,
    });
    cloud = await listen(app, { host: "127.0.0.1", port: 0, log });
  };

  const ticketBy = async (by: TicketIssuer) => {
    const cnf = { jkt: await keyThumbprint(holder.publicKey) };
    return (await by.issue({ scope: "read", stream, cnf })).ticket;
  };

  const read = async (ticket: string) =>
    replay(
      await signed(
        { clock },
        {
          method: "GET",
          url: `${cloud.url}/v1/streams/${stream}/batches`,
          key: holder,
          ticket,
        },
      ),
    );

  beforeEach(async () => {
    holder = await strangerKey();
    issuer = createTicketIssuer(await ticketKeyRing(clock), clock);
    published = issuer.keys();
    fetches = 0;
    delayMs = 0;
    kdc = createServer((_request, response) => {
      fetches++;
      setTimeout(() => {
        if (published === null) {
          response.destroy();
        } else {
          response.setHeader("Content-Type", "application/json").end(JSON.stringify(published));
        }
      }, delayMs);
    });
    await new Promise<void>((resolve) => kdc.listen(0, "127.0.0.1", resolve));
    kdcUrl = `http://127.0.0.1:${(kdc.address() as AddressInfo).port}`;
    store = await backend.open("cloud");
    await startCloud();
  });
  afterEach(async () => {
    await cloud.close();
    await store.close();
    await new Promise((resolve) => {
      kdc.close(resolve);
      kdc.closeAllConnections();
    });
  });

  it("are fetched once, for however many tickets", async () => {
    delayMs = 50;
    const ticket = await ticketBy(issuer);
    const answers = await Promise.all(Array.from({ length: 10 }, () => read(ticket)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect((await read(ticket)).status).toBe(200);
    expect(fetches).toBe(1);
  });

  it("are missing in a new cloud while the KDC is away, which says so and comes to itself again", async () => {
    const keys = issuer.keys();
    published = null;
    const ticket = await ticketBy(issuer);
    const problem = await expectProblem(await read(ticket), 503, "TICKET_KEYS_UNAVAILABLE");
    expect(problem.retryAfterSeconds).toBe(5);
    published = keys;
    expect((await read(ticket)).status).toBe(200);
  });

  it("do not turn a crowd of strangers at a new cloud into a crowd at a KDC that is away", async () => {
    published = null;
    delayMs = 50;
    const ticket = await ticketBy(issuer);
    const answers = await Promise.all(Array.from({ length: 30 }, () => read(ticket)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(fetches).toBeLessThanOrEqual(3);
  });

  it("are kept over a restart while the KDC is away", async () => {
    const ticket = await ticketBy(issuer);
    expect((await read(ticket)).status).toBe(200);
    await cloud.close();
    published = null;
    await startCloud();
    expect((await read(ticket)).status).toBe(200);
    expect((await read(ticket)).status).toBe(200);
    // Once, in vain, for what a key's age is after a restart nobody knows.
    expect(fetches).toBe(2);
  });

  it("are fetched again every ten minutes, and nobody waits for it", async () => {
    const ticket = await ticketBy(issuer);
    expect((await read(ticket)).status).toBe(200);
    clock.advance(4 * 60_000);
    expect((await read(ticket)).status).toBe(200);
    expect(fetches).toBe(1);
    const revoked = await ticketBy(issuer);
    clock.advance(6 * 60_000 + 1000);
    published = { keys: [] };
    delayMs = 300;
    const fresh = await ticketBy(issuer);
    expect((await read(fresh)).status).toBe(200);
    expect(fetches).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await expectProblem(await read(fresh), 401, "TICKET_KEY_UNKNOWN");
    await expectProblem(await read(revoked), 401, "TICKET_KEY_UNKNOWN");
  });

  it("are fetched again for a ticket of a new key, by all who wait for it at once", async () => {
    expect((await read(await ticketBy(issuer))).status).toBe(200);
    clock.advance(31_000);
    const rotated = createTicketIssuer(await ticketKeyRing(clock), clock);
    published = rotated.keys();
    delayMs = 50;
    const ticket = await ticketBy(rotated);
    const answers = await Promise.all(Array.from({ length: 10 }, () => read(ticket)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(fetches).toBe(2);
    await expectProblem(await read(await ticketBy(issuer)), 401, "TICKET_KEY_UNKNOWN");
  });

  it("are asked for at most every half minute, however many made-up keys come", async () => {
    expect((await read(await ticketBy(issuer))).status).toBe(200);
    clock.advance(31_000);
    const forger = createTicketIssuer(await ticketKeyRing(clock), clock);
    for (let i = 0; i < 20; i++) {
      await expectProblem(await read(await ticketBy(forger)), 401, "TICKET_KEY_UNKNOWN");
    }
    expect(fetches).toBe(2);
    clock.advance(31_000);
    await expectProblem(await read(await ticketBy(forger)), 401, "TICKET_KEY_UNKNOWN");
    expect(fetches).toBe(3);
    expect((await read(await ticketBy(issuer))).status).toBe(200);
  });

  it("stay those that are known when the KDC is away as a new one is asked for", async () => {
    expect((await read(await ticketBy(issuer))).status).toBe(200);
    clock.advance(31_000);
    published = null;
    const forger = createTicketIssuer(await ticketKeyRing(clock), clock);
    await expectProblem(await read(await ticketBy(forger)), 401, "TICKET_KEY_UNKNOWN");
    expect((await read(await ticketBy(issuer))).status).toBe(200);
  });
});
