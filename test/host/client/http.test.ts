import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { EmbeddedJWK, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../host/base/index.ts";
import { createHttpClient } from "../../../host/client/index.ts";
import { keyThumbprint, type SigningKey, ticketHash } from "../../../host/sealing/index.ts";
import { newSigningKey } from "../sealing/fixtures.ts";

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

const http = createHttpClient({ clock: systemClock });
let server: Server;
let origin: string;
let key: SigningKey;
let seen: Seen[];
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  key = await newSigningKey();
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) {
      parts.push(part as Buffer);
    }
    const { method, url, headers } = request;
    seen.push({ method, url, headers, body: Buffer.concat(parts) });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen = [];
  answer = (response) => response.end('{"fine":true}');
});

const problem = (status: number, type: string, body: string) => (response: ServerResponse) =>
  response.writeHead(status, { "Content-Type": type }).end(body);
const get = () => http.json({ method: "GET", url: `${origin}/x` });

describe("a request", () => {
  it("carries JSON or bytes as they are, with the type that says so", async () => {
    await http.json({ method: "POST", url: `${origin}/x?a=b`, json: { word: "käse" } });
    await http.json({ method: "POST", url: `${origin}/y`, bytes: Uint8Array.of(0, 255, 10) });
    expect(seen[0]).toMatchObject({ method: "POST", url: "/x?a=b" });
    expect(seen[0]?.headers["content-type"]).toBe("application/json");
    expect(seen[0]?.body.toString()).toBe('{"word":"käse"}');
    expect(seen[1]?.headers["content-type"]).toBe("application/octet-stream");
    expect([...(seen[1]?.body ?? [])]).toEqual([0, 255, 10]);
  });

  it("without credentials shows none", async () => {
    expect(await get()).toEqual({ fine: true });
    expect(seen[0]?.headers).not.toHaveProperty("authorization");
    expect(seen[0]?.headers).not.toHaveProperty("dpop");
  });

  it("with a session shows it as a bearer, and no proof", async () => {
    await http.send({ method: "GET", url: `${origin}/x`, credentials: { session: "abc" } });
    expect(seen[0]?.headers.authorization).toBe("Bearer abc");
    expect(seen[0]?.headers).not.toHaveProperty("dpop");
  });

  it("with a ticket proves the ticket's key for this method and address", async () => {
    await http.send({
      method: "DELETE",
      url: `${origin}/x?page=2`,
      credentials: { key, ticket: "the.ticket" },
    });
    const { headers } = seen[0] as Seen;
    expect(headers.authorization).toBe("DPoP the.ticket");
    const { payload, protectedHeader } = await jwtVerify(headers.dpop as string, EmbeddedJWK);
    expect(payload).toMatchObject({ htm: "DELETE", htu: `${origin}/x`, ath: ticketHash("the.ticket") });
    expect(protectedHeader.jwk?.x).toBe(Buffer.from(key.publicKey).toString("base64url"));
    expect(await keyThumbprint(key.publicKey)).toMatch(/^[\w-]{43}$/);
  });

  it("with a key alone proves it without a ticket, anew each time", async () => {
    await http.send({ method: "GET", url: `${origin}/x`, credentials: { key } });
    await http.send({ method: "GET", url: `${origin}/x`, credentials: { key } });
    const proofs = seen.map(({ headers }) => headers.dpop as string);
    expect(proofs[0]).not.toBe(proofs[1]);
    const { payload } = await jwtVerify(proofs[0] as string, EmbeddedJWK);
    expect(payload).not.toHaveProperty("ath");
    expect(seen[0]?.headers).not.toHaveProperty("authorization");
  });
});

describe("an answer that is an error", () => {
  it("becomes the error it was, with its details and the status of the answer", async () => {
    answer = problem(
      429,
      "application/problem+json",
      JSON.stringify({
        type: "about:blank",
        title: "Too Many Requests",
        status: 200,
        detail: "Wait a little.",
        instance: "/x",
        code: "RATE_LIMITED",
        retryAfterSeconds: 7,
      }),
    );
    await expect(get()).rejects.toMatchObject({
      name: "MedcloudletError",
      code: "RATE_LIMITED",
      message: "Wait a little.",
      status: 429,
      details: { retryAfterSeconds: 7 },
    });
    await expect(get()).rejects.not.toHaveProperty("details.title");
  });

  it.each([
    ["HTML", 502, "<h1>Bad gateway</h1>"],
    ["nothing", 500, ""],
    ["null", 500, "null"],
    ["a list", 500, "[]"],
    ["an object of another kind", 404, '{"error":"not found"}'],
    ["a problem whose code is no text", 400, '{"code":7,"detail":"x"}'],
    ["a problem without a detail", 400, '{"code":"X"}'],
    ["half a JSON text", 500, '{"code":"X","det'],
  ])("of %s says that the service answered with something else", async (_, status, body) => {
    answer = problem(status, "application/problem+json", body);
    await expect(get()).rejects.toMatchObject({ code: "SERVICE_RESPONSE", status, details: {} });
  });

  it("of a redirect is not followed: it would carry the credentials elsewhere", async () => {
    answer = (response) => {
      response.writeHead(307, { Location: `${origin}/elsewhere` }).end();
    };
    const request = { method: "GET", url: `${origin}/x`, credentials: { session: "abc" } } as const;
    await expect(http.send(request)).rejects.toMatchObject({ code: "SERVICE_UNREACHABLE" });
    expect(seen.map(({ url }) => url)).toEqual(["/x"]);
  });
});

describe("an answer that is none", () => {
  it("is said to be none when nobody listens there", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await expect(
      http.send({ method: "GET", url: `http://127.0.0.1:${port}/secret/path?token=1` }),
    ).rejects.toMatchObject({
      code: "SERVICE_UNREACHABLE",
      status: 503,
      message: expect.not.stringContaining("secret"),
    });
  });

  it("is said to be none when the connection breaks, or the caller gives up", async () => {
    answer = (response) => response.socket?.destroy();
    await expect(get()).rejects.toMatchObject({ code: "SERVICE_UNREACHABLE" });
    answer = () => {};
    const signal = AbortSignal.timeout(50);
    await expect(http.send({ method: "GET", url: `${origin}/x`, signal })).rejects.toMatchObject({
      code: "SERVICE_UNREACHABLE",
    });
  });

  it.each([
    ["is not JSON", "fine"],
    ["is empty", ""],
    ["breaks off", '{"fine":'],
  ])("where the body %s is said to be none of JSON", async (_, body) => {
    answer = (response) => response.end(body);
    await expect(get()).rejects.toMatchObject({ code: "SERVICE_RESPONSE", status: 502 });
  });

  it("that never ends is cut off before it fills the memory", async () => {
    let sent = 0;
    answer = (response) => {
      const chunk = Buffer.alloc(1024 * 1024);
      const more = (): void => {
        while (!response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            response.once("drain", more);
            return;
          }
        }
      };
      more();
    };
    await expect(get()).rejects.toMatchObject({ code: "SERVICE_RESPONSE", status: 502 });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it("where the connection breaks inside the body is said to be none", async () => {
    answer = (response) => {
      response.writeHead(200, { "Content-Length": "100" });
      response.write('{"fine":', () => response.socket?.destroy());
    };
    await expect(get()).rejects.toMatchObject({ code: "SERVICE_UNREACHABLE", status: 503 });
  });
});
