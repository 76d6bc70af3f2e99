import { randomUUID } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEmbeddedStore, type Store } from "../../host/store/index.ts";
import { createMongoStore } from "../../host/store/mongo-store.ts";
import { type Guarantee, lackingAt } from "./guarantees.ts";

/** One kind of store to run a suite on. */
export interface Backend {
  readonly name: string;
  /** The environment that makes a service process choose this backend. */
  readonly env: Readonly<Record<string, string>>;
  open(service: string): Promise<Store>;
  /** What this server is known not to keep. */
  lacks(): Promise<ReadonlySet<Guarantee>>;
}

function embedded(): Backend {
  return {
    name: "embedded",
    env: {},
    open: async () => createEmbeddedStore({ directory: await mkdtemp(join(tmpdir(), "medcloudlet-")) }),
    lacks: async () => new Set(),
  };
}

function mongodb(url: string): Backend {
  const run = randomUUID().slice(0, 8);
  return {
    name: "mongodb",
    env: { MONGODB_URL: url },
    open: async (service) =>
      createMongoStore({ url, database: `test_${run}_${service}_${randomUUID().slice(0, 4)}` }),
    lacks: () => lackingAt(url),
  };
}

/**
 * The stores of this machine: the embedded one always, MongoDB where `MONGODB_URL` names a server. A missing
 * server is said aloud here and is a failure of the store's own contract suite in CI.
 */
export function backends(): Backend[] {
  const url = process.env.MONGODB_URL;
  return url === undefined || url === "" ? [embedded()] : [embedded(), mongodb(url)];
}

/**
 * For suites that go through every combination there is, and ask the store nothing that shorter suites do not: on one
 * store as a rule, on all with `npm run test:long`.
 */
export function backendsOfLongRuns(): Backend[] {
  return process.env.MEDCLOUDLET_LONG_TESTS === "1" ? backends() : [embedded()];
}
