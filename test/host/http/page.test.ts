import { mkdtemp, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { servePage } from "../../../host/http/page.ts";

describe("reports of breaches of the page's policy", () => {
  let server: Server;
  let url: string;
  const lines: unknown[] = [];

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), "medcloudlet-page-"));
    await writeFile(join(directory, "index.html"), "<!doctype html>");
    const app = express();
    const log = { warn: (line: unknown) => lines.push(line) };
    app.use(servePage({ directory, settings: {}, connectTo: [], log: log as never }));
    server = await new Promise((done) => {
      const listening: Server = app.listen(0, "127.0.0.1", () => done(listening));
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server?.close());
  beforeEach(() => {
    lines.length = 0;
  });

  const report = (body: string, type = "application/csp-report") =>
    fetch(`${url}/csp-reports`, { method: "POST", headers: { "Content-Type": type }, body });

  it("leave the rule and the origin in the log, and nothing that an address carries along", async () => {
    const { status } = await report(
      JSON.stringify({
        "csp-report": {
          "document-uri": "http://kdc.example/#login=secret",
          "effective-directive": 'connect-src\n{"level":"fatal"}',
          "blocked-uri": "https://evil.example/steal?token=secret",
        },
      }),
    );
    expect(status).toBe(204);
    expect(lines).toEqual([
      { event: "csp_violation", directive: "connect-srclevelfatal", origin: "https://evil.example" },
    ]);
  });

  it("that are none leave nothing", async () => {
    for (const body of ["{}", "[]", '{"csp-report":{"effective-directive":1,"blocked-uri":"x"}}']) {
      expect((await report(body)).status).toBe(204);
    }
    expect((await report("not json")).status).toBe(400);
    expect((await report(`{"csp-report":"${"x".repeat(10_000)}"}`)).status).toBe(413);
    expect((await report("{}", "text/plain")).status).toBe(204);
    expect(lines).toEqual([]);
  });

  it("are taken a few a minute from one address", async () => {
    const statuses = [];
    for (let i = 0; i < 25; i++) {
      statuses.push((await report("{}").catch(() => ({ status: 0 }))).status);
    }
    expect(statuses.filter((status) => status !== 204).length).toBeGreaterThan(0);
  });
});
