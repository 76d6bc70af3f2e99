import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { createTriage, scoreOf, updateVitals, type Vitals } from "../analytics/index.ts";
import { MedcloudletError, systemClock } from "../base/index.ts";
import type { Device } from "../wearable/index.ts";
import { createPhysiology, uploadAll } from "../wearable/index.ts";
import { newCommand, outputOf, wholeNumber } from "./command.ts";
import { demoSecret } from "./demo-authenticator.ts";
import { tellNight } from "./demo-night.ts";
import { type DemoWorld, startDemoWorld } from "./demo-world.ts";
import { openDeviceFolder } from "./device-folder.ts";
import { openAlertDesk } from "./doctor-alerts.ts";
import { readerOf } from "./home.ts";
import { abortOnInterrupt } from "./interrupt.ts";
import { type Output, size, table } from "./output.ts";
import { scoreText, vitalsText } from "./vitals.ts";

interface DemoOptions {
  readonly data?: string;
  readonly speed: number;
  readonly batches?: number;
  readonly seed: number;
  readonly freePorts?: true;
  readonly night?: true;
  readonly json?: true;
}

const BATCH_SECONDS = 60;
const HOUR_MS = 60 * 60 * 1000;
/** What the wearable sent before anybody looked, so that there is a day to look back at. */
const HISTORY_HOURS = 12;
const HISTORY_BATCH_SECONDS = 30 * 60;
/** Once what is played fast has become the present: a chart that moves as one looks at it. */
const LIVE_BATCH_SECONDS = 5;
/** So much of the past is played fast; below half an hour, for a wearable silent that long is an alert. */
const PLAYED_MINUTES = 25;
/** The patient falls ill after so much of it, and gravely so at its end. */
const ONSET_MINUTES = 7;
const EPISODE_TIME_FACTOR = 12;

/** The head of the table of batches, and how often it is said again. */
const HEAD = "     #  time      sealed         cloudlet  cloud  opened   what the doctor sees";
const HEAD_EVERY = 20;

/** What the wearable knows of a batch on its way. */
interface Journey {
  readonly sealedAt: number;
  readonly samples: number;
  readonly bytes: number;
  accepted: boolean;
}

async function introduce(world: DemoWorld, output: Output): Promise<void> {
  const { bold, cyan, dim, green } = output.colours;
  const { addresses } = world;
  const doctor = world.logins.find(({ part }) => part === "doctor");
  const pages = {
    doctor: await world.pageOf("doctor"),
    patient: await world.pageOf("patient"),
    officer: await world.pageOf("officer"),
  };
  // Whoever logs in for the first time has enrolled a second factor by it.
  const logins = await Promise.all(
    world.logins.map(async (login) => ({ ...login, secondFactor: await demoSecret(login.home) })),
  );
  output.result(
    {
      event: "ready",
      addresses,
      pages,
      folder: world.folder,
      logins: logins.map(({ part, handle, password, home, secondFactor }) => ({
        part,
        handle,
        password,
        home,
        secondFactor,
      })),
    },
    [
      "",
      `  ${bold("medcloudlet")}  sealed on the wrist, opened by the doctor, blind in between`,
      "",
      `  ${green("●")} KDC       ${cyan(addresses.kdc)}  accounts, consents, wrapped keys, tickets`,
      `  ${green("●")} cloud     ${cyan(addresses.cloud)}  sealed batches it cannot read`,
      `  ${green("●")} cloudlet  ${cyan(addresses.cloudlet)}  takes batches in, passes them on`,
      `  ${dim(`store: ${world.storeName}; files: ${world.folder}; log: ${world.logFile}`)}`,
      "",
      table(
        [
          ["demo login", "handle", "password", "second factor"],
          ...logins.map(({ part, handle, password, secondFactor }) => [
            part,
            handle,
            password,
            secondFactor ?? "-",
          ]),
        ],
        output.colours,
      ),
      "",
      `  ${bold("Watch it in a browser")}, as the doctor: open this, click “Log in and unlock”, then the patient.`,
      `  ${cyan(pages.doctor)}`,
      "",
      dim("  Or as the patient, who sees who sees what, or as the security officer:"),
      `  ${cyan(pages.patient)}`,
      `  ${cyan(pages.officer)}`,
      "",
      dim("  Or in another terminal, as the doctor, whose session is kept there (so it asks for no code):"),
      `  npx medcloudlet doctor read --home ${doctor?.home} \\`,
      `    --password-file ${doctor?.passwordFile} --passphrase-file ${doctor?.passphraseFile}`,
      "",
      dim(
        "  One line a batch: readings sealed on the wearable, taken in by the cloudlet, kept by the cloud, which can",
      ),
      dim(
        "  read none of it, and opened by the doctor. The patient's last half hour passes in a minute and ends",
      ),
      dim("  gravely; from then on it is the present, every five seconds."),
      "",
    ].join("\n"),
  );
}

/** The wearable's part: measure, score, seal, send; half a day at once, what led to now fast, and then the present. */
async function wear(
  device: Device,
  journeys: Map<number, Journey>,
  options: DemoOptions & Pick<DemoWorld, "isNew">,
  signal: AbortSignal,
  output: Output,
): Promise<void> {
  const history = options.isNew ? HISTORY_HOURS * HOUR_MS : 0;
  // While it is played the present goes on; so much of it is over when the two meet.
  const played = PLAYED_MINUTES * 60_000 * (1 - 1 / options.speed);
  const physiology = createPhysiology({
    seed: options.seed,
    startTime: systemClock.now() - played - history,
    episode: {
      kind: "sepsis",
      onsetSeconds: history / 1000 + ONSET_MINUTES * 60,
      timeFactor: EPISODE_TIME_FACTOR,
    },
  });
  const triage = createTriage();
  const measure = async (seconds: number) => {
    const columns = physiology.nextBatch(seconds);
    return { columns, sealed: await device.record(columns, triage.assess(columns).priority) };
  };
  const upload = () =>
    uploadAll(device, {
      signal,
      onReceipt: ({ sequence }) => {
        const journey = journeys.get(sequence);
        if (journey !== undefined) {
          journey.accepted = true;
        }
      },
      onWait: (code, ms) => output.note(`  the cloudlet is away (${code}); next try in ${ms} ms`),
    });

  if (history > 0) {
    output.note(`  sending the last ${HISTORY_HOURS} hours …`);
  }
  for (let sent = 0; sent < history && !signal.aborted; sent += HISTORY_BATCH_SECONDS * 1000) {
    await measure(HISTORY_BATCH_SECONDS);
  }
  await upload();
  const pause = (ms: number) => sleep(Math.max(0, ms), undefined, { signal }).catch(() => {});
  for (let count = 0; !signal.aborted && count < (options.batches ?? Number.POSITIVE_INFINITY); count++) {
    const isLive = physiology.now() + BATCH_SECONDS * 1000 > systemClock.now();
    const seconds = isLive ? LIVE_BATCH_SECONDS : BATCH_SECONDS;
    if (isLive) {
      await pause(physiology.now() + seconds * 1000 - systemClock.now());
    }
    const { columns, sealed } = await measure(seconds);
    journeys.set(sealed.sequence, {
      sealedAt: performance.now(),
      samples: columns.reduce((sum, { values }) => sum + values.length, 0),
      bytes: sealed.bytes.length,
      accepted: false,
    });
    await upload();
    if (!isLive) {
      await pause((seconds * 1000) / options.speed);
    }
  }
}

/** The doctor's part: follow the stream, open each batch, show it. Fulfils when `expected` batches were opened. */
async function attend(
  world: DemoWorld,
  journeys: Map<number, Journey>,
  expected: number,
  signal: AbortSignal,
  output: Output,
): Promise<{ opened: number; refused: number }> {
  const person = await world.signIn("doctor");
  const reader = readerOf(world.toolkit, person);
  const stream = (await reader.shared()).streams[0];
  const tally = { opened: 0, refused: 0 };
  if (stream === undefined) {
    throw new MedcloudletError(
      "CLI_DEMO_ENDED",
      "The demo patient's consent has ended: remove the folder given with --data, or name another.",
    );
  }
  const { bold, cyan, dim, green, magenta, red, yellow } = output.colours;
  const vitals: Vitals = {};
  const home = world.logins.find(({ part }) => part === "doctor")?.home ?? world.folder;
  const desk = await openAlertDesk(home, person.contents, output, { freshMs: Number.POSITIVE_INFINITY });
  for await (const { batch } of reader.follow(stream, signal)) {
    if (batch.status === "refused") {
      tally.refused++;
      output.result({ event: "refused", code: batch.error.code }, red(`  ✗ ${batch.error.message}`));
      continue;
    }
    const { header, columns } = batch;
    const journey = journeys.get(header.sequence);
    updateVitals(vitals, columns);
    if (journey === undefined) {
      continue;
    }
    journeys.delete(header.sequence);
    tally.opened++;
    const score = scoreOf(vitals);
    const ms = Math.round(performance.now() - journey.sealedAt);
    if (tally.opened % HEAD_EVERY === 1) {
      output.heading(dim(HEAD));
    }
    const urgency = { emergency: red, abnormal: yellow, regular: dim, bulk: dim }[header.priority];
    const time = new Date(header.lastTime).toISOString().slice(11, 19);
    output.result(
      {
        event: "opened",
        sequence: header.sequence,
        lastTime: header.lastTime,
        priority: header.priority,
        samples: journey.samples,
        sealedBytes: journey.bytes,
        milliseconds: ms,
        vitals: { ...vitals },
        news2LowerBound: score.lowerBound,
      },
      [
        `  ${bold(String(header.sequence).padStart(4))}`,
        dim(time),
        `${magenta(`${journey.samples} → ${size(journey.bytes)}`.padEnd(13))}`,
        `${cyan((journey.accepted ? "202" : "…").padEnd(8))}`,
        `${cyan("kept ")}`,
        `${green(`${ms} ms`.padEnd(7))}`,
        vitalsText(vitals),
        `${scoreText(score, output.colours)} ${urgency(header.priority)}`,
      ].join("  "),
    );
    await desk.observe(stream, columns, header.priority);
    if (tally.opened >= expected) {
      break;
    }
  }
  await desk.close();
  return tally;
}

/** `medcloudlet demo`: the whole system in one process, with a patient who falls ill. */
export function demoCommand(): Command {
  return newCommand("demo", "bring everything up here and watch readings flow from a wearable to a doctor")
    .option(
      "--data <folder>",
      "keep everything in this folder and go on there next time (default: temporary)",
    )
    .option(
      "--speed <factor>",
      "30 shows half a minute of what led to the present each second",
      wholeNumber(1, 10_000),
      30,
    )
    .option("--batches <number>", "stop after so many batches (default: run until Ctrl-C)", wholeNumber(1))
    .option("--seed <number>", "the same seed gives the same patient", wholeNumber(0), 7)
    .option("--free-ports", "take any free ports instead of 4701 to 4703")
    .option("--night", "tell one night instead: alert, overtaking, break-glass, log, release; about a minute")
    .action(async (options: DemoOptions) => {
      const output = outputOf(options);
      if (options.night === true) {
        await tellNight({ ...options, freePorts: options.freePorts === true }, output);
        return;
      }
      const world = await startDemoWorld({
        ...(options.data === undefined ? {} : { folder: options.data }),
        freePorts: options.freePorts === true,
        onStep: (text) => output.note(`  ${text} …`),
      });
      try {
        await introduce(world, output);
        const interrupted = abortOnInterrupt();
        const done = new AbortController();
        const signal = AbortSignal.any([interrupted, done.signal]);
        const { device, store } = await openDeviceFolder(world.toolkit, world.deviceFolder, world.addresses);
        const journeys = new Map<number, Journey>();
        try {
          const expected = options.batches ?? Number.POSITIVE_INFINITY;
          const [tally] = await Promise.all([
            attend(world, journeys, expected, signal, output),
            wear(device, journeys, { ...options, isNew: world.isNew }, signal, output),
          ]);
          output.result(
            { event: "stopped", ...tally },
            `\n  ${tally.opened} batches opened by the doctor, ${tally.refused} refused. Stopping.`,
          );
        } finally {
          done.abort();
          await store.close();
        }
      } finally {
        await world.close();
      }
    });
}
