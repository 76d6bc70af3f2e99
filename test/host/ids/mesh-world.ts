import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import { type Clock, randomBytes, toBase64Url, toHex } from "../../../host/base/index.ts";
import { createHttpClient } from "../../../host/client/index.ts";
import { createLog, createServiceApp, type Log } from "../../../host/http/index.ts";
import { createProofVerifier, createRoutes } from "../../../host/identity/index.ts";
import type { Member, SharedAlert } from "../../../host/ids/index.ts";
import {
  addMeshRoutes,
  createMesh,
  type Mesh,
  type MeshSettings,
  type Roster,
  signRoster,
} from "../../../host/ids/mesh/index.ts";
import { generateSigningSeed, importSigningKey, type SigningKey } from "../../../host/sealing/index.ts";
import type { Store } from "../../../host/store/index.ts";
import type { Backend } from "../../support/stores.ts";
import { createTestClock } from "../../support/system.ts";

/** One member with its routes on a loopback port. */
export interface Node {
  readonly id: string;
  readonly key: SigningKey;
  readonly store: Store;
  readonly mesh: Mesh;
  readonly heard: SharedAlert[];
  readonly rosters: Roster[];
  url: string;
  /** Takes it off the net, and puts it on again at the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** The same member after a restart: another process with the same store. */
  restarted(): Promise<Mesh>;
  stop(): Promise<void>;
}

export interface MeshWorld {
  readonly clock: Clock & { advance(ms: number): void };
  readonly operator: SigningKey;
  readonly secret: ReturnType<typeof randomBytes>;
  readonly meshId: string;
  readonly nodes: readonly Node[];
  readonly lines: string[];
  member(i: number): Member;
  roster(members: readonly Member[], version: number, more?: Partial<Roster>): Promise<string>;
  stop(): Promise<void>;
}

/** Alerts that one member may tell at once here. */
export const BURST = 200;

export const seedKey = async () => importSigningKey(generateSigningSeed());

export async function startMesh(backend: Backend, count: number): Promise<MeshWorld> {
  const clock = createTestClock();
  const operator = await seedKey();
  const secret = randomBytes(32);
  const meshId = toHex(randomBytes(16));
  const lines: string[] = [];
  const log: Log = createLog({
    service: "mesh",
    level: "debug",
    destination: { write: (line) => void lines.push(line) },
  });
  const http = createHttpClient({ clock });
  const nodes: Node[] = [];
  for (let i = 0; i < count; i++) {
    nodes.push(await startNode(i));
  }

  async function startNode(i: number): Promise<Node> {
    const key = await seedKey();
    const store = await backend.open(`mesh-${i}`);
    const heard: SharedAlert[] = [];
    const rosters: Roster[] = [];
    let url = "";
    const settings: MeshSettings = {
      self: `cloudlet-${i}`,
      key,
      secret,
      anchors: [toBase64Url(operator.publicKey)],
    };
    const make = () =>
      createMesh({
        ...{ settings, store, clock, log, http },
        onAlert: (alert) => void heard.push(alert),
        onRoster: (roster) => void rosters.push(roster),
        random: () => 0,
        burst: BURST,
      });
    const mesh = await make();
    const routes = createRoutes({ proofs: createProofVerifier(clock), publicUrl: () => url });
    addMeshRoutes(routes, () => mesh);
    const { app } = createServiceApp({
      log,
      probes: [],
      rateLimit: { points: 1_000_000, seconds: 1 },
      routes,
    });
    let server = express().use(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    url = `http://127.0.0.1:${port}`;
    const down = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    return {
      ...{ id: settings.self, key, store, mesh, heard, rosters, url, down },
      async up() {
        server = express().use(app).listen(port, "127.0.0.1");
        await once(server, "listening");
      },
      restarted: make,
      async stop() {
        await mesh.stop();
        await down();
        await store.close();
      },
    };
  }

  return {
    ...{ clock, operator, secret, meshId, nodes, lines },
    member(i) {
      const { id, url, key } = nodes[i] as Node;
      return { id, operator: `clinic-${i}`, url, signingKey: toBase64Url(key.publicKey) };
    },
    roster: (members, version, more = {}) =>
      signRoster({ mesh: meshId, version, createdAt: clock.now(), members, ...more }, operator),
    async stop() {
      for (const node of nodes) {
        await node.stop();
      }
    },
  };
}
