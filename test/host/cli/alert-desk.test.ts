import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toBase64Url } from "../../../host/base/index.ts";
import { type AlertDesk, openAlertDesk, openAlerts } from "../../../host/cli/doctor-alerts.ts";
import { createOutput, type Output } from "../../../host/cli/output.ts";
import type { KeystoreContents, OpenedStream } from "../../../host/client/index.ts";
import type { ReadingColumn } from "../../../host/sealing/index.ts";

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
const STREAM: OpenedStream = {
  streamId: "cd".repeat(16),
  ownerId: "ef".repeat(16),
  ownerName: "Ada Lovelace",
  ownerFingerprint: "00".repeat(32),
  ownerKey: new Uint8Array(32),
  region: "medical",
  epochs: new Map(),
  devices: new Map(),
};
/** NEWS2 of 9, or of 0. */
const readings = (time: number, ill: boolean): ReadingColumn[] => [
  { quantity: "heartRate", times: [time], values: [ill ? 135 : 70] },
  { quantity: "oxygenSaturation", times: [time], values: [ill ? 90 : 97] },
  { quantity: "respiratoryRate", times: [time], values: [ill ? 26 : 14] },
];

let home: string;
let desk: AlertDesk;
let told: Record<string, unknown>[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "desk-"));
  told = [];
  const output: Output = {
    ...createOutput({ json: true }),
    result: (data) => told.push(data as Record<string, unknown>),
  };
  desk = await openAlertDesk(home, CONTENTS, output);
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe("alerts while a doctor follows", () => {
  it("are told once when they are raised, and kept for the next command", async () => {
    const now = Date.now();
    await desk.observe(STREAM, readings(now - 2 * MINUTE, true), "emergency");
    await desk.observe(STREAM, readings(now - MINUTE, true), "emergency");
    await desk.close();
    expect(told).toMatchObject([
      {
        event: "alert",
        patient: "Ada Lovelace",
        kind: "news2",
        level: "emergency",
        events: [{ type: "raised" }],
      },
    ]);
    const { book, close } = await openAlerts(home, CONTENTS);
    expect((await book.list()).map(({ subject, alert }) => [subject.kind, alert.status])).toEqual([
      ["news2", "raised"],
    ]);
    await close();
  });

  it("are not raised by what is long past, which is what following begins with", async () => {
    const now = Date.now();
    for (let minute = 300; minute > 100; minute -= 10) {
      await desk.observe(STREAM, readings(now - minute * MINUTE, true), "emergency");
    }
    await desk.observe(STREAM, readings(now, false), "regular");
    await desk.close();
    expect(told).toEqual([]);
  });

  it("are raised by the wearable's word alone, which is how a fall travels, and not twice for one emergency", async () => {
    const now = Date.now();
    await desk.observe(STREAM, readings(now - 50 * MINUTE, true), "emergency");
    await desk.observe(STREAM, readings(now - 45 * MINUTE, false), "emergency");
    expect(told.map(({ kind }) => kind)).toEqual(["news2", "news2"]);
    await desk.observe(STREAM, readings(now - MINUTE, false), "emergency");
    await desk.observe(STREAM, readings(now, false), "regular");
    await desk.close();
    expect(
      told.slice(2).map(({ kind, level, events }) => [kind, level, (events as { type: string }[])[0]?.type]),
    ).toEqual([
      ["wearable", "emergency", "raised"],
      ["wearable", "emergency", "eased"],
    ]);
  });

  it("are told again when the readings are well", async () => {
    const now = Date.now();
    await desk.observe(STREAM, readings(now - 2 * MINUTE, true), "emergency");
    await desk.observe(STREAM, readings(now - MINUTE, false), "regular");
    await desk.close();
    expect(told.map(({ events }) => (events as { type: string }[]).map(({ type }) => type))).toEqual([
      ["raised"],
      ["eased"],
    ]);
  });
});
