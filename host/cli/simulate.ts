import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, Option } from "commander";
import { systemClock } from "../base/index.ts";
import type { ReadingColumn } from "../sealing/index.ts";
import {
  createKeptMode,
  createPhysiology,
  createReporter,
  EMERGENCY_SECONDS,
  type Episode,
  type Report,
  TIME_FORMATS,
  type TimeFormat,
  uploadAll,
} from "../wearable/index.ts";
import { openCaller } from "./device-caller.ts";
import { openDeviceFolder, takePairing } from "./device-folder.ts";
import { createToolkit } from "./home.ts";
import { abortOnInterrupt } from "./interrupt.ts";
import { addressesOf, moment, newCommand, outputOf, wholeNumber, withAddresses } from "./options.ts";
import { size } from "./output.ts";
import { readRecording } from "./recording.ts";

interface SimulateOptions {
  readonly device: string;
  readonly pairing?: string;
  readonly kdc?: string;
  readonly cloudlet?: string;
  readonly csv?: string;
  readonly patient?: string;
  readonly map?: string[];
  readonly start?: number;
  readonly timeFormat?: TimeFormat;
  readonly delimiter?: string;
  readonly seed: number;
  readonly minutes?: number;
  readonly speed: number;
  readonly batchSeconds: number;
  readonly episode?: Episode["kind"];
  readonly episodeAfter: number;
  readonly fallAfter?: number;
  readonly json?: true;
}

function startTimeOf(options: SimulateOptions): number {
  return options.start ?? systemClock.now();
}

/** A simulated person is measured in slices short enough for an emergency; a recording comes in its own batches. */
function sliceSecondsOf({ csv, batchSeconds }: SimulateOptions): number {
  return csv === undefined && batchSeconds % EMERGENCY_SECONDS === 0 ? EMERGENCY_SECONDS : batchSeconds;
}

interface Slice {
  readonly columns: readonly ReadingColumn[];
  readonly fall: boolean;
}

async function* simulated(options: SimulateOptions): AsyncGenerator<Slice> {
  const { seed, batchSeconds, minutes, episode, episodeAfter, fallAfter } = options;
  const physiology = createPhysiology({
    seed,
    startTime: startTimeOf(options),
    ...(episode === undefined ? {} : { episode: { kind: episode, onsetSeconds: episodeAfter * 60 } }),
  });
  const seconds = sliceSecondsOf(options);
  const whole = minutes === undefined ? Number.POSITIVE_INFINITY : Math.ceil((minutes * 60) / batchSeconds);
  const fallsAt = fallAfter === undefined ? null : Math.floor((fallAfter * 60) / seconds);
  for (let i = 0; i < (whole * batchSeconds) / seconds; i++) {
    yield { columns: physiology.nextBatch(seconds), fall: i === fallsAt };
  }
}

async function* recorded(file: string, options: SimulateOptions): AsyncGenerator<Slice> {
  for await (const columns of readRecording(file, { ...options, start: startTimeOf(options) })) {
    yield { columns, fall: false };
  }
}

/** `medcloudlet simulate`: a wearable that measures a simulated person or replays a recording. */
export function simulateCommand(): Command {
  return withAddresses(
    newCommand("simulate", "be a wearable: seal simulated or recorded readings and send them"),
    "device folder",
  )
    .requiredOption("--device <folder>", "folder of the paired device")
    .option("--pairing <file>", "put this pairing, made in the page, into the folder first")
    .option("--csv <file>", "replay this recording instead of simulating")
    .option("--patient <id>", "only this patient of the recording")
    .option("--map <column=quantity...>", "what columns of the recording mean, where their names do not say")
    .addOption(new Option("--time-format <format>", "how the recording writes times").choices(TIME_FORMATS))
    .option("--delimiter <character>", "what separates the recording's columns; tab for a tab (default: ,)")
    .option("--start <time>", "moment of the first sample, ISO 8601 (default: now)", moment)
    .option("--seed <number>", "the same seed gives the same person", wholeNumber(0), 1)
    .option("--minutes <number>", "how long a person is simulated (default: until Ctrl-C)", wholeNumber(1))
    .option(
      "--speed <factor>",
      "1 is real time, 60 a minute a second, 0 as fast as it goes",
      wholeNumber(0),
      1,
    )
    .option(
      "--batch-seconds <seconds>",
      "how many seconds of readings are sealed together",
      wholeNumber(1, 3600),
      60,
    )
    .addOption(new Option("--episode <kind>", "let the person fall ill").choices(["sepsis", "hypoxia"]))
    .option("--fall-after <minutes>", "let the person fall: reports at once and every 10 s", wholeNumber(0))
    .option("--episode-after <minutes>", "when the illness begins", wholeNumber(0), 60)
    .action(async (options: SimulateOptions) => {
      const output = outputOf(options);
      const toolkit = await createToolkit(systemClock);
      if (options.pairing !== undefined) {
        await takePairing(options.device, await readFile(options.pairing, "utf8"));
        output.trouble(`The wearable is in ${options.device} now: delete ${options.pairing}.`);
      }
      const addresses = await addressesOf({ ...options, home: options.device });
      const { device, store, pairing } = await openDeviceFolder(toolkit, options.device, addresses);
      const caller = await openCaller({ toolkit, addresses, pairing, folder: options.device, output });
      const signal = abortOnInterrupt();
      const source = options.csv === undefined ? simulated(options) : recorded(options.csv, options);
      const onWait = (code: string, retryInMs: number) =>
        output.trouble(`  waiting ${retryInMs} ms (${code}); what is sealed is kept`);
      const sliceSeconds = sliceSecondsOf(options);
      const kept = await createKeptMode(store);
      const mode = await kept.load();
      const reporter = createReporter({
        sliceSeconds,
        regularSeconds: options.batchSeconds,
        ...(mode === null ? {} : { mode }),
      });
      let accepted = 0;
      try {
        const send = async ({ columns, priority, mode }: Report): Promise<void> => {
          const sealed = await device.record(columns, priority);
          const how = mode === "emergency" ? `, reports every ${sliceSeconds} s` : "";
          output.note(`  #${sealed.sequence}  sealed ${size(sealed.bytes.length)}  ${priority}${how}`);
          await uploadAll(device, { signal, onWait, onReceipt: () => accepted++ });
        };
        for await (const { columns, fall } of source) {
          if (signal.aborted) {
            break;
          }
          const report = reporter.take(columns, { fall });
          await kept.keep(reporter.mode());
          if (report !== null) {
            await send(report);
            await caller?.follow(reporter.mode());
          }
          if (options.speed > 0) {
            await sleep((sliceSeconds * 1000) / options.speed, undefined, { signal }).catch(() => {});
          }
        }
        const rest = reporter.rest();
        if (rest !== null) {
          await device.record(rest.columns, rest.priority);
        }
        await uploadAll(device, { signal, onWait, onReceipt: () => accepted++ });
        await caller?.end();
        const waiting = await device.waiting();
        output.result(
          {
            deviceId: device.deviceId,
            accepted,
            waiting,
            ...(caller === null ? {} : { call: caller.outcome() }),
          },
          `${accepted} batches accepted by the cloudlet, ${waiting} still in the outbox.`,
        );
      } finally {
        await store.close();
      }
    });
}
