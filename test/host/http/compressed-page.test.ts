import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import express from "express";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { servePage } from "../../../host/http/page.ts";

const SCRIPT = "export const told = 'the same again and again';\n".repeat(200);

describe("the files of the page", () => {
  let server: Server;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "medcloudlet-page-"));
    const directory = join(folder, "web");
    await mkdir(join(directory, "assets"), { recursive: true });
    await writeFile(join(directory, "index.html"), "<!doctype html>");
    await writeFile(join(directory, "assets", "index-abcdefgh.js"), SCRIPT);
    await writeFile(join(directory, "assets", "kem-abcdefgh.wasm"), Buffer.alloc(2000));
    await writeFile(join(folder, "secret.js"), "secret");
    const app = express();
    app.use(servePage({ directory, settings: {}, connectTo: [], log: { warn() {} } }));
    server = await new Promise((done) => {
      const listening: Server = app.listen(0, "127.0.0.1", () => done(listening));
    });
  });
  afterAll(async () => {
    server?.close();
    await rm(folder, { recursive: true });
  });

  // Not `fetch`: it takes the path's dots out and the compression off.
  const ask = async (
    path: string,
    encodings: string,
    more: Record<string, string> = {},
  ): Promise<{ answer: IncomingMessage; body: Buffer }> => {
    const { port } = server.address() as AddressInfo;
    const headers = { "Accept-Encoding": encodings, ...more };
    const answer = await new Promise<IncomingMessage>((done, fail) => {
      get({ host: "127.0.0.1", port, path, headers }, done).on("error", fail);
    });
    return { answer, body: await buffer(answer) };
  };

  it("are sent compressed to whoever takes that, and may be kept for ever", async () => {
    for (const [encodings, encoding, open] of [
      ["gzip", "gzip", gunzipSync],
      ["gzip, deflate, br", "br", brotliDecompressSync],
    ] as const) {
      const { answer, body } = await ask("/assets/index-abcdefgh.js", encodings);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers).toMatchObject({
        "content-encoding": encoding,
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": "public, max-age=31536000, immutable",
        vary: "Accept-Encoding",
      });
      expect(body.length).toBeLessThan(SCRIPT.length / 10);
      expect(open(body).toString()).toBe(SCRIPT);
    }
    const { headers } = (await ask("/assets/kem-abcdefgh.wasm", "gzip")).answer;
    expect(headers).toMatchObject({ "content-type": "application/wasm", "content-encoding": "gzip" });
  });

  it("are sent as they are to everybody else, under the same conditions", async () => {
    for (const encodings of ["identity", "", "gzip;q=0"]) {
      const { answer, body } = await ask("/assets/index-abcdefgh.js", encodings);
      expect(answer.headers["content-encoding"]).toBeUndefined();
      expect(answer.headers).toMatchObject({
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": "public, max-age=31536000, immutable",
        vary: "Accept-Encoding",
      });
      expect(body.toString()).toBe(SCRIPT);
    }
  });

  it("are sent whole, though a part is asked for: no range of them is what a range of the answer would be", async () => {
    const { answer, body } = await ask("/assets/index-abcdefgh.js", "gzip", { Range: "bytes=0-99" });
    expect(answer.statusCode).toBe(200);
    expect(gunzipSync(body).toString()).toBe(SCRIPT);
  });

  it("are those of the folder, and no others", async () => {
    for (const path of ["none.js", "../../secret.js", "..%2f..%2fsecret.js", ".js", "index-abcdefgh.js/"]) {
      const { answer, body } = await ask(`/assets/${path}`, "gzip");
      expect(answer.statusCode, path).toBeGreaterThanOrEqual(400);
      expect(body.toString(), path).not.toBe("secret");
    }
  });
});
