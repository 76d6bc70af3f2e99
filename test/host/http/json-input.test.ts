import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { relationsFor } from "../../../host/identity/index.ts";
import { createProof, type SigningKey } from "../../../host/sealing/index.ts";
import { backendsOfLongRuns } from "../../support/stores.ts";
import { type System, startSystem } from "../../support/system.ts";
import { SAMPLES } from "../identity/policy-samples.ts";
import { type Caller, createWorld, endpointsOf } from "../identity/policy-world.ts";
import { expectProblem, leavesNoTrace } from "./attack.ts";

interface JsonRoute {
  readonly method: string;
  readonly path: string;
  /** A body that the route understands. */
  readonly valid: Readonly<Record<string, unknown>>;
  /** A session's bearer token, where the route needs one. */
  readonly token?: string;
  readonly ticket?: string;
  /** Asks with a proof of this key. */
  readonly key?: SigningKey;
}

/** What an attacker puts where a string belongs. */
const NOT_STRINGS: readonly unknown[] = [
  { $gt: "" },
  { $ne: null },
  { $regex: ".*" },
  { $where: "sleep(1000)" },
  [],
  ["a"],
  [{ $gt: "" }],
  {},
  null,
  true,
  0,
];

const kindOf = (value: unknown) => (Array.isArray(value) ? "list" : typeof value);

describe.each(backendsOfLongRuns())(
  "JSON that strangers and members send to the KDC on the $name store",
  (backend) => {
    let system: System;
    let routes: JsonRoute[];

    const post = async (
      { method, path, token, ticket, key }: JsonRoute,
      body: string,
      type = "application/json",
    ): Promise<Response> => {
      const url = `${system.kdc.url}/v1${path}`;
      const headers: Record<string, string> = { "Content-Type": type };
      if (token !== undefined) {
        headers.Authorization = `Bearer ${token}`;
      }
      if (ticket !== undefined) {
        headers.Authorization = `DPoP ${ticket}`;
      }
      if (key !== undefined) {
        const about = { key, method, url, clock: system.clock };
        headers.DPoP = await createProof(ticket === undefined ? about : { ...about, ticket });
      }
      return fetch(url, { method, headers, body });
    };

    // Every route of the KDC that takes JSON, as somebody whom the policy lets through, with a valid body.
    beforeAll(async () => {
      system = await startSystem(backend);
      const { world, callers } = await createWorld(system);
      const endpoints = endpointsOf(system).filter(
        ({ service, takesJson }) => service === "kdc" && takesJson,
      );
      routes = [];
      // One after the other: several samples prepare the same epoch for an emergency.
      for (const { action, method, path } of endpoints) {
        const caller = callers.find(({ name }) => relationsFor(action, name) !== undefined) as Caller;
        const sample = await SAMPLES[action](world, world.ada, caller.person, "own");
        const { credentials } = caller;
        const key = credentials !== undefined && "key" in credentials ? credentials.key : sample.key;
        routes.push({
          method: method.toUpperCase(),
          path: sample.path ?? path,
          valid: sample.json as Record<string, unknown>,
          ...(caller.person === null ? {} : { token: caller.person.session.token }),
          ...(key === undefined ? {} : { key }),
          ...(credentials !== undefined && "ticket" in credentials ? { ticket: credentials.ticket } : {}),
        });
      }
    });
    afterAll(() => system?.stop());

    it("covers every route that takes any", () => {
      expect(routes.length).toBeGreaterThan(25);
      for (const { path, valid } of routes) {
        expect(Object.keys(valid).length, path).toBeGreaterThan(0);
      }
    });

    it("is refused with an operator, a list, a number or nothing in every field of every route", async () => {
      let tried = 0;
      await leavesNoTrace(system, async () => {
        for (const route of routes) {
          for (const field of Object.keys(route.valid)) {
            for (const value of NOT_STRINGS) {
              // Where a list or a yes or no belongs, another one may have the right form.
              if (kindOf(value) === kindOf(route.valid[field])) {
                continue;
              }
              const body = JSON.stringify({ ...route.valid, [field]: value });
              const problem = await expectProblem(await post(route, body), 400, "REQUEST_INVALID");
              expect(problem.errors, `${route.path} ${field}`).toEqual(
                expect.arrayContaining([
                  { path: expect.stringMatching(new RegExp(`^${field}`)), message: expect.any(String) },
                ]),
              );
              tried++;
            }
          }
        }
      });
      expect(tried).toBeGreaterThan(100);
    });

    it("is refused with a field too few, a field too many, and names that reach for the prototype", async () => {
      await leavesNoTrace(system, async () => {
        for (const route of routes) {
          const text = JSON.stringify(route.valid).slice(1, -1);
          await expectProblem(await post(route, "{}"), 400, "REQUEST_INVALID");
          for (const extra of [
            '"admin":true',
            '"__proto__":{"role":"operator"}',
            '"constructor":{"prototype":{"role":"operator"}}',
            '"$set":{"role":"operator"}',
            '"":1',
          ]) {
            const problem = await expectProblem(
              await post(route, `{${text},${extra}}`),
              400,
              "REQUEST_INVALID",
            );
            expect(JSON.stringify(problem.errors), route.path).toMatch(/[Uu]nrecognized/);
          }
        }
      });
      expect(({} as Record<string, unknown>).role).toBeUndefined();
    });

    it("is refused when it is no object, or no JSON at all", async () => {
      await leavesNoTrace(system, async () => {
        for (const route of routes) {
          for (const body of ["[]", `[${JSON.stringify(route.valid)}]`]) {
            await expectProblem(await post(route, body), 400, "REQUEST_INVALID");
          }
          for (const body of ["null", '"text"', "12", "{", '{"a":1}}', "{'a':1}", "\u0000", "NaN"]) {
            await expectProblem(await post(route, body), 400, "REQUEST_MALFORMED");
          }
        }
      });
    });

    it("is refused when it is nested a hundred thousand deep, without trouble for the service", async () => {
      const depth = 100_000;
      for (const route of routes) {
        const deepList = `{"handle":${"[".repeat(depth)}${"]".repeat(depth)}}`;
        await expectProblem(await post(route, deepList), 400, "REQUEST_INVALID");
        const deepObject = `${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}`;
        await expectProblem(await post(route, deepObject), 400, "REQUEST_INVALID");
      }
      expect((await fetch(`${system.kdc.url}/readyz`)).status).toBe(200);
    });

    it("is refused when it is ten megabytes, plain or deflated", async () => {
      const large = JSON.stringify({ handle: "a".repeat(10 * 1024 * 1024) });
      for (const route of routes) {
        await expectProblem(await post(route, large), 413, "REQUEST_TOO_LARGE");
      }
      const bomb = await fetch(`${system.kdc.url}/v1/sessions`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Content-Encoding": "gzip" },
        body: gzipSync(large),
      });
      await expectProblem(bomb, 413, "REQUEST_TOO_LARGE");
    });

    it("is refused under another content type or encoding", async () => {
      await leavesNoTrace(system, async () => {
        for (const route of routes) {
          const body = JSON.stringify(route.valid);
          for (const type of [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/octet-stream",
            "application/json; charset=iso-8859-1",
            "nonsense",
          ]) {
            await expectProblem(await post(route, body, type), 415, "REQUEST_MEDIA_TYPE");
          }
        }
        const encoded = await fetch(`${system.kdc.url}/v1/sessions`, {
          method: "POST",
          headers: { "Content-Type": "application/json", "Content-Encoding": "rot13" },
          body: "{}",
        });
        await expectProblem(encoded, 415, "REQUEST_MEDIA_TYPE");
      });
    });

    it("names every fault of a request at once and repeats no value of it", async () => {
      const body = { invitation: 7, handle: "NOT A HANDLE", password: "short-secret" };
      const route = routes.find(({ path }) => path === "/accounts") as JsonRoute;
      const problem = await expectProblem(await post(route, JSON.stringify(body)), 400, "REQUEST_INVALID");
      const errors = problem.errors as { path: string }[];
      expect(errors.map(({ path }) => path).sort()).toEqual(["handle", "identity", "invitation"]);
      expect(JSON.stringify(problem)).not.toMatch(/NOT A HANDLE|short-secret/);
    });
  },
);
