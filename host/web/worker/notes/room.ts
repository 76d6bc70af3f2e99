import { MedcloudletError } from "../../../base/index.ts";
import {
  createNoteIndex,
  createPatientNotes,
  type NotedStream,
  type PatientNote,
  type WritableStream,
} from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { NoteLine, NoteQuestions } from "./questions.ts";

function isWritable(stream: NotedStream): stream is WritableStream {
  return "consentStatement" in stream;
}

/**
 * Notes that are kept sealed beside the streams somebody reads. Searching happens here, over what was opened.
 * @param options.streamOf the stream as its reader has it now
 */
export function createNoteRoom(options: {
  readonly work: Work;
  readonly streamOf: (streamId: string) => Promise<NotedStream | undefined>;
}): Answers<NoteQuestions> {
  const { work } = options;
  const { accountId, name } = work.person;
  const notes = createPatientNotes({ ...work, name, cloudUrl: work.places.cloudUrl });

  const streamOf = async (streamId: string): Promise<NotedStream> => {
    const stream = await options.streamOf(streamId);
    if (stream === undefined) {
      throw new MedcloudletError("NOTES_CLOSED", "This patient is not open here any more.", { status: 404 });
    }
    return stream;
  };
  const writable = async (streamId: string): Promise<WritableStream> => {
    const stream = await streamOf(streamId);
    if (!isWritable(stream)) {
      throw new MedcloudletError("CONSENT_MISSING", "Notes are for those whom the patient lets treat them.", {
        status: 403,
      });
    }
    return stream;
  };
  const lineOf = (note: PatientNote, matches: NoteLine["matches"] = []): NoteLine => {
    const { noteId, text, at, retracted, authorName, fingerprint, by, author, earlier, earlierMissing } =
      note;
    return {
      ...{ noteId, text, at, retracted, authorName, fingerprint, by, earlierMissing, matches },
      mine: author === accountId,
      earlier: earlier.map((version) => ({
        at: version.at,
        text: version.text,
        retracted: version.retracted,
      })),
    };
  };

  return {
    async notes({ streamId, words }) {
      const stream = await streamOf(streamId);
      const list = await notes.list(stream);
      const lines =
        words.trim() === ""
          ? list.notes.map((note) => lineOf(note))
          : createNoteIndex(list.notes)
              .search(words)
              .map(({ note, matches }) => lineOf(note, matches));
      return { notes: lines, refused: list.refused.length, mayWrite: isWritable(stream) };
    },
    async writeNote({ streamId, text, replaces }) {
      const stream = await writable(streamId);
      await notes.write(stream, replaces === null ? { text } : { text, replaces });
      return null;
    },
    async retractNote({ streamId, noteId }) {
      await notes.retract(await writable(streamId), noteId);
      return null;
    },
  };
}
