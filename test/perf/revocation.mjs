// What a revocation costs with many readers left: one client, one KDC process, over HTTP on loopback; run after the
// build. node test/perf/revocation.mjs [--readers 1000] [--json]
// With MONGODB_URL the KDC keeps its data there, else in the embedded store.
//   --json  one object { node, cpu, store, readers, steps: [{ step, wallMs, clientCpuMs, kdcCpuMs, requests }] }
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import {
  createAccountClient,
  createHttpClient,
  createIdentity,
  createKdcClient,
  createOwner,
  personFingerprint,
} from "medcloudlet/client";
import { loadNtru } from "medcloudlet/ntru";
import { createSealingSuite } from "medcloudlet/sealing";
import { Secret, TOTP } from "otpauth";

const PASSWORD = "correct horse battery staple";
const DAY_MS = 24 * 60 * 60 * 1000;
/** How many doctors register and are shared with at once while the scene is set. */
const AT_ONCE = 8;
/** What one tick of /proc/PID/stat is on Linux. */
const TICK_MS = 10;

const { values: options } = parseArgs({
  options: { readers: { type: "string", default: "1000" }, json: { type: "boolean" } },
});
const readers = Number(options.readers);
const clock = { now: () => Date.now() };
const folder = await mkdtemp(join(tmpdir(), "medcloudlet-revocation-"));
const mongodb = (process.env.MONGODB_URL ?? "") !== "";
const note = (text) => process.stderr.isTTY && process.stderr.write(`${text}\n`);

const cli = resolve(import.meta.dirname, "../../build/host/cli/main.js");
const flags = ["--json", "--log-level", "error", "--port", "0", "--data-dir", folder];
const kdc = spawn(process.execPath, [cli, "serve", "kdc", ...flags], {
  env: {
    ...process.env,
    MEDCLOUDLET_RATE_LIMIT: "1000000",
    MEDCLOUDLET_DATABASE_PREFIX: `revocation_${process.pid}`,
  },
  stdio: ["ignore", "pipe", "inherit"],
});
const firstLine = await new Promise((done) => createInterface({ input: kdc.stdout }).once("line", done));
const { url } = JSON.parse(firstLine);

/** CPU milliseconds of the KDC so far; null where there is no /proc. */
async function kdcCpu() {
  const stat = await readFile(`/proc/${kdc.pid}/stat`, "utf8").catch(() => null);
  if (stat === null) {
    return null;
  }
  const [user, system] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13);
  return (Number(user) + Number(system)) * TICK_MS;
}

let requests = 0;
const http = createHttpClient({
  clock,
  fetch: (target, init) => {
    requests++;
    return fetch(target, init);
  },
});
const client = createKdcClient({ http, url });
const suite = createSealingSuite(await loadNtru("ntruhps2048677"));

async function register(invitation, handle) {
  const { keys, statement: identity } = await createIdentity(suite, clock);
  await client.register({ invitation, handle, password: PASSWORD, identity });
  return keys;
}

async function measured(step, work) {
  const [wall, cpu, kdcBefore, requestsBefore] = [
    performance.now(),
    process.cpuUsage(),
    await kdcCpu(),
    requests,
  ];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  const kdcAfter = await kdcCpu();
  return {
    step,
    wallMs: Math.round(performance.now() - wall),
    clientCpuMs: Math.round((user + system) / 1000),
    kdcCpuMs: kdcAfter === null ? null : kdcAfter - kdcBefore,
    requests: requests - requestsBefore,
  };
}

try {
  const invitation = await readFile(join(folder, "kdc", "first-operator-invitation"), "utf8");
  await register(invitation.trim(), "operator");
  const operator = await client.login("operator", PASSWORD);
  // Staff do nothing without a second factor.
  const account = createAccountClient(operator);
  const { secret } = await account.proposeSecondFactor({ password: PASSWORD });
  await account.confirmSecondFactor(new TOTP({ secret: Secret.fromBase32(secret) }).generate());
  const invite = async (role) => (await operator.invite(role)).code;
  const keys = await register(await invite("patient"), "quiet-otter");
  const session = await client.login("quiet-otter", PASSWORD);
  const owner = createOwner({
    ...{ suite, clock, session, keys, name: "Ada Quillfeather", epochs: [] },
    keepEpochs: async () => {},
  });
  await owner.startEpoch("medical");

  note(`registering ${readers + 1} doctors and sharing with each`);
  const consents = [];
  for (let i = 0; i <= readers; i += AT_ONCE) {
    const group = Array.from({ length: Math.min(AT_ONCE, readers + 1 - i) }, (_, k) => `dr-${i + k}`);
    consents.push(
      ...(await Promise.all(
        group.map(async (handle) => {
          const theirs = await register(await invite("doctor"), handle);
          return owner.share({
            reader: handle,
            expectedFingerprint: personFingerprint(theirs),
            regions: ["medical"],
            purpose: "treatment",
            from: clock.now(),
            until: clock.now() + DAY_MS,
          });
        }),
      )),
    );
  }

  const steps = [];
  const revoked = consents.splice(Math.floor(readers / 2), 1)[0];
  let caughtUp;
  steps.push(
    await measured("revoke, with the new epoch and every key", async () => {
      caughtUp = await owner.revoke(revoked.consentId);
    }),
  );
  if (caughtUp.wrapped !== readers) {
    throw new Error(`${caughtUp.wrapped} keys were wrapped instead of ${readers}`);
  }
  steps.push(await measured("catch up, nothing left to do", () => owner.catchUp()));
  const report = {
    node: process.versions.node,
    cpu: cpus()[0]?.model ?? "unknown",
    store: mongodb ? "MongoDB" : "embedded",
    readers,
    steps,
  };
  if (options.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
  } else {
    process.stdout.write(`Node ${report.node}, ${report.cpu}, ${report.store} store, ${readers} readers\n`);
    for (const { step, wallMs, clientCpuMs, kdcCpuMs, requests: made } of steps) {
      process.stdout.write(
        `  ${step}: ${wallMs} ms, ${made} requests; CPU: client ${clientCpuMs} ms, KDC ${kdcCpuMs ?? "?"} ms\n`,
      );
    }
  }
} finally {
  kdc.kill("SIGTERM");
  await new Promise((done) => kdc.once("exit", done));
  await rm(folder, { recursive: true, force: true });
}
