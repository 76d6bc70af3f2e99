import { useEffect, useRef, useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useDoing } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import type { View } from "../readings/chart.tsx";
import { TEXTS } from "../texts/index.ts";
import type { ExportFormat } from "../worker/doctor/questions.ts";
import type { PatientRow } from "../worker/streams.ts";

const ENDINGS: Readonly<Record<ExportFormat, string>> = { csv: "csv", fhir: "fhir.json" };

/** A name for any file system; nothing of the patient's unless it was asked for. */
function fileNameOf(row: PatientRow, [from]: View, named: boolean, format: ExportFormat): string {
  const who = named ? `-${row.name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "")}` : "";
  return `${TEXTS.export.fileName}${who}-${new Date(from).toISOString().slice(0, 10)}.${ENDINGS[format]}`;
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Makes a file of what the charts show, after saying what that means. */
export function ExportForm({ row, view }: { readonly row: PatientRow; readonly view: () => View | null }) {
  const { port } = usePage();
  const [range, setRange] = useState<View | null>(null);
  const [named, setNamed] = useState(false);
  const [saved, setSaved] = useState<string | null>(null);
  const first = useRef<HTMLButtonElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const doing = useDoing();
  const isOpen = range !== null;
  useEffect(() => {
    if (isOpen) {
      first.current?.focus();
    }
  }, [isOpen]);
  const close = () => {
    setRange(null);
    setTimeout(() => opener.current?.focus());
  };
  const text = TEXTS.export;

  if (range === null) {
    return (
      <button
        type="button"
        ref={opener}
        onClick={() => {
          setSaved(null);
          setRange(view());
        }}
      >
        {text.open}
      </button>
    );
  }
  const run = (format: ExportFormat) =>
    doing.run(async () => {
      setSaved(null);
      const [from, to] = range;
      const blob = await port.ask("exportReadings", { streamId: row.streamId, format, from, to });
      const name = fileNameOf(row, range, named, format);
      save(blob, name);
      setSaved(name);
    });
  return (
    <section class="export" aria-labelledby="export-title">
      <h2 id="export-title">{text.title}</h2>
      <p>{text.range(dateText(range[0]), dateText(Math.min(range[1], Date.now())))}</p>
      <p class="banner">{text.warning}</p>
      {row.opening ? <p>{text.incomplete}</p> : null}
      {row.refused === 0 ? null : <p>{text.refused(row.refused)}</p>}
      <label class="choice">
        <input type="checkbox" checked={named} onChange={(event) => setNamed(event.currentTarget.checked)} />
        <span>{text.named}</span>
      </label>
      <div class="ranges">
        {(["csv", "fhir"] as const).map((format) => (
          <button
            type="button"
            key={format}
            disabled={doing.busy}
            {...(format === "csv" ? { ref: first } : {})}
            onClick={() => run(format)}
          >
            {text[format]}
          </button>
        ))}
        <button type="button" onClick={close}>
          {text.close}
        </button>
      </div>
      <Failure text={doing.failure} />
      <p role="status">{saved === null ? null : text.done(saved)}</p>
    </section>
  );
}
