import { readFile, stat } from "node:fs/promises";
import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import {
  createRecordOwner,
  createRecordReader,
  createSeenParts,
  personFingerprint,
  type RecordOwner,
  type RecordView,
  type SharedStream,
} from "../client/index.ts";
import { exportBundle, importBundle, observationsOfReadings } from "../fhir/index.ts";
import type { PatientRecord } from "../patient-record/index.ts";
import { splitRecord } from "../patient-record/index.ts";
import type { ReadingColumn } from "../sealing/index.ts";
import { emergencyOf } from "./emergency-home.ts";
import { ownerOf, type PersonAtWork, readerOf, type Toolkit, writePrivateFile } from "./home.ts";
import { asOwner } from "./home-lock.ts";
import { asPerson, newCommand, newGroup, outputOf, type PersonOptions, withPerson } from "./options.ts";
import { type Output, size } from "./output.ts";
import { printable, recordTable, regionData, regionsText, reportText } from "./record-text.ts";

const MAX_BUNDLE_BYTES = 256 * 1024 * 1024;

interface ImportOptions extends PersonOptions {
  readonly dryRun?: true;
}
interface ShowOptions extends PersonOptions {
  readonly patient?: string;
}
interface ExportOptions extends ShowOptions {
  readonly out?: string;
  readonly readings?: true;
}

/** Reads a bundle from a file. @throws MedcloudletError `CLI_FILE`, `FHIR_BUNDLE_INVALID` */
async function readBundle(file: string): Promise<unknown> {
  const unreadable = (cause: NodeJS.ErrnoException) =>
    new MedcloudletError("CLI_FILE", `Cannot read ${file} (${cause.code}): check its path and permissions.`, {
      cause,
    });
  const { size: bytes } = await stat(file).catch((cause) => {
    throw unreadable(cause);
  });
  if (bytes > MAX_BUNDLE_BYTES) {
    throw new MedcloudletError(
      "CLI_FILE",
      `${file} has ${size(bytes)}: a bundle of one patient has at most ${size(MAX_BUNDLE_BYTES)}.`,
    );
  }
  try {
    const text = await readFile(file, "utf8").catch((cause) => {
      throw unreadable(cause);
    });
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      throw new MedcloudletError("FHIR_BUNDLE_INVALID", `${file} is not JSON: give a FHIR bundle as JSON.`, {
        status: 422,
        cause,
      });
    }
    throw cause;
  }
}

function seenOf(person: PersonAtWork) {
  return createSeenParts(person.contents.seenRecords ?? {}, (seenRecords) => person.save({ seenRecords }));
}

function recordOwnerOf(toolkit: Toolkit, person: PersonAtWork): RecordOwner {
  const { session, keys, addresses } = person;
  const owner = ownerOf(toolkit, person);
  return createRecordOwner({
    ...toolkit,
    owner,
    session,
    keys,
    cloudUrl: addresses.cloud,
    seen: seenOf(person),
    onEpochs: async () => {
      await emergencyOf(toolkit, person, owner).catchUp();
    },
  });
}

/** A record that somebody may see, with the streams it was shared by; one's own has none. */
type Shown = RecordView & { readonly streams: readonly SharedStream[] };

/** A patient's own record, or what others share with a doctor. */
async function recordsOf(
  toolkit: Toolkit,
  person: PersonAtWork,
  wanted: string | undefined,
  output: Output,
): Promise<Shown[]> {
  const { session, keys, addresses, contents } = person;
  if (contents.role === "patient") {
    const { record, regions } = await recordOwnerOf(toolkit, person).load();
    const { accountId: ownerId, name: ownerName } = contents;
    return [{ ownerId, ownerName, ownerFingerprint: personFingerprint(keys), record, regions, streams: [] }];
  }
  const { streams, refused } = await readerOf(toolkit, person).shared();
  for (const error of refused) {
    output.note(output.colours.red(`  ✗ a grant was refused: ${error.message} [${error.code}]`));
  }
  const name = wanted?.toLowerCase();
  const chosen = streams.filter(
    ({ ownerName, ownerId }) =>
      name === undefined || ownerName.toLowerCase().includes(name) || ownerId === name,
  );
  if (chosen.length === 0) {
    throw new MedcloudletError(
      "CONSENT_MISSING",
      streams.length === 0
        ? "No patient shares anything with you now: ask the patient for consent."
        : `No shared record fits "${wanted}".`,
      { status: 403 },
    );
  }
  const reader = createRecordReader({
    http: toolkit.http,
    session,
    keys,
    cloudUrl: addresses.cloud,
    seen: seenOf(person),
  });
  const views = await reader.read(chosen);
  return views.map((view) => ({
    ...view,
    streams: chosen.filter(({ ownerId }) => ownerId === view.ownerId),
  }));
}

function importRecord(): Command {
  return withPerson(
    newCommand("import", "take a FHIR R4 bundle as your record, split by region and sealed on this machine"),
  )
    .argument("<bundle>", "JSON file with a bundle about one patient")
    .option("--dry-run", "only show which field goes to which region, and what is left out")
    .action(async (file: string, options: ImportOptions) => {
      const output = outputOf(options);
      const { record, report } = importBundle(await readBundle(file));
      const found = `${recordTable(record, output.colours)}\n${reportText(report, output.colours)}`;
      if (options.dryRun) {
        output.result({ regions: splitRecord(record), report }, found);
        return;
      }
      output.heading(found);
      await asOwner(options, async (person, toolkit) => {
        const owner = recordOwnerOf(toolkit, person);
        const { versions } = await owner.load();
        const saved = await owner.save(record, versions);
        output.result(
          { saved, report },
          saved
            .map(({ region, status, version, size: bytes }) =>
              status === "saved"
                ? `  ${region}: version ${version} sealed and saved, ${size(bytes)}`
                : `  ${region}: unchanged, version ${version}`,
            )
            .join("\n"),
        );
      });
    });
}

function show(): Command {
  return withPerson(newCommand("show", "show your record, or as a doctor what patients share of theirs"))
    .option("--patient <name>", "only patients whose name contains this, or one account id")
    .action((options: ShowOptions) =>
      asPerson(options, async (person, toolkit) => {
        const output = outputOf(options);
        const { colours } = output;
        for (const { ownerId, ownerName, record, regions } of await recordsOf(
          toolkit,
          person,
          options.patient,
          output,
        )) {
          output.result(
            { ownerId, patient: ownerName, regions: regions.map(regionData), record },
            [
              colours.bold(printable(ownerName) || "(no name given)"),
              ...(regions.length === 0 ? ["  Nothing was saved yet."] : [regionsText(regions, colours)]),
              ...(Object.keys(record).length === 0 ? [] : [recordTable(record, colours)]),
            ].join("\n"),
          );
        }
      }),
    );
}

/** Every opened reading of the streams; refused batches are counted, never dropped in silence. */
async function readingsOf(
  toolkit: Toolkit,
  person: PersonAtWork,
  streams: readonly SharedStream[],
): Promise<{ columns: ReadingColumn[]; refused: number }> {
  const reader = readerOf(toolkit, person);
  const columns: ReadingColumn[] = [];
  let refused = 0;
  for (const stream of streams) {
    for await (const { batch } of reader.read(stream)) {
      if (batch.status === "opened") {
        columns.push(...batch.columns);
      } else {
        refused++;
      }
    }
  }
  return { columns, refused };
}

function exportRecord(): Command {
  return withPerson(
    newCommand("export", "write your record, or what a patient shares with you, as a FHIR R4 bundle"),
  )
    .requiredOption("--fhir", "as FHIR R4, the one format there is")
    .option("--patient <name>", "the patient whose name contains this, or an account id")
    .option("--readings", "as a doctor, with the wearable's readings as observations")
    .option("--out <file>", "write to a file that only you can read, instead of the standard output")
    .action((options: ExportOptions) =>
      asPerson(options, async (person, toolkit) => {
        const output = outputOf(options);
        const shown = await recordsOf(toolkit, person, options.patient, output);
        const [view] = shown;
        if (view === undefined || shown.length > 1) {
          throw new MedcloudletError(
            "CLI_PATIENT_AMBIGUOUS",
            `A bundle is about one patient: name one with --patient (${shown.map(({ ownerName }) => printable(ownerName)).join(", ")}).`,
          );
        }
        const spoiled = view.regions.find(({ status }) => status === "refused");
        if (spoiled?.status === "refused") {
          // Half a record that looks whole is worse than none.
          throw spoiled.error;
        }
        const record = await withReadings(toolkit, person, view, options.readings === true);
        const at = toolkit.clock.now();
        const bundle = exportBundle(record, { pseudonym: view.ownerId, at });
        const text = JSON.stringify(bundle, null, 2);
        if (options.out === undefined) {
          output.result(bundle, text);
          return;
        }
        await writePrivateFile(options.out, `${text}\n`);
        const resources = bundle.entry.length;
        output.result({ file: options.out, resources }, `${resources} resources written to ${options.out}.`);
      }),
    );
}

async function withReadings(
  toolkit: Toolkit,
  person: PersonAtWork,
  { record, streams }: Shown,
  wanted: boolean,
): Promise<PatientRecord> {
  if (!wanted) {
    return record;
  }
  const { columns, refused } = await readingsOf(toolkit, person, streams);
  if (refused > 0) {
    throw new MedcloudletError(
      "READINGS_REFUSED",
      `${refused} batches of readings were refused: see them with \`medcloudlet doctor read\`.`,
      { status: 422 },
    );
  }
  const observations = [...(record.observations ?? []), ...observationsOfReadings(columns)];
  return observations.length === 0 ? record : { ...record, observations };
}

/** `medcloudlet record …`: a patient's record in three regions. */
export function recordCommand(): Command {
  const command = newGroup("record", "a patient's record: identity, profile, medical");
  for (const subcommand of [importRecord(), show(), exportRecord()]) {
    command.addCommand(subcommand);
  }
  return command;
}
