// What the page does with a week of readings: the whole system on loopback, a real Chromium, one patient whose wearable
// sent a batch a minute. Run after the build: node test/perf/page.mjs
//   --batches 10080   how many, one a minute
//   --samples 100     of heart rate in each
//   --json            one object
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: options } = parseArgs({
  options: {
    batches: { type: "string", default: "10080" },
    samples: { type: "string", default: "100" },
    json: { type: "boolean" },
  },
});
const batches = Number(options.batches);
const perBatch = Number(options.samples);
const MINUTE_MS = 60_000;
const note = (text) => process.stderr.write(`${text}\n`);

process.env.MEDCLOUDLET_RATE_LIMIT = "1000000";
const build = new URL("../../build/host/", import.meta.url);
const { startDemoWorld } = await import(new URL("cli/demo-world.js", build));
const { createReader } = await import(new URL("client/index.js", build));
const { createErasures, createRecords } = await import(new URL("records/index.js", build));
const { batchDigest, importSigningKey, parseBatch, sealBatch } = await import(
  new URL("sealing/index.js", build)
);
const { createEmbeddedStore } = await import(new URL("store/index.js", build));

/** A minute of readings; a slow wave of the day, and noise. */
function minuteOf(start) {
  const each = (count, valueAt) => ({
    times: Array.from({ length: count }, (_, i) => start + Math.round((i * MINUTE_MS) / count)),
    values: Array.from({ length: count }, (_, i) => valueAt(start + i)),
  });
  const wave = (time) => Math.sin((2 * Math.PI * time) / (24 * 60 * MINUTE_MS));
  return [
    { quantity: "heartRate", ...each(perBatch, (t) => Math.round(70 + 8 * wave(t) + 6 * Math.random())) },
    { quantity: "respiratoryRate", ...each(6, (t) => Math.round(14 + wave(t) + Math.random())) },
    { quantity: "oxygenSaturation", ...each(6, () => Math.round(96 + 2 * Math.random())) },
    { quantity: "bodyTemperature", ...each(1, (t) => Math.round(10 * (36.8 + 0.3 * wave(t))) / 10) },
  ];
}

const world = await startDemoWorld({ freePorts: true, onStep: () => {} });
const begin = Date.now() - batches * MINUTE_MS;

// Sealed and signed as the wearable does, and put into the cloud's store while it is down: an upload each would take an
// hour of waiting for disks.
const pairing = JSON.parse(await readFile(join(world.deviceFolder, "pairing.json"), "utf8"));
const { deviceId, streamId, region } = pairing;
const signingKey = await importSigningKey(Uint8Array.from(Buffer.from(pairing.signingSeed, "hex")));
const { suite, clock, http } = world.toolkit;
const { session, keys } = await world.signIn("doctor");
const reader = createReader({ suite, clock, http, session, keys, cloudUrl: world.addresses.cloud });
const [stream] = (await reader.shared()).streams;
const [[epochId, { publicKey }]] = [...stream.epochs];
await world.withoutCloud(async () => {
  const store = createEmbeddedStore({ directory: join(world.folder, "cloud") });
  const erasures = await createErasures({ store, clock, onErased() {} });
  const records = await createRecords({ store, clock, erasures, onStored() {} });
  for (let sequence = 0; sequence < batches; sequence++) {
    const header = { region, priority: "regular", epochId, streamId, deviceId, sequence };
    const columns = minuteOf(begin + sequence * MINUTE_MS);
    const bytes = await sealBatch({ suite, epochPublicKey: publicKey, signingKey, header, columns });
    await records.add(parseBatch(bytes), bytes, batchDigest(bytes), Date.now());
  }
  await store.close();
});
note(`  ${batches} batches sealed and kept`);

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
await page.addInitScript(() => {
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      window.longTasks.push([startTime, duration]);
    }
  }).observe({ type: "longtask", buffered: true });
});
const longest = async () => {
  const tasks = await page.evaluate(() => window.longTasks.splice(0));
  return { longestMs: Math.round(Math.max(0, ...tasks.map(([, ms]) => ms))), tasks: tasks.length };
};

await page.goto(await world.pageOf("doctor"));
await page.locator("button.primary").waitFor();
await longest();
const clicked = performance.now();
await page.click("button.primary");
await page.locator(".bar").waitFor();
const unlockedMs = performance.now() - clicked;
await page.locator(".row .course path").waitFor({ state: "attached" });
const listMs = performance.now() - clicked;
const opened = performance.now();
await page.click(".row");
await page.locator("canvas").first().waitFor();
await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const chartMs = performance.now() - opened;
const countOf = async () =>
  Number((await page.locator(".patient .who .dim").textContent()).match(/(\d+) batch/)[1]);
for (let count = 0; count < batches; count = await countOf()) {
  await page.waitForTimeout(250);
}
const allMs = performance.now() - opened;
const opening = await longest();

/** Frame times of the page while a chart is dragged or zoomed. */
async function framesDuring(work) {
  await page.evaluate(() => {
    window.frames_ = [];
    let last = performance.now();
    const frame = (now) => {
      window.frames_.push(now - last);
      last = now;
      window.frameLoop = requestAnimationFrame(frame);
    };
    window.frameLoop = requestAnimationFrame(frame);
  });
  await work();
  const frames = await page.evaluate(() => {
    cancelAnimationFrame(window.frameLoop);
    return window.frames_.slice(2);
  });
  frames.sort((a, b) => a - b);
  const at = (part) =>
    Math.round(10 * frames[Math.min(frames.length - 1, Math.floor(part * frames.length))]) / 10;
  return { frames: frames.length, medianMs: at(0.5), p95Ms: at(0.95), worstMs: at(1), ...(await longest()) };
}

const box = await page.locator(".chart .u-over").first().boundingBox();
const middle = box.y + box.height / 2;
const drag = async () => {
  await page.keyboard.down("Shift");
  for (let round = 0; round < 3; round++) {
    await page.mouse.move(box.x + 20, middle);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 20, middle, { steps: 60 });
    await page.mouse.move(box.x + 20, middle, { steps: 60 });
    await page.mouse.up();
  }
  await page.keyboard.up("Shift");
};
await page.getByRole("button", { name: "All", exact: true }).click();
await page.waitForTimeout(500);
await longest();
const panAll = await framesDuring(drag);
await page.getByRole("button", { name: "24 h" }).click();
await page.waitForTimeout(500);
const panDay = await framesDuring(drag);
await page.getByRole("button", { name: "All", exact: true }).click();
await page.locator(".chart").first().focus();
await page.mouse.move(box.x + box.width / 2, middle);
const zoom = await framesDuring(async () => {
  for (let i = 0; i < 120; i++) {
    await page.mouse.wheel(0, i < 60 ? -60 : 60);
    await page.waitForTimeout(8);
  }
});
const samples = batches * perBatch;
await browser.close();
await world.close();

const round = (ms) => Math.round(ms);
const result = {
  node: process.versions.node,
  cpu: cpus()[0]?.model,
  batches,
  samples,
  unlockedMs: round(unlockedMs),
  listMs: round(listMs),
  chartMs: round(chartMs),
  allMs: round(allMs),
  opening,
  panAll,
  panDay,
  zoom,
};
const { stdout } = process;
stdout.write(
  options.json
    ? `${JSON.stringify(result)}\n`
    : `${Object.entries(result)
        .map(
          ([name, value]) =>
            `${name.padEnd(12)} ${typeof value === "object" ? JSON.stringify(value) : value}`,
        )
        .join("\n")}\n`,
);
process.exit(0);
