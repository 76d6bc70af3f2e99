import "../style/notes.css";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useAsked, useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { FoldedFingerprint } from "../parts/folded-fingerprint.tsx";
import { Sheet } from "../parts/sheet.tsx";
import { SureButton } from "../parts/sure-button.tsx";
import { TextForm } from "../parts/text-form.tsx";
import { TEXTS } from "../texts/index.ts";
import type { NoteLine } from "../worker/notes/questions.ts";

const text = TEXTS.notes;
const MOST_WORDS = 4000;
/** How often it is looked whether somebody wrote, while the notes are on the screen. */
const LOOK_EVERY_MS = 15_000;

/** Words with those marked that were searched for. */
function Marked({ words, matches }: { readonly words: string; readonly matches: NoteLine["matches"] }) {
  const parts: ComponentChildren[] = [];
  let end = 0;
  for (const [from, to] of matches) {
    parts.push(words.slice(end, from), <mark key={from}>{words.slice(from, to)}</mark>);
    end = to;
  }
  return (
    <>
      {parts}
      {words.slice(end)}
    </>
  );
}

function authorText({ authorName, by }: NoteLine): string {
  const name = authorName === "" ? text.noName : authorName;
  return by === "patient" ? `${name}, ${text.patient}` : name;
}

function NoteCard(props: {
  readonly note: NoteLine;
  readonly busy: boolean;
  readonly onCorrect: () => void;
  readonly onRetract: () => void;
}) {
  const { note, busy } = props;
  return (
    <li class="note">
      <p class="dim">
        <strong>{authorText(note)}</strong> · {dateText(note.at)}
      </p>
      {note.retracted ? (
        <p class="dim">{text.retracted}</p>
      ) : (
        <p class="words-of-note">
          <Marked words={note.text} matches={note.matches} />
        </p>
      )}
      {note.earlier.length === 0 ? null : (
        <details>
          <summary>{text.earlier(note.earlier.length)}</summary>
          {note.earlier.map(({ at, text: words, retracted }) => (
            <p class="words-of-note dim" key={at}>
              {dateText(at)}: {retracted ? text.retracted : words}
            </p>
          ))}
        </details>
      )}
      {note.earlierMissing ? <p class="dim">{text.earlierMissing}</p> : null}
      {note.by === "patient" ? null : <FoldedFingerprint hex={note.fingerprint} />}
      {note.mine && !note.retracted ? (
        <p class="acts">
          <button type="button" onClick={props.onCorrect}>
            {text.correct}
          </button>
          <SureButton
            label={text.retract}
            question={text.retractQuestion}
            disabled={busy}
            onSure={props.onRetract}
          />
        </p>
      ) : null}
    </li>
  );
}

/** Notes beside the readings of one patient: read, searched, written. */
export function Notes({ streamId }: { readonly streamId: string }) {
  const { port } = usePage();
  const [words, setWords] = useState("");
  /** Null: nothing is being written; otherwise what it replaces, where it does. */
  const [writing, setWriting] = useState<{ readonly replaces: string | null } | null>(null);
  const { answer, failure, again } = useAsked("notes", { streamId, words });
  const doing = useDoing();

  useEffect(() => {
    const timer = setInterval(again, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [again]);

  const retract = async (noteId: string) => {
    if (await doing.run(async () => void (await port.ask("retractNote", { streamId, noteId })))) {
      again();
    }
  };
  const write = async (written: string) => {
    const ask = { streamId, text: written, replaces: writing?.replaces ?? null };
    if (await doing.run(async () => void (await port.ask("writeNote", ask)))) {
      setWriting(null);
      again();
    }
  };

  return (
    <Sheet id="notes" title={text.title} what={text.what}>
      <Failure text={doing.failure ?? failure} />
      {writing === null ? (
        <p class="acts">
          {answer?.mayWrite === true ? (
            <button type="button" class="accent" onClick={() => setWriting({ replaces: null })}>
              {text.write}
            </button>
          ) : null}
        </p>
      ) : (
        <TextForm
          id="note"
          label={text.yourNote}
          button={text.keep}
          cancel={text.cancel}
          maxLength={MOST_WORDS}
          busy={doing.busy}
          onText={write}
          onCancel={() => setWriting(null)}
        />
      )}
      <Field
        id="search-notes"
        label={text.search}
        type="search"
        required={false}
        value={words}
        onValue={setWords}
      />
      {answer === null || answer.notes.length > 0 ? null : (
        <p class="dim">{words === "" ? text.none : text.notFound}</p>
      )}
      <ul class="notes">
        {answer?.notes.map((note) => (
          <NoteCard
            key={note.noteId}
            note={note}
            busy={doing.busy}
            onCorrect={() => setWriting({ replaces: note.noteId })}
            onRetract={() => retract(note.noteId)}
          />
        ))}
      </ul>
      {answer === null || answer.refused === 0 ? null : <p class="dim">{text.refused(answer.refused)}</p>}
    </Sheet>
  );
}
