import { readFile, writeFile } from "node:fs/promises";
import type { Express } from "express";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { isMedcloudletError } from "../../../host/base/index.ts";
import { createHttpClient } from "../../../host/client/index.ts";
import { POLICY, type Relation, relationsFor } from "../../../host/identity/index.ts";
import { backendsOfLongRuns } from "../../support/stores.ts";
import { type System, startSystem } from "../../support/system.ts";
import { strangerKey, wearerOf } from "../http/attack.ts";
import { type Owned, SAMPLES, type World } from "./policy-samples.ts";
import { policyDocument } from "./policy-table.ts";
import { type Caller, createWorld, endpointsOf, type ServiceEndpoint } from "./policy-world.ts";

/** The routes that Express really has under `/v1`, however they got there. */
function mountedRoutes(app: Express): string[] {
  interface Layer {
    readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
    readonly handle: { readonly stack?: readonly Layer[] };
  }
  const found: string[] = [];
  const visit = (layers: readonly Layer[]) => {
    for (const { route, handle } of layers) {
      if (route !== undefined) {
        found.push(...Object.keys(route.methods).map((method) => `${method} ${route.path}`));
      }
      visit(handle.stack ?? []);
    }
  };
  visit((app.router as unknown as { stack: readonly Layer[] }).stack);
  return found.filter((route) => !/^get \/(livez|readyz)$/.test(route)).sort();
}

describe.each(backendsOfLongRuns())("the policy, on the $name store", (backend) => {
  let system: System;
  let world: World;
  let callers: Caller[];
  let endpoints: ServiceEndpoint[];

  beforeAll(async () => {
    system = await startSystem(backend);
    ({ world, callers } = await createWorld(system));
    endpoints = endpointsOf(system, world.research);
  });
  afterAll(async () => {
    await world?.research.desk.running.close();
    await system?.stop();
  });

  /** "allowed", or the code and status it was refused with. */
  const ask = async (
    endpoint: ServiceEndpoint,
    caller: Caller,
    target: Owned,
    relation: Relation = "own",
  ): Promise<"allowed" | { readonly code: string; readonly status: number }> => {
    const {
      path = endpoint.path,
      key,
      passes = [],
      ...rest
    } = await SAMPLES[endpoint.action](world, target, caller.person, relation);
    const method = endpoint.method.toUpperCase() as "GET" | "POST" | "PUT" | "DELETE";
    const controller = new AbortController();
    try {
      if (caller.person !== null && endpoint.service === "kdc") {
        const request = { method, path, ...(key === undefined ? {} : { key }), ...rest };
        await caller.person.session.call(z.unknown(), request);
      } else {
        const { signal } = controller;
        const at = endpoint.service === "research" ? world.research.desk.running : system[endpoint.service];
        const response = await createHttpClient({ clock: system.clock }).send({
          method,
          url: `${at.url}/v1${path}`,
          ...(caller.credentials === undefined ? {} : { credentials: caller.credentials }),
          ...rest,
          signal,
        });
        expect(response.status).toBeLessThan(300);
      }
      return "allowed";
    } catch (error) {
      if (isMedcloudletError(error)) {
        if (passes.includes(error.code)) {
          return "allowed";
        }
        return { code: error.code, status: error.status };
      }
      throw error;
    } finally {
      controller.abort();
    }
  };

  it("knows every route that the services have, and has no rule for one that they have not", () => {
    const { service } = world.research.desk;
    for (const { app, endpoints: declared } of [...Object.values(system.services), service]) {
      expect(mountedRoutes(app)).toEqual(declared.map(({ method, path }) => `${method} ${path}`).sort());
    }
    expect([...new Set(endpoints.map(({ action }) => action))].sort()).toEqual(Object.keys(POLICY).sort());
  });

  it("stands in docs/POLICY.md as it is (write it anew with UPDATE_DOCS=1)", async () => {
    const file = new URL("../../../docs/POLICY.md", import.meta.url);
    if (process.env.UPDATE_DOCS === "1") {
      await writeFile(file, policyDocument());
    }
    expect(await readFile(file, "utf8")).toBe(policyDocument());
  });

  it("is what happens: every route, as everybody, to their own, a granted and a foreign object", async () => {
    const tried: string[] = [];
    const wrong: string[] = [];
    for (const endpoint of endpoints) {
      const { action, objectLevel } = endpoint;
      // Closing a session would end the caller's part in the play: it comes last, below.
      if (action === "session.close") {
        continue;
      }
      for (const caller of callers) {
        const isSession = POLICY[action].by === "session";
        const named = isSession && objectLevel ? (relationsFor(action, caller.name) ?? []) : [];
        const relations = new Set<Relation>(["own", ...named]);
        if (objectLevel) {
          relations.add("other");
        }
        for (const relation of relations) {
          // What is Ada's is nobody else's own.
          const { ada, bo, cy } = world;
          const target = { own: ada, granted: cy, emergency: ada, trustee: ada, other: bo }[relation];
          const allowed = relationsFor(action, caller.name)?.includes(relation) ?? false;
          // The only cloudlet and the only peer have no other to be taken for; a stranger's key is tried below.
          if (["ticket.forward", "mesh.tell", "mesh.catch-up"].includes(action) && relation === "other") {
            continue;
          }
          const outcome = await ask(endpoint, caller, target, relation);
          const name = `${action} as ${caller.name} to ${relation}`;
          tried.push(name);
          const refused = outcome !== "allowed" && [401, 403, 404].includes(outcome.status);
          if (allowed ? outcome !== "allowed" : !refused) {
            wrong.push(`${name}: ${JSON.stringify(outcome)}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(tried.length).toBeGreaterThan(250);
  }, 240_000);

  it("lets nobody act with another's signed statement", async () => {
    const { patient: thief } = await wearerOf(system, "thief");
    for (const endpoint of endpoints) {
      if (
        ![
          "device.enrol",
          "device.revoke",
          "epoch.publish",
          "consent.give",
          "consent.revoke",
          "key.store",
          "emergency.prepare",
          "record.publish",
        ].includes(endpoint.action)
      ) {
        continue;
      }
      const caller = { name: "patient", person: thief, credentials: undefined };
      const outcome = await ask(endpoint, caller, world.ada);
      expect(outcome, endpoint.action).toMatchObject({ code: "STATEMENT_INVALID" });
    }
  });

  it("gives machines' tickets to the machine's own key alone", async () => {
    for (const action of ["ticket.upload", "ticket.forward", "mesh.tell", "mesh.catch-up"] as const) {
      const endpoint = endpoints.find((candidate) => candidate.action === action);
      const stranger = { name: "stranger", person: null, credentials: { key: await strangerKey() } };
      const outcome = await ask(endpoint as ServiceEndpoint, stranger, world.ada);
      expect(outcome, action).toMatchObject({ status: 403 });
    }
  });

  it("lets everybody close their own session, and no machine", async () => {
    const endpoint = endpoints.find(({ action }) => action === "session.close") as ServiceEndpoint;
    for (const caller of callers) {
      const outcome = await ask(endpoint, caller, world.ada);
      const allowed = relationsFor("session.close", caller.name) !== undefined;
      expect(allowed ? outcome : outcome !== "allowed", caller.name).toEqual(allowed ? "allowed" : true);
    }
  });
});
