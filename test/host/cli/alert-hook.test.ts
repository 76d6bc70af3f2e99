import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KeptAlert } from "../../../host/analytics/index.ts";
import { type Clock, toBase64Url } from "../../../host/base/index.ts";
import { type AlertPager, createAlertPager, openHook, type PageFrom } from "../../../host/cli/alert-hook.ts";
import { openAlertDesk, openAlerts } from "../../../host/cli/doctor-alerts.ts";
import { createOutput } from "../../../host/cli/output.ts";
import type { KeystoreContents, OpenedStream } from "../../../host/client/index.ts";
import { eventually } from "../../support/system.ts";

const MINUTE = 60_000;
const CONTENTS: KeystoreContents = {
  accountId: "ab".repeat(16),
  handle: "dr-heron",
  role: "doctor",
  name: "Dr Heron",
  signingSeed: toBase64Url(new Uint8Array(32).fill(1)),
  receivingKey: toBase64Url(new Uint8Array(32).fill(2)),
  epochs: [],
  known: {},
};
/** A patient who calls herself what a shell would run. */
const NAME = "$(touch pwned); `touch pwned` | Ada";
const STREAM: OpenedStream = {
  streamId: "cd".repeat(16),
  ownerId: "ef".repeat(16),
  ownerName: NAME,
  ownerFingerprint: "00".repeat(32),
  ownerKey: new Uint8Array(32),
  region: "medical",
  epochs: new Map(),
  devices: new Map(),
};

let folder: string;
let said: string[];
let pagers: AlertPager[];
let now: number;
const clock: Clock = { now: () => now };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hook-"));
  said = [];
  pagers = [];
  now = Date.now();
});
afterEach(async () => {
  await Promise.all(pagers.map((pager) => pager.close()));
  await rm(folder, { recursive: true, force: true });
});

/** A program of the reader's; `$F` is a file that tells what it did. */
async function program(lines: string): Promise<string> {
  const file = join(folder, `hook-${Math.random()}`);
  await writeFile(file, `#!/bin/sh\ncd "${folder}" && F=told\n${lines}\n`);
  await chmod(file, 0o700);
  return file;
}
const told = async () =>
  (await readFile(join(folder, "told"), "utf8").catch(() => "")).split("\n").slice(0, -1);

async function pagerOf(file: string, from: PageFrom = "escalated", timeoutMs?: number): Promise<AlertPager> {
  const page = await openHook(file, timeoutMs === undefined ? {} : { timeoutMs });
  const output = { trouble: (text: string) => void said.push(text) };
  const pager = createAlertPager({ page, from, output, retryMs: 20 });
  pagers.push(pager);
  return pager;
}

/** A desk that watches one very ill patient. */
async function deskWith(pager: AlertPager) {
  const output = { ...createOutput({ json: true }), result: () => {} };
  const desk = await openAlertDesk(folder, CONTENTS, output, { clock, pager });
  const readings = () =>
    desk.observe(
      STREAM,
      [
        { quantity: "heartRate", times: [now - 1000], values: [135] },
        { quantity: "oxygenSaturation", times: [now - 1000], values: [90] },
        { quantity: "respiratoryRate", times: [now - 1000], values: [26] },
      ],
      "emergency",
    );
  return { desk, readings };
}

/** An alert of the book, as it stands after a while without an answer. */
const escalated = (tier: number): KeptAlert => ({
  id: "a1".repeat(16),
  subject: { streamId: STREAM.streamId, kind: "news2", patient: NAME },
  events: [{ type: "raised", at: 1, level: "emergency", reason: "NEWS2 9" }],
  alert: {
    status: "escalated",
    level: "emergency",
    reason: "NEWS2 9",
    raisedAt: 1,
    changedAt: 2,
    since: 2,
    snoozedUntil: null,
    owner: null,
    tier,
    easedAt: null,
  },
});

describe("a hook", () => {
  it("is run once for every tier that nobody answers, with the alert on its input", async () => {
    const { desk, readings } = await deskWith(await pagerOf(await program('cat >> "$F"')));
    await readings();
    await desk.look();
    expect(await told()).toEqual([]);
    const pages = async () =>
      (await told()).map((line) => JSON.parse(line)).filter(({ kind }) => kind === "news2");
    for (const tier of [1, 2, 3]) {
      now += 5 * MINUTE;
      await desk.look();
      await eventually(async () => (await pages()).length === tier);
      await desk.look();
    }
    // After the third there is no further one.
    now += 60 * MINUTE;
    await desk.look();
    await desk.close();
    expect((await pages()).map(({ tier }) => tier)).toEqual([1, 2, 3]);
    expect((await pages())[0]).toMatchObject({ patient: NAME, status: "escalated", level: "emergency" });
    expect(said).toEqual([]);
  });

  it("is run as soon as an alert is raised where that is asked for", async () => {
    const { desk, readings } = await deskWith(await pagerOf(await program('cat >> "$F"'), "raised"));
    await readings();
    await eventually(async () => (await told()).length === 1);
    await desk.close();
    expect(JSON.parse((await told())[0] as string)).toMatchObject({ status: "raised", tier: 0 });
  });

  it("is run again after a restart while nobody has answered, and not once somebody has", async () => {
    const hook = await program('cat >> "$F"');
    const first = await deskWith(await pagerOf(hook));
    await first.readings();
    now += 6 * MINUTE;
    await first.desk.look();
    await eventually(async () => (await told()).length === 1);
    await first.desk.close();
    const second = await deskWith(await pagerOf(hook));
    await eventually(async () => (await told()).length === 2);
    await second.desk.close();
    const { book, close } = await openAlerts(folder, CONTENTS, clock);
    const [alert] = await book.list();
    await book.apply(alert?.id as string, { type: "acknowledge", by: "dr-heron" });
    await close();
    const third = await deskWith(await pagerOf(hook));
    await third.desk.look();
    await third.desk.close();
    expect(await told()).toHaveLength(2);
  });

  it("that fails is told of and tried again until it gets through", async () => {
    const pager = await pagerOf(await program('echo tried >> "$F"; [ "$(wc -l < "$F")" -ge 3 ] || exit 7'));
    pager.note(escalated(1));
    await eventually(async () => (await told()).length === 3);
    await pager.close();
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(/NOBODY WAS PAGED for alert a1a1a1a1: the hook ended with 7; again/);
    // Standard error may end up in a log.
    expect(said.join()).not.toContain("Ada");
  });

  it("that fails is left alone once somebody answers", async () => {
    const pager = await pagerOf(await program("exit 1"));
    const alert = escalated(1);
    pager.note(alert);
    await eventually(async () => said.length >= 2);
    pager.note({ ...alert, alert: { ...alert.alert, status: "acknowledged", owner: "dr-heron" } });
    await new Promise((done) => setTimeout(done, 200));
    const before = said.length;
    await new Promise((done) => setTimeout(done, 300));
    expect(said).toHaveLength(before);
  });

  it("that hangs is ended with what it started, and tried again", async () => {
    const pager = await pagerOf(await program('echo $$ >> "$F"; sleep 60 & wait'), "escalated", 150);
    pager.note(escalated(1));
    await eventually(async () => (await told()).length >= 2);
    expect(said[0]).toMatch(/did not end within 0.15 s/);
    const [group] = await told();
    await eventually(async () => {
      try {
        process.kill(-Number(group), 0);
        return false;
      } catch {
        return true;
      }
    });
  });

  it("runs nothing that is in the alert, and gets none of our secrets", async () => {
    process.env.MEDCLOUDLET_CODE = "123456";
    try {
      const pager = await pagerOf(await program('env > env; echo "$#" > count; cat >> "$F"'));
      pager.note(escalated(1));
      await eventually(async () => (await told()).length === 1);
    } finally {
      delete process.env.MEDCLOUDLET_CODE;
    }
    expect(await readFile(join(folder, "env"), "utf8")).not.toContain("MEDCLOUDLET");
    expect(await readFile(join(folder, "count"), "utf8")).toBe("0\n");
    await expect(readFile(join(folder, "pwned"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("need not read what it is given, however long that is", async () => {
    const pager = await pagerOf(await program('exec < /dev/null; echo done >> "$F"'));
    const alert = escalated(1);
    const events = Array.from({ length: 20_000 }, (_, at) => ({ type: "eased" as const, at }));
    pager.note({ ...alert, events: [...alert.events, ...events] });
    await eventually(async () => (await told()).length === 1);
    await pager.close();
    expect(said).toEqual([]);
  });

  it("that cannot be run is refused before anybody relies on it", async () => {
    const file = join(folder, "no-program");
    await writeFile(file, "");
    await expect(openHook(file)).rejects.toMatchObject({ code: "CLI_OPTIONS" });
    await expect(openHook(join(folder, "absent"))).rejects.toMatchObject({ code: "CLI_OPTIONS" });
  });
});
