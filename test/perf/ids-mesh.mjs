// What the engine and the mesh of the intrusion detection cost: CPU per event and per alert, and how long an alert takes
// from one member to the last of its peers over loopback HTTP.
// `node test/perf/ids-mesh.mjs [events] [alerts]` after `npm run build`.
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import { createRandom, randomBytes, systemClock, toBase64Url, toHex } from "../../build/host/base/index.js";
import { createHttpClient } from "../../build/host/client/index.js";
import { createLog } from "../../build/host/http/index.js";
import { createProofVerifier, createRoutes } from "../../build/host/identity/index.js";
import {
  createEngine,
  DEFAULT_ENGINE_SETTINGS,
  logLine,
  pseudonymEpoch,
  SCENARIOS,
  scenarioHash,
} from "../../build/host/ids/index.js";
import {
  addMeshRoutes,
  createMesh,
  createMeshPseudonyms,
  signRoster,
} from "../../build/host/ids/mesh/index.js";
import { generateSigningSeed, importSigningKey } from "../../build/host/sealing/index.js";
import { createEmbeddedStore } from "../../build/host/store/index.js";

const EVENTS = Number(process.argv[2] ?? 200_000);
const ALERTS = Number(process.argv[3] ?? 200);
const START = Date.UTC(2026, 0, 5, 8);
const random = createRandom(1, 1);
const scanner = SCENARIOS.find(({ id }) => id === "scanner");
const hash = scenarioHash(scanner);
const name = () => toBase64Url(randomBytes(16));

/** Microseconds of CPU (user and system) for each of `count` steps. */
const cpuOf = (count, step) => {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    step(i);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
};
const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
const member = (i, key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo") => ({
  ...{ id: `m-${i}`, operator: `o-${i}`, url: `http://127.0.0.1:${7000 + i}`, signingKey: key },
});
const engineOf = (size) => {
  const engine = createEngine();
  engine.observe({ kind: "settings", at: START, settings: DEFAULT_ENGINE_SETTINGS });
  const members = Array.from({ length: size }, (_, i) => member(i));
  engine.observe({ kind: "roster", at: START, self: "m-0", members });
  return engine;
};
const alertOf = (from, shared, now) => ({
  id: toHex(randomBytes(16)),
  member: `m-${from}`,
  epoch: pseudonymEpoch(now),
  subject: { kind: "source", shared },
  rule: scanner.id,
  ruleHash: hash,
  ...{ score: 0.9, count: 11, from: now - 1000, to: now },
});

const rows = [];

// An ordinary service: a thousand places, mostly uploads and reads, now and then a miss.
{
  const places = Array.from({ length: 1000 }, (_, i) => ({ local: `place-${i}`, shared: name() }));
  const kinds = ["upload", "upload", "upload", "record-read", "request", "request", "lookup-missed"];
  const observations = Array.from({ length: EVENTS }, (_, i) => {
    const place = places[Math.floor(random.uniform() * places.length)];
    const kind = kinds[Math.floor(random.uniform() * kinds.length)];
    const at = START + i * 5;
    const device = kind === "upload" ? { device: `device-of-${place.local}`, amount: 60, site: "here" } : {};
    return {
      kind: "event",
      at,
      event: { at, kind, source: place.local, status: 200, route: "/v1/x", target: `t-${i % 50}`, ...device },
      shared: { source: place.shared, ...("device" in device ? { device: place.shared } : {}) },
    };
  });
  const engine = engineOf(5);
  for (const observation of observations.slice(0, 5000)) {
    engine.observe(observation);
  }
  const cost = cpuOf(EVENTS - 5000, (i) => engine.observe(observations[i + 5000]));
  rows.push(["engine: one event, µs of CPU (1,000 places, nobody warned of)", cost.toFixed(1)]);
  rows.push(["engine: events a second on one core", Math.round(1e6 / cost).toLocaleString("en")]);
  const nothing = { alerts: [], share: [], decisions: [], ended: [] };
  rows.push(["a line of the log, µs", cpuOf(50_000, (i) => logLine(observations[i], nothing)).toFixed(1)]);
}

for (const size of [5, 32]) {
  const engine = engineOf(size);
  const alerts = Array.from({ length: 40_000 }, (_, i) => alertOf(1 + (i % (size - 1)), name(), START + i));
  const cost = cpuOf(alerts.length, (i) =>
    engine.observe({ kind: "heard", at: START + i, alert: alerts[i] }),
  );
  rows.push([`engine: one peer's alert, µs of CPU (${size} members)`, cost.toFixed(1)]);
  rows.push([
    `engine: alerts a second on one core (${size} members)`,
    Math.round(1e6 / cost).toLocaleString("en"),
  ]);
  // Somebody of whom one peer warned: each event weighs the votes anew.
  const shared = name();
  const at = START + 100_000;
  engine.observe({ kind: "heard", at, alert: alertOf(1, shared, at) });
  const event = { at, kind: "request", source: "warned", status: 200 };
  const weighed = cpuOf(20_000, (i) =>
    engine.observe({
      kind: "event",
      at: at + i,
      event: { ...event, at: at + i },
      shared: { source: shared },
    }),
  );
  rows.push([`engine: one event of somebody warned of, µs of CPU (${size} members)`, weighed.toFixed(1)]);
}

{
  const pseudonyms = createMeshPseudonyms(randomBytes(32));
  const cost = cpuOf(100_000, (i) =>
    pseudonyms.now("source", `10.${i % 256}.${(i >> 8) % 256}.${i % 250}`, START),
  );
  rows.push(["pseudonym of a new address, µs of CPU", cost.toFixed(1)]);
}

// Five members over loopback HTTP, each with an embedded store that writes to disk before it answers.
{
  const log = createLog({ service: "perf", level: "silent" });
  const http = createHttpClient({ clock: systemClock });
  const operator = await importSigningKey(generateSigningSeed());
  const secret = randomBytes(32);
  const waiting = new Map();
  const nodes = [];
  for (let i = 0; i < 5; i++) {
    const key = await importSigningKey(generateSigningSeed());
    const store = createEmbeddedStore({ directory: await mkdtemp(join(tmpdir(), "medcloudlet-perf-")) });
    const mesh = await createMesh({
      settings: { self: `m-${i}`, key, secret, anchors: [toBase64Url(operator.publicKey)] },
      ...{ store, clock: systemClock, log, http },
      onAlert: ({ id }) => waiting.get(id)?.(),
      onRoster: () => {},
    });
    const node = { i, key, store, mesh, url: "" };
    const routes = createRoutes({ proofs: createProofVerifier(systemClock), publicUrl: () => node.url });
    addMeshRoutes(routes, () => mesh);
    node.server = express().use("/v1", routes.router).listen(0, "127.0.0.1");
    await once(node.server, "listening");
    node.url = `http://127.0.0.1:${node.server.address().port}`;
    nodes.push(node);
  }
  const members = nodes.map(({ i, key, url }) => ({ ...member(i, toBase64Url(key.publicKey)), url }));
  const roster = await signRoster({ mesh: "0".repeat(32), version: 1, createdAt: 1, members }, operator);
  for (const { mesh } of nodes) {
    await mesh.adopt(roster);
    await mesh.start();
  }
  const share = async () => {
    const alert = alertOf(0, name(), Date.now());
    let left = nodes.length - 1;
    const all = new Promise((resolve) => {
      waiting.set(alert.id, () => {
        left--;
        if (left === 0) {
          resolve();
        }
      });
    });
    const begin = performance.now();
    await nodes[0].mesh.share(alert);
    await all;
    return performance.now() - begin;
  };
  for (let i = 0; i < 20; i++) {
    await share();
  }
  const before = process.cpuUsage();
  const times = [];
  for (let i = 0; i < ALERTS; i++) {
    times.push(await share());
  }
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  rows.push([
    "gossip: from one member to the last of four peers, ms, median, 95th, 99th percentile",
    [0.5, 0.95, 0.99].map((part) => quantile(times, part).toFixed(1)).join(", "),
  ]);
  rows.push([
    "gossip: CPU for all five members together, ms an alert",
    ((user + system) / 1000 / ALERTS).toFixed(1),
  ]);
  const begin = performance.now();
  const many = Math.min(600, ALERTS * 3);
  await Promise.all(Array.from({ length: many }, share));
  rows.push([
    `gossip: ${many} alerts at once, alerts a second at four peers`,
    ((many * 1000) / (performance.now() - begin)).toFixed(0),
  ]);
  for (const { mesh, server, store } of nodes) {
    await mesh.stop();
    server.closeAllConnections();
    server.close();
    await store.close();
  }
}

for (const [what, value] of rows) {
  process.stdout.write(`| ${what} | ${value} |\n`);
}
process.exit(0);
