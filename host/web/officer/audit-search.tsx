import { useState } from "preact/hooks";
import type { AuditEntry } from "../../audit/reading.ts";
import { dateText } from "../format.ts";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { Field } from "../parts/field.tsx";
import { TEXTS } from "../texts/index.ts";
import type { AuditSearch, AuditVerdict } from "../worker/officer/audit-questions.ts";
import { Prose, Scroll } from "./blocks.tsx";
import { timeText } from "./words.ts";

const MOST_SHOWN = 200;
const text = TEXTS.officer.audit;

interface Fields {
  readonly account: string;
  readonly action: string;
  readonly from: string;
  readonly to: string;
  readonly refusedOnly: boolean;
}

/** What the fields ask for; an empty one asks for nothing. Times are the reader's own. */
function searchOf({ account, action, from, to, refusedOnly }: Fields): AuditSearch {
  const time = (value: string) => new Date(value).getTime();
  return {
    ...(account.trim() === "" ? {} : { account: account.trim().toLowerCase() }),
    ...(action.trim() === "" ? {} : { action: action.trim() }),
    ...(from === "" ? {} : { from: time(from) }),
    ...(to === "" ? {} : { to: time(to) }),
    ...(refusedOnly ? { refusedOnly } : {}),
  };
}

/** Gives a file to the browser's downloads. */
function download(name: string, file: Blob): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function TimeField(props: {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}) {
  const { id, label, value, onValue } = props;
  return (
    <label class="field" for={id}>
      <span>{label}</span>
      <input
        id={id}
        type="datetime-local"
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </label>
  );
}

const short = (id: string | null) => (id === null ? "" : id.slice(0, 8));
/** Milliseconds since 1970, of a time that people meet. */
const isTime = (value: string | number) => typeof value === "number" && value > 1e12 && value < 1e13;
const details = ({ details }: AuditEntry) =>
  Object.entries(details)
    .map(([name, value]) => `${name} ${isTime(value) ? dateText(value as number) : value}`)
    .join(", ");

function Entries({ entries }: { readonly entries: readonly AuditEntry[] }) {
  const { head } = text;
  return (
    <Scroll label={text.search}>
      <table class="entries">
        <thead>
          <tr>
            <th scope="col">{head.entry}</th>
            <th scope="col">{head.time}</th>
            <th scope="col">{head.who}</th>
            <th scope="col">{head.action}</th>
            <th scope="col">{head.about}</th>
            <th scope="col">{head.outcome}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.sequence}>
              <th scope="row">{entry.sequence}</th>
              <td>{timeText(entry.at)}</td>
              <td>
                {entry.actor === null ? (
                  <span class="dim">{text.stranger}</span>
                ) : (
                  <>
                    {entry.actorRole} <code title={entry.actor}>{short(entry.actor)}</code>
                  </>
                )}
              </td>
              <td>{entry.action}</td>
              <td>
                <code>{short(entry.object ?? entry.owner)}</code> <small>{details(entry)}</small>
              </td>
              <td class={entry.code === null ? "" : "failure"}>
                {entry.code === null ? text.success : text.refused(entry.code)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Search and export of what was verified. */
export function AuditSearchView({ verified }: { readonly verified: AuditVerdict | null }) {
  const { port } = usePage();
  const [fields, setFields] = useState<Fields>({
    ...{ account: "", action: "", from: "", to: "" },
    refusedOnly: false,
  });
  const [found, setFound] = useState<{ found: number; entries: readonly AuditEntry[] } | null>(null);
  const [exported, setExported] = useState<string | null>(null);
  const doing = useDoing();
  const set = (changes: Partial<Fields>) => setFields((before) => ({ ...before, ...changes }));

  const submit = (event: Event) => {
    event.preventDefault();
    doing.run(async () => {
      setFound(await port.ask("searchAudit", { search: searchOf(fields), limit: MOST_SHOWN }));
    });
  };
  const exportAs = (format: "csv" | "ndjson") =>
    doing.run(async () => {
      const { name, file } = await port.ask("exportAudit", { format, search: searchOf(fields) });
      download(name, file);
      setExported(name);
    });

  return (
    <section aria-labelledby="search">
      <h2 id="search">{text.search}</h2>
      {verified === null ? <p class="dim">{text.verifyFirst}</p> : null}
      <form class="filters" onSubmit={submit}>
        <Field
          id="audit-account"
          label={text.account}
          hint={text.accountHint}
          value={fields.account}
          required={false}
          maxLength={40}
          onValue={(account) => set({ account })}
        />
        <Field
          id="audit-action"
          label={text.action}
          hint={text.actionHint}
          value={fields.action}
          required={false}
          maxLength={64}
          onValue={(action) => set({ action })}
        />
        <TimeField id="audit-from" label={text.from} value={fields.from} onValue={(from) => set({ from })} />
        <TimeField id="audit-to" label={text.to} value={fields.to} onValue={(to) => set({ to })} />
        <label class="choice">
          <input
            type="checkbox"
            checked={fields.refusedOnly}
            onChange={(event) => set({ refusedOnly: event.currentTarget.checked })}
          />
          <span>{text.refusedOnly}</span>
        </label>
        <button type="submit" class="primary" disabled={verified === null} aria-busy={doing.busy}>
          {text.find}
        </button>
      </form>
      <Failure text={doing.failure} />
      <p role="status">{found === null ? "" : text.found(found.found, found.entries.length)}</p>
      {found === null || found.found === 0 ? null : <Entries entries={found.entries} />}
      <div class="acts">
        <button
          type="button"
          disabled={verified === null}
          aria-busy={doing.busy}
          onClick={() => exportAs("csv")}
        >
          {text.csv}
        </button>
        <button
          type="button"
          disabled={verified === null}
          aria-busy={doing.busy}
          onClick={() => exportAs("ndjson")}
        >
          {text.ndjson}
        </button>
      </div>
      <p class="dim" role="status">
        {exported === null ? <Prose of={text.exportHint} /> : text.exported(exported)}
      </p>
    </section>
  );
}
