import { readFile } from "node:fs/promises";
import { text as everythingOf } from "node:stream/consumers";
import { type Command, Option } from "commander";
import { fromBase64Url, MedcloudletError } from "../base/index.ts";
import {
  createNoteIndex,
  createPatientNotes,
  type NoteVersion,
  ownNotedStream,
  type PatientNote,
  type PatientNotes,
  type WritableStream,
} from "../client/index.ts";
import { type PersonAtWork, readerOf, type Toolkit } from "./home.ts";
import { asPerson, hexId, newCommand, outputOf, type PersonOptions, withPerson } from "./options.ts";
import { groups, type Output } from "./output.ts";
import { printable } from "./record-text.ts";
import { chooseStreams } from "./shared-choice.ts";

interface WriteOptions extends PersonOptions {
  readonly patient?: string;
  readonly text?: string;
  readonly file?: string;
  readonly replaces?: string;
  readonly retract?: string;
}
interface ListOptions extends PersonOptions {
  readonly patient?: string;
  readonly search?: string;
  readonly earlier?: true;
}

/** A stream and whose it is, for people. */
interface Named {
  readonly stream: WritableStream;
  readonly name: string;
}

const noteId = hexId("the list of notes");

function notesOf({ suite, clock, http }: Toolkit, person: PersonAtWork): PatientNotes {
  const { session, keys, contents, addresses } = person;
  return createPatientNotes({
    ...{ suite, clock, http, session, keys },
    ...{ name: contents.name, cloudUrl: addresses.cloud },
  });
}

/** Medical streams that a doctor may read, the newest consent of each patient. */
async function sharedStreams(
  toolkit: Toolkit,
  person: PersonAtWork,
  patient: string | undefined,
): Promise<Named[]> {
  const { streams } = await readerOf(toolkit, person).shared();
  const medical = streams.filter(({ region }) => region === "medical");
  const byStream = new Map(chooseStreams(medical, patient).map((stream) => [stream.streamId, stream]));
  return [...byStream.values()].map((stream) => ({ stream, name: stream.ownerName }));
}

async function ownStreams({ suite }: Toolkit, { contents, keys }: PersonAtWork): Promise<Named[]> {
  const epochs = contents.epochs.map((epoch) => ({ ...epoch, privateKey: fromBase64Url(epoch.privateKey) }));
  const { accountId, name } = contents;
  return [{ stream: await ownNotedStream(suite, { accountId, keys, epochs }), name }];
}

type StreamsOf = (
  toolkit: Toolkit,
  person: PersonAtWork,
  patient: string | undefined,
) => Promise<readonly Named[]>;

async function textOf({ text, file = "-" }: WriteOptions): Promise<string> {
  if (text !== undefined) {
    return text;
  }
  if (file === "-") {
    return (await everythingOf(process.stdin)).trimEnd();
  }
  const written = await readFile(file, "utf8").catch((cause) => {
    throw new MedcloudletError("CLI_FILE", `Cannot read ${file}: check the path.`, { status: 400, cause });
  });
  return written.trimEnd();
}

function versionText({ at, text, retracted }: NoteVersion, { colours }: Output): string {
  // A bar before every further line: what somebody wrote must not look like a line of the program's own.
  const words = retracted ? colours.dim("(taken back)") : text.split("\n").map(printable).join("\n    │ ");
  return `${colours.dim(new Date(at).toISOString())}  ${words}`;
}

function noteText(note: PatientNote, earlier: boolean, output: Output): string {
  const { colours } = output;
  const name = printable(note.authorName) || "(no name given)";
  const who =
    note.by === "patient" ? `${name}, the patient` : `${name}  fingerprint ${groups(note.fingerprint)}`;
  const gone = note.earlierMissing ? ", something before it is not shown here" : "";
  const before = note.earlier.length === 0 ? "" : `  ${note.earlier.length} earlier${gone}`;
  return [
    `  ${versionText(note, output)}`,
    colours.dim(
      `    ${note.noteId}  ${who}${note.earlier.length === 0 && gone !== "" ? `  replaces one${gone}` : before}`,
    ),
    ...(earlier ? note.earlier.map((version) => `    was: ${versionText(version, output)}`) : []),
  ].join("\n");
}

async function write(streamsOf: StreamsOf, options: WriteOptions): Promise<void> {
  if (options.text === undefined && options.file === undefined && options.retract === undefined) {
    throw new MedcloudletError(
      "CLI_USAGE",
      "Say what to write with --file FILE (- for standard input) or --text, or what to take back with --retract.",
    );
  }
  await asPerson(options, async (person, toolkit) => {
    const output = outputOf(options);
    const streams = await streamsOf(toolkit, person, options.patient);
    const [only] = streams;
    if (only === undefined || streams.length > 1) {
      throw new MedcloudletError(
        "CLI_PATIENT_UNCLEAR",
        `A note is about one patient; this fits ${streams.map(({ name }) => printable(name)).join(", ")}: say more of the name.`,
      );
    }
    const notes = notesOf(toolkit, person);
    const { stream, name } = only;
    if (options.retract !== undefined) {
      await notes.retract(stream, options.retract);
      output.result({ retracted: options.retract }, "Taken back: readers see that there was a note.");
      return;
    }
    const { replaces } = options;
    const written = await notes.write(stream, {
      text: await textOf(options),
      ...(replaces === undefined ? {} : { replaces }),
    });
    output.result(
      { patient: name, ...written },
      `Noted beside ${printable(name)}'s readings. Replace it with --replaces ${written.noteId}.`,
    );
  });
}

async function list(streamsOf: StreamsOf, options: ListOptions): Promise<void> {
  await asPerson(options, async (person, toolkit) => {
    const output = outputOf(options);
    const { colours } = output;
    const notes = notesOf(toolkit, person);
    for (const { stream, name } of await streamsOf(toolkit, person, options.patient)) {
      const all = await notes.list(stream);
      const shown =
        options.search === undefined
          ? all.notes
          : createNoteIndex(all.notes)
              .search(options.search)
              .map(({ note }) => note);
      const notShared = all.refused.filter(({ code }) => code === "EPOCH_UNKNOWN").length;
      const refused = all.refused.filter(({ code }) => code !== "EPOCH_UNKNOWN");
      output.result(
        { patient: name, notes: shown, refused: refused.map(({ code }) => code), notShared },
        [
          colours.bold(printable(name) || "(no name given)"),
          ...(shown.length === 0
            ? [options.search === undefined ? "  No notes yet." : "  No note has these words."]
            : shown.map((note) => noteText(note, options.earlier === true, output))),
          ...(notShared > 0
            ? [colours.dim(`  ${notShared} notes are of times that were not shared with you.`)]
            : []),
          ...refused.map(({ code, message }) => colours.red(`  ✗ a note was refused: ${message} [${code}]`)),
        ].join("\n"),
      );
    }
  });
}

function noteCommands(streamsOf: StreamsOf, about: "patient" | "self"): [Command, Command] {
  const whose = about === "self" ? "your own readings" : "a patient's readings";
  const writing = withPerson(
    newCommand("note", `write a note beside ${whose}, sealed; all their readers can open it`),
  )
    .option("--file <file>", "what to write; - for standard input")
    .addOption(
      new Option("--text <text>", "what to write, seen by whoever lists this machine's processes").conflicts(
        "file",
      ),
    )
    .option("--replaces <note>", "stands in the place of this note of yours", noteId)
    .addOption(
      new Option("--retract <note>", "take a note of yours back")
        .argParser(noteId)
        .conflicts(["text", "file", "replaces"]),
    );
  const listing = withPerson(
    newCommand("notes", `notes beside ${whose}, opened and searched on this machine`),
  )
    .option("--search <words>", "those with these words, the best first; the last may be a beginning")
    .option("--earlier", "also what stood there before");
  if (about === "patient") {
    writing.requiredOption("--patient <name>", "the patient whose name contains this");
    listing.option("--patient <name>", "only patients whose name contains this");
  }
  return [
    writing.action((options: WriteOptions) => write(streamsOf, options)),
    listing.action((options: ListOptions) => list(streamsOf, options)),
  ];
}

/** `medcloudlet doctor note | notes`. */
export const doctorNoteCommands = (): [Command, Command] => noteCommands(sharedStreams, "patient");

/** `medcloudlet keys note | notes`: the patient's own. */
export const ownNoteCommands = (): [Command, Command] => noteCommands(ownStreams, "self");
