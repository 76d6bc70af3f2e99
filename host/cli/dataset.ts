import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { MedcloudletError, systemClock } from "../base/index.ts";
import type { Region } from "../sealing/index.ts";
import { uploadAll } from "../wearable/index.ts";
import { isPaired, openDeviceFolder, pairDevice } from "./device-folder.ts";
import { ownerOf } from "./home.ts";
import { abortOnInterrupt } from "./interrupt.ts";
import {
  asPerson,
  moment,
  newCommand,
  newGroup,
  outputOf,
  type PersonOptions,
  regionOption,
  withPerson,
} from "./options.ts";
import { size } from "./output.ts";
import { readRecording } from "./recording.ts";

const YEARS_10_MS = 10 * 365 * 24 * 60 * 60 * 1000;
const BATCH_SECONDS = 3600;

interface UploadOptions extends PersonOptions {
  readonly region: Region;
  readonly patient?: string;
  readonly map?: string[];
  readonly start?: number;
}

/** Names a data set by its bytes and by how they were read, so that the same upload is known again. */
async function datasetId(file: string, options: UploadOptions): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch (cause) {
    throw new MedcloudletError("CLI_FILE", `Cannot read ${file}: check its name, and that you may.`, {
      status: 400,
      cause,
    });
  }
  const reading = JSON.stringify([options.patient, options.map, options.start, options.region]);
  return createHash("sha256").update(hash.digest()).update(reading).digest("hex");
}

function upload(): Command {
  return withPerson(
    newCommand("upload", "seal a whole data set on this machine and send it the way of readings"),
  )
    .argument("<file>", "CSV file of your readings")
    .addOption(regionOption())
    .option("--patient <id>", "only this patient of the file")
    .option("--map <column=quantity...>", "what columns mean, where their names do not say")
    .option("--start <time>", "start of the recording, ISO 8601, where times count from it", moment)
    .action((file: string, options: UploadOptions) =>
      asPerson(options, async (person, toolkit) => {
        const output = outputOf(options);
        const id = await datasetId(file, options);
        const folder = join(options.home, `uploader-${options.region}`);
        if (!(await isPaired(folder))) {
          await pairDevice({
            folder,
            owner: ownerOf(toolkit, person),
            ownerId: person.contents.accountId,
            ownerKeys: person.keys,
            region: options.region,
            until: systemClock.now() + YEARS_10_MS,
            addresses: person.addresses,
          });
        }
        const { device, store } = await openDeviceFolder(toolkit, folder, person.addresses);
        try {
          let batches = 0;
          let bytes = 0;
          output.note(`  sealing ${basename(file)} on this machine …`);
          const { already } = await device.recordDataset(
            id,
            readRecording(file, { ...options, batchSeconds: BATCH_SECONDS }),
            (sealed) => {
              batches++;
              bytes += sealed.bytes.length;
            },
          );
          const waiting = await device.waiting();
          const progress = output.progress("uploading", waiting);
          let accepted = 0;
          await uploadAll(device, {
            signal: abortOnInterrupt(),
            onReceipt: () => {
              accepted++;
              progress.step();
            },
            onWait: (code, ms) =>
              output.note(`  waiting ${ms} ms (${code}); run the command again to go on later`),
          });
          progress.end();
          const left = await device.waiting();
          output.result(
            { file, sealed: batches, bytes, accepted, waiting: left, alreadySealed: already },
            already && accepted === 0
              ? `${basename(file)} was uploaded before: nothing to do.`
              : `${basename(file)}: ${batches} ${batches === 1 ? "batch" : "batches"} sealed (${size(bytes)}), ${accepted} accepted, ${left} waiting.`,
          );
        } finally {
          await store.close();
        }
      }),
    );
}

/** `medcloudlet dataset upload FILE.csv`. */
export function datasetCommand(): Command {
  return newGroup("dataset", "whole data sets").addCommand(upload());
}
