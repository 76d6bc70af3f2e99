import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toBase64Url } from "../../../host/base/index.ts";
import type { OpenedStream } from "../../../host/client/index.ts";
import type { Priority } from "../../../host/sealing/index.ts";
import { type AlertDesk, createAlertDesk } from "../../../host/web/worker/doctor/alert-desk.ts";
import type { Arrival } from "../../../host/web/worker/streams.ts";
import type { Work } from "../../../host/web/worker/work.ts";

const MINUTE = 60_000;
const AHEAD = 3 * 60 * MINUTE;
const STREAM = { streamId: "s1", ownerName: "Ada" } as OpenedStream;
const WELL = { heartRate: 70, respiratoryRate: 15, oxygenSaturation: 98 };
const GRAVE = { heartRate: 150, respiratoryRate: 32, oxygenSaturation: 80 };

/** A desk on a machine that keeps one note, with a clock that is set by hand. */
function deskOf(machine: { now: number; note: string | null }, accountId: string) {
  const leaving = new AbortController();
  const work = {
    person: { accountId, handle: "me" },
    contents: { signingSeed: toBase64Url(new Uint8Array(32).fill(7)) },
    clock: { now: () => machine.now },
    recall: () => machine.note,
    remember: async (_: string, text: string) => {
      machine.note = text;
    },
    joinNotes: () => {},
    tell: () => {},
    signal: leaving.signal,
  } as unknown as Work;
  const desk = createAlertDesk({ work, streams: () => ({ isLive: () => false }) });
  return { desk, leave: () => leaving.abort() };
}

function show(
  desk: AlertDesk,
  values: typeof WELL,
  time: number,
  priority: Priority = "regular",
  arrival: Arrival = "live",
): void {
  const times = [time - 2000, time - 1000, time];
  const columns = Object.entries(values).map(([quantity, value]) => {
    return { quantity: quantity as keyof typeof WELL, times, values: times.map(() => value) };
  });
  const header = { firstTime: time - 2000, lastTime: time, priority };
  desk.onBatch(
    STREAM,
    { status: "opened", header, columns } as unknown as Parameters<AlertDesk["onBatch"]>[1],
    arrival,
  );
}

describe("the desk of alerts and readings dated ahead", () => {
  const machine = { now: 1_800_000_000_000, note: null as string | null };
  let at: ReturnType<typeof deskOf>;
  const open = async (kind: string) =>
    (await at.desk.answers.alerts(undefined as never)).find(
      (one) => one.kind === kind && one.alert.status !== "resolved",
    );
  /** What comes first waits for other tabs. */
  const opened = async (kind: string) => {
    await expect.poll(() => open(kind), { interval: 20 }).toBeDefined();
    return open(kind);
  };
  const resolve = async (id: string) =>
    at.desk.answers.changeAlert({ id, wish: { type: "resolve", reason: "clock wrong" }, saw: "emergency" });

  beforeEach(async ({ task }) => {
    machine.note = null;
    at = deskOf(machine, task.id);
    show(at.desk, GRAVE, machine.now + AHEAD);
    const ahead = await opened("news2");
    machine.now += MINUTE;
    await resolve(ahead?.id as string);
  });
  afterEach(() => at.leave());

  it("hears the wearable's own call after them", async () => {
    show(at.desk, WELL, machine.now, "emergency");
    expect((await open("wearable"))?.alert.status).toBe("raised");
    await resolve((await open("wearable"))?.id as string);
    machine.now += MINUTE;
    show(at.desk, WELL, machine.now);
    show(at.desk, WELL, machine.now + 1, "emergency");
    expect((await open("wearable"))?.alert.status).toBe("raised");
  });

  it("hears a score after them, as it comes and when it came while nobody looked", async ({ task }) => {
    at.leave();
    machine.now += MINUTE;
    at = deskOf(machine, `${task.id} again`);
    // What was answered comes again with the newest readings; it is no news.
    show(at.desk, GRAVE, machine.now - MINUTE + AHEAD - MINUTE, "regular", "newest");
    show(at.desk, GRAVE, machine.now - 1000, "regular", "newest");
    expect((await opened("news2"))?.marks).toEqual([{ time: machine.now - 1000, level: "emergency" }]);
    await resolve((await open("news2"))?.id as string);
    machine.now += MINUTE;
    show(at.desk, GRAVE, machine.now);
    expect((await open("news2"))?.alert.status).toBe("raised");
  });
});
