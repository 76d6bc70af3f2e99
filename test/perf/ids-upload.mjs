// What the intrusion detection adds to an upload's own CPU: two real cloudlet processes on loopback, one that watches and
// one that does not, get the same batches in turn. Run after the build.
// node test/perf/ids-upload.mjs [--rounds 30] [--uploads 50] [--json]
//   --json  one object { node, cpu, rounds, uploads, watched, unwatched, addedMicroseconds, addedPercent, interval }
// The cloud is not there, so that nothing but the upload is measured: forwarding would only make the share smaller.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
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
} from "medcloudlet/client";
import { loadNtru } from "medcloudlet/ntru";
import {
  createProof,
  createSealingSuite,
  EPOCH,
  generateSigningSeed,
  importSigningKey,
  sealBatch,
  verifyStatement,
} from "medcloudlet/sealing";
import { Secret, TOTP } from "otpauth";
import { median } from "./measure.mjs";

const PASSWORD = "correct horse battery staple";
const DAY_MS = 24 * 60 * 60 * 1000;
/** Until V8 has optimised what is measured: a cloudlet runs for months. */
const WARM_UP_ROUNDS = 100;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "30" },
    uploads: { type: "string", default: "50" },
    json: { type: "boolean" },
  },
});
const rounds = Number(options.rounds);
const uploads = Number(options.uploads);
const clock = { now: () => Date.now() };
const folder = await mkdtemp(join(tmpdir(), "medcloudlet-ids-upload-"));
const note = (text) => process.stderr.isTTY && process.stderr.write(`${text}\n`);
const cli = resolve(import.meta.dirname, "../../build/host/cli/main.js");
const running = [];

async function serve(name, where, environment = {}) {
  const flags = ["--json", "--log-level", "error", "--port", "0", "--data-dir", join(folder, where)];
  const child = spawn(process.execPath, [cli, "serve", name, ...flags], {
    env: { PATH: process.env.PATH, MEDCLOUDLET_RATE_LIMIT: "1000000", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.push(child);
  const line = await new Promise((done) => createInterface({ input: child.stdout }).once("line", done));
  return { pid: child.pid, url: JSON.parse(line).url };
}

/** CPU microseconds of a process so far, all its threads. */
async function cpuOf({ pid }) {
  let nanoseconds = 0;
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const stat = await readFile(`/proc/${pid}/task/${task}/schedstat`, "utf8").catch(() => "0");
    nanoseconds += Number(stat.split(" ")[0]);
  }
  return nanoseconds / 1000;
}

try {
  note("starting a KDC and two cloudlets …");
  const kdc = await serve("kdc", "kdc");
  const http = createHttpClient({ clock });
  const client = createKdcClient({ http, url: kdc.url });
  const suite = createSealingSuite(await loadNtru("ntruhps2048677"));
  const register = async (invitation, handle) => {
    const { keys, statement: identity } = await createIdentity(suite, clock);
    await client.register({ invitation, handle, password: PASSWORD, identity });
    return { keys, session: await client.login(handle, PASSWORD) };
  };
  const first = (await readFile(join(folder, "kdc", "kdc", "first-operator-invitation"), "utf8")).trim();
  const operator = (await register(first, "operator")).session;
  // Staff do nothing without a second factor.
  const account = createAccountClient(operator);
  const { secret } = await account.proposeSecondFactor({ password: PASSWORD });
  await account.confirmSecondFactor(new TOTP({ secret: Secret.fromBase32(secret) }).generate());
  const common = {
    MEDCLOUDLET_KDC_URL: kdc.url,
    MEDCLOUDLET_CLOUD_URL: "http://127.0.0.1:9",
    MEDCLOUDLET_TRUST_PROXIES: "1",
    MEDCLOUDLET_IDS_EXEMPT_LOOPBACK: "no",
  };
  const cloudlet = async (name, mode) =>
    serve("cloudlet", name, {
      ...common,
      MEDCLOUDLET_IDS_MODE: mode,
      MEDCLOUDLET_INVITATION: (await operator.invite("cloudlet")).code,
    });
  const services = [await cloudlet("watched", "enforce"), await cloudlet("unwatched", "off")];

  const { keys, session } = await register((await operator.invite("patient")).code, "wearer");
  const owner = createOwner({
    ...{ suite, clock, session, keys },
    name: "",
    epochs: [],
    keepEpochs: async () => {},
  });
  await owner.startEpoch("medical");
  const deviceId = Buffer.from(generateSigningSeed().slice(0, 16)).toString("hex");
  const key = await importSigningKey(generateSigningSeed());
  const until = clock.now() + DAY_MS;
  const { streamId } = await owner.enrolDevice({
    ...{ deviceId, signingKey: key.publicKey, region: "medical", until },
  });
  const { ticket, epoch } = await client.uploadTicket(deviceId, key);
  const { epochId, publicKey } = await verifyStatement(EPOCH, epoch, keys.signing.publicKey);
  const header = { region: "medical", epochId, streamId, deviceId, priority: "regular" };
  const times = Array.from({ length: 60 }, (_, i) => clock.now() + i * 1000);
  const columns = [{ quantity: "heartRate", times, values: times.map((_, i) => 60 + (i % 40)) }];
  let sequence = 0;

  const send = async ({ url }, bytes, number) => {
    const target = `${url}/v1/batches`;
    const response = await fetch(target, {
      method: "POST",
      headers: {
        "Content-Type": "application/octet-stream",
        "X-Forwarded-For": `203.0.113.${number % 200}`,
        Authorization: `DPoP ${ticket}`,
        DPoP: await createProof({ key, method: "POST", url: target, clock, ticket }),
      },
      body: bytes,
    });
    await response.arrayBuffer();
    if (response.status !== 202) {
      throw new Error(`an upload was answered with ${response.status}`);
    }
  };

  const measured = services.map(() => []);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const batches = [];
    for (let i = 0; i < uploads; i++) {
      batches.push(
        await sealBatch({
          ...{ suite, columns, epochPublicKey: Buffer.from(publicKey, "base64url"), signingKey: key },
          header: { ...header, sequence: sequence++ },
        }),
      );
    }
    // Every other round begins with the other, so that none always goes first.
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const which of order) {
      const service = services[which];
      const before = await cpuOf(service);
      for (const [i, bytes] of batches.entries()) {
        await send(service, bytes, i);
      }
      if (round >= 0) {
        measured[which].push((await cpuOf(service)) - before);
      }
    }
    note(`round ${round + 1} of ${rounds}`);
  }
  const total = (list) => list.reduce((sum, value) => sum + value, 0);
  const [watched, unwatched] = measured.map((list) => total(list) / rounds / uploads);
  const differences = measured[0].map((value, i) => (value - measured[1][i]) / uploads);
  // Bootstrap of the rounds: what the machine's other work makes uncertain.
  const draws = Array.from({ length: 2000 }, () => {
    const picks = differences.map(() => Math.floor(Math.random() * rounds));
    return (100 * total(picks.map((i) => differences[i]))) / rounds / unwatched;
  }).sort((a, b) => a - b);
  const result = {
    ...{ node: process.version, cpu: cpus()[0]?.model, rounds, uploads, watched, unwatched },
    addedMicroseconds: watched - unwatched,
    addedPercent: (100 * (watched - unwatched)) / unwatched,
    medianPercent: (100 * median(differences)) / unwatched,
    interval: [draws[50], draws[1949]],
  };
  process.stdout.write(
    options.json
      ? `${JSON.stringify(result)}\n`
      : `CPU of a cloudlet for one upload, ${rounds} rounds of ${uploads} each, in turn:\n` +
          `  unwatched ${unwatched.toFixed(0)} µs, watched ${watched.toFixed(0)} µs: ` +
          `${result.addedMicroseconds.toFixed(0)} µs or ${result.addedPercent.toFixed(1)}% more ` +
          `(95%: ${result.interval.map((value) => value.toFixed(1)).join(" to ")}%; aim: 10%)\n`,
  );
} finally {
  for (const child of running) {
    child.kill("SIGTERM");
  }
  await Promise.all(running.map((child) => new Promise((done) => child.once("exit", done))));
  await rm(folder, { recursive: true, force: true });
}
