import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { scoreOf, updateVitals, type Vitals } from "../analytics/index.ts";
import { parseEntry } from "../audit/index.ts";
import { createSignal, isMedcloudletError, MedcloudletError, systemClock } from "../base/index.ts";
import {
  createAuditClient,
  createEmergency,
  createEmergencyStaff,
  createReader,
  type OpenedStream,
  personFingerprint,
} from "../client/index.ts";
import { createPhysiology, createReporter, type Device, EMERGENCY_SECONDS } from "../wearable/index.ts";
import { joinNight, type NightPerson } from "./demo-night-cast.ts";
import { releaseWithoutHer } from "./demo-night-release.ts";
import { type DemoWorld, startDemoWorld } from "./demo-world.ts";
import { openDeviceFolder, pairDevice } from "./device-folder.ts";
import { openAlertDesk } from "./doctor-alerts.ts";
import { ownerOf, type PersonAtWork, readerOf } from "./home.ts";
import { abortOnInterrupt } from "./interrupt.ts";
import type { Output } from "./output.ts";
import { table } from "./output.ts";
import { scoreText, vitalsText } from "./vitals.ts";

const HOUR_MS = 60 * 60_000;
/** Between two reports on the screen; the services need none of it. */
const PACE_MS = 350;
const PATIENCE_MS = 60_000;
const URGENT_REPORTS = 4;
const SLICES_MOST = 600;
const BACKLOG = 40;
const MINUTES = 5;
const REASON = "NEWS2 of 7 and more, and the ward's doctor is in theatre";

/** A batch as the doctor got it. */
interface Arrival {
  readonly deviceId: string;
  readonly sequence: number;
}

/** What is going on at the doctor's. */
interface Watching {
  readonly arrived: readonly Arrival[];
  /** The batch that raised the first alert of the gravest level, and when (`performance.now`). */
  alert(): { readonly sequence: number; readonly at: number } | null;
  /** Fulfils when `condition` holds; asks after every batch. @throws MedcloudletError `CLI_DEMO_ENDED` */
  until(condition: () => boolean): Promise<void>;
  end(): Promise<void>;
}

/** What every chapter of the night is told with. */
interface Night {
  readonly world: DemoWorld;
  readonly signal: AbortSignal;
  readonly output: Output;
}

/** The doctor follows the stream; alerts are raised by the desk that `doctor read --follow --alerts` uses. */
async function watch(
  { world, signal, output }: Night,
  doctor: PersonAtWork,
  wearableId: string,
): Promise<Watching> {
  const reader = readerOf(world.toolkit, doctor);
  const stream = (await reader.shared()).streams[0] as OpenedStream;
  const arrived: Arrival[] = [];
  const vitals: Vitals = {};
  const news = createSignal();
  const done = new AbortController();
  let current = -1;
  let alert: { sequence: number; at: number } | null = null;
  const home = world.logins.find(({ part }) => part === "doctor")?.home ?? world.folder;
  const desk = await openAlertDesk(
    home,
    doctor.contents,
    {
      ...output,
      result(data, text) {
        if ((data as { level: string }).level === "emergency") {
          alert ??= { sequence: current, at: performance.now() };
        }
        output.result(data, text);
      },
    },
    { freshMs: Number.POSITIVE_INFINITY },
  );
  const { dim, red, yellow } = output.colours;
  const urgency = { emergency: red, abnormal: yellow, regular: dim, bulk: dim };
  const following = (async () => {
    for await (const { batch } of reader.follow(stream, AbortSignal.any([signal, done.signal]))) {
      if (batch.status === "refused") {
        throw batch.error;
      }
      const { deviceId, sequence, priority, lastTime } = batch.header;
      arrived.push({ deviceId, sequence });
      if (deviceId === wearableId) {
        current = sequence;
        updateVitals(vitals, batch.columns);
        const score = scoreOf(vitals);
        const time = new Date(lastTime).toISOString().slice(11, 19);
        output.result(
          { event: "opened", sequence, priority, vitals: { ...vitals }, news2LowerBound: score.lowerBound },
          `  ${dim(time)}  ${vitalsText(vitals)}  ${scoreText(score, output.colours)} ${urgency[priority](priority)}`,
        );
        await desk.observe(stream, batch.columns, priority);
      }
      news.signal();
    }
  })();
  const failed = following.then(() => {
    throw new MedcloudletError("CLI_DEMO_ENDED", "The night was interrupted.");
  });
  failed.catch(() => {});
  return {
    arrived,
    alert: () => alert,
    async until(condition) {
      const end = performance.now() + PATIENCE_MS;
      while (!condition()) {
        if (performance.now() > end) {
          throw new MedcloudletError(
            "CLI_DEMO_ENDED",
            `What was to come did not, within ${PATIENCE_MS / 1000} s: the services' log is ${world.logFile}.`,
          );
        }
        await Promise.race([news.wait(200), failed]);
      }
    },
    async end() {
      done.abort();
      // A fault of the following was thrown by whoever waited for its batches.
      await following.catch(() => {});
      await desk.close();
    },
  };
}

/** Chapters one and two: the alert, and the emergency that overtakes. */
async function deteriorate(
  { world, signal, output }: Night,
  scene: {
    readonly watching: Watching;
    readonly wearable: Device;
    readonly ring: Device;
    readonly seed: number;
  },
): Promise<void> {
  const { watching, wearable, ring, seed } = scene;
  const { bold, green } = output.colours;
  output.heading(
    bold(
      "\n  1  She falls ill. A line each time that the doctor opens a report; its worst moment is its urgency.\n",
    ),
  );
  const startTime = systemClock.now() - 2 * HOUR_MS;
  const episode = { kind: "sepsis", onsetSeconds: 5 * 60, timeFactor: 20 } as const;
  const physiology = createPhysiology({ seed, startTime, episode });
  const reporter = createReporter();
  const measured = new Map<number, number>();
  let urgent = 0;
  /** One slice; true where it made the wearable report. */
  const step = async (): Promise<boolean> => {
    const columns = physiology.nextBatch(EMERGENCY_SECONDS);
    const at = performance.now();
    const report = reporter.take(columns);
    if (report === null) {
      return false;
    }
    const { sequence } = await wearable.record(report.columns, report.priority);
    measured.set(sequence, at);
    urgent += report.priority === "emergency" ? 1 : 0;
    await wearable.flush();
    return true;
  };
  for (let slice = 0; slice < SLICES_MOST && urgent < URGENT_REPORTS; slice++) {
    if (await step()) {
      await sleep(output.json ? 0 : PACE_MS, undefined, { signal }).catch(() => {});
      signal.throwIfAborted();
    }
  }
  await watching.until(() => watching.alert() !== null && watching.arrived.length === measured.size);
  const alert = watching.alert() ?? { sequence: -1, at: 0 };
  const seconds = (alert.at - (measured.get(alert.sequence) ?? Number.NaN)) / 1000;
  output.result(
    { event: "alerted", sequence: alert.sequence, secondsFromReadingToAlert: seconds },
    green(`\n  From the last reading of that report to the doctor's alert: ${seconds.toFixed(3)} s.`) +
      `\n  Scored and sealed on the wearable, through cloudlet and cloud, opened, scored again. The hours are simulated,\n  the seconds are not.`,
  );

  output.heading(
    bold(
      `\n  2  The cloud goes away. Her ring hands ${BACKLOG} regular reports to the cloudlet; then comes one of hers.\n`,
    ),
  );
  const before = watching.arrived.length;
  let back = 0;
  await world.withoutCloud(async () => {
    const from = systemClock.now() - HOUR_MS;
    for (let i = 0; i < BACKLOG; i++) {
      await ring.record([{ quantity: "pulseRate", times: [from + i * 1000], values: [118] }], "regular");
    }
    await ring.flush();
    await step();
    back = performance.now();
  });
  await watching.until(() => watching.arrived.length > before + BACKLOG);
  const order = watching.arrived.slice(before);
  const place = 1 + order.findIndex(({ deviceId }) => deviceId === wearable.deviceId);
  const total = (performance.now() - back) / 1000;
  output.result(
    { event: "overtook", handedInAs: BACKLOG + 1, arrivedAs: place, secondsUntilAllWereThere: total },
    green(`\n  Handed in as number ${BACKLOG + 1}, kept by the cloud as number ${place} of ${BACKLOG + 1}.`) +
      `\n  The cloudlet forwards the most urgent first, eight at a time; all were there ${total.toFixed(1)} s after the cloud was called back.`,
  );
}

type NightTrustee = Pick<NightPerson, "session" | "keys" | "handle">;

/** Chapter three: break-glass. */
async function breakGlass(
  { world, output }: Night,
  patient: PersonAtWork,
  swift: NightPerson,
  trustees: readonly NightTrustee[],
): Promise<void> {
  const { bold, dim, green, red } = output.colours;
  const { toolkit, addresses } = world;
  output.heading(bold("\n  3  The night team breaks the glass. dr-swift has no consent.\n"));
  const reader = createReader({ ...toolkit, ...swift, cloudUrl: addresses.cloud });
  const shared = (await reader.shared()).streams.length;
  output.result({ event: "shared", streams: shared }, `  shared with dr-swift: ${shared} streams`);
  const night = createEmergencyStaff({ ...toolkit, ...swift });
  const { emergencyId } = await night.request({
    patient: patient.contents.handle,
    reason: REASON,
    minutes: MINUTES,
  });
  output.result({ event: "requested", emergencyId }, `  dr-swift asks: “${REASON}”, for ${MINUTES} minutes`);
  for (const trustee of trustees) {
    const { approvers } = await createEmergencyStaff({ ...toolkit, ...trustee }).approve({
      emergencyId,
      expectedFingerprint: swift.fingerprint,
    });
    const text = `  ${trustee.handle} approves: ${approvers.length} of 2`;
    output.result({ event: "approved", by: trustee.handle }, text);
  }
  const stream = (await night.open(emergencyId)).streams[0] as OpenedStream;
  let opened = 0;
  for await (const { batch } of reader.read(stream)) {
    opened += batch.status === "opened" ? 1 : 0;
  }
  output.result({ event: "read", batches: opened }, green(`  dr-swift opens ${opened} batches`));
  await night.end(emergencyId);
  const refusal = await night.open(emergencyId).then(
    () => "nothing",
    (error: unknown) => (isMedcloudletError(error) ? error.code : String(error)),
  );
  output.result(
    { event: "ended", refusal },
    `  dr-swift ends it, and is refused from then on: ${red(refusal)}\n${dim(`  (Left alone it ends after the ${MINUTES} minutes. This demo does not wait for that.)`)}`,
  );
}

/** Chapter four: what the patient's own log says of it. */
async function readOwnLog(
  output: Output,
  patient: PersonAtWork,
  others: readonly NightTrustee[],
): Promise<void> {
  output.heading(output.colours.bold("\n  4  What her own log says (`medcloudlet audit mine`)\n"));
  const names = new Map(others.map(({ session, handle }) => [session.account.accountId, handle]));
  const { entries } = await createAuditClient(patient.session).mine({ after: 0, limit: 1000 });
  const known = entries.map(parseEntry).filter((entry) => entry !== null);
  const since = known.findIndex(({ action }) => action === "emergency.request");
  const lines = known.slice(Math.max(0, since));
  output.result(
    { event: "log", entries: lines },
    table(
      [
        ["entry", "at", "who", "what", "outcome"],
        ...lines.map(({ sequence, at, actor, action, code }) => [
          String(sequence),
          new Date(at).toISOString().slice(11, 19),
          names.get(actor ?? "") ?? "?",
          action,
          code ?? "done",
        ]),
      ],
      output.colours,
    ),
  );
}

/**
 * `medcloudlet demo --night`: one patient's night through the running services: score, priority, alert, a backlog
 * overtaken, break-glass, her log, and a release without her.
 * @throws MedcloudletError `CLI_OPTIONS` with a folder to keep: the night's people live in this process only
 */
export async function tellNight(
  options: { readonly data?: string; readonly freePorts: boolean; readonly seed: number },
  output: Output,
): Promise<void> {
  if (options.data !== undefined) {
    throw new MedcloudletError("CLI_OPTIONS", "--night makes its people anew each time: leave --data out.");
  }
  const begun = performance.now();
  const world = await startDemoWorld({
    freePorts: options.freePorts,
    onStep: (text) => output.note(`  ${text} …`),
  });
  try {
    const signal = abortOnInterrupt();
    const night: Night = { world, signal, output };
    output.note("  calling the night team …");
    const patient = await world.signIn("patient");
    const heron = await world.signIn("doctor");
    const inviter = (await world.signIn("operator")).session;
    const officer = (await world.signIn("officer")).session;
    const crane = await joinNight(world, officer, "security-officer", "officer-crane");
    const swift = await joinNight(world, inviter, "doctor", "dr-swift");
    const owner = ownerOf(world.toolkit, patient);
    const trustees = [{ handle: heron.contents.handle, session: heron.session, keys: heron.keys }, crane];
    await createEmergency({
      ...world.toolkit,
      session: patient.session,
      keys: patient.keys,
      owner,
      plan: null,
      keepPlan: async () => {},
    }).prepare({
      trustees: trustees.map(({ handle, keys }) => ({
        handle,
        expectedFingerprint: personFingerprint(keys),
      })),
      threshold: 2,
    });
    const ringFolder = join(world.folder, "ring");
    await pairDevice({
      folder: ringFolder,
      owner,
      ownerId: patient.contents.accountId,
      ownerKeys: patient.keys,
      region: "medical",
      until: systemClock.now() + 24 * HOUR_MS,
      addresses: world.addresses,
    });
    const wearable = await openDeviceFolder(world.toolkit, world.deviceFolder, world.addresses);
    const ring = await openDeviceFolder(world.toolkit, ringFolder, world.addresses);
    try {
      const watching = await watch(night, heron, wearable.device.deviceId);
      try {
        await deteriorate(night, {
          watching,
          wearable: wearable.device,
          ring: ring.device,
          seed: options.seed,
        });
      } finally {
        await watching.end();
      }
      signal.throwIfAborted();
      await breakGlass(night, patient, swift, trustees);
      await readOwnLog(output, patient, [swift, ...trustees]);
      signal.throwIfAborted();
      await releaseWithoutHer(world, inviter, patient, owner, output);
      const seconds = (performance.now() - begun) / 1000;
      output.result({ event: "stopped", seconds }, `\n  The night took ${seconds.toFixed(0)} s.`);
    } catch (error) {
      if (!signal.aborted) {
        throw error;
      }
      output.result({ event: "interrupted" }, "\n  Interrupted. Stopping.");
    } finally {
      await ring.store.close();
      await wearable.store.close();
    }
  } finally {
    await world.close();
  }
}
