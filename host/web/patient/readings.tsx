import { useEffect, useState } from "preact/hooks";
import { ageText } from "../format.ts";
import { useNow, useTold } from "../hooks.ts";
import { Notes } from "../notes/notes.tsx";
import { usePage } from "../page-context.ts";
import { signsOf } from "../readings/signs.ts";
import { StreamState } from "../readings/stream-state.tsx";
import { useStreamSeries } from "../readings/use-stream-series.ts";
import { VitalCharts } from "../readings/vital-charts.tsx";
import { VitalSigns } from "../readings/vital-signs.tsx";
import { addressOf, goTo, type Route } from "../route.ts";
import "../style/patient.css";
import { TEXTS } from "../texts/index.ts";
import type { PatientRow } from "../worker/streams.ts";

const text = TEXTS.home.readings;

function NotPaired() {
  return (
    <main>
      <h1>{text.title}</h1>
      <section class="sheet reading-width">
        <h2>{text.empty}</h2>
        <p>{text.emptyWhat}</p>
        <p>
          <a href={addressOf("devices")}>{text.emptyGo}</a>
        </p>
      </section>
    </main>
  );
}

/** The patient's own readings, opened with their own keys. */
export function ReadingsView({ rest }: { readonly rest: Route }) {
  const { port } = usePage();
  const [rows, setRows] = useState<readonly PatientRow[] | null>(null);
  const now = useNow(1000);
  useTold("patients", (told) => setRows(told.rows));
  useEffect(() => {
    port.ask("patients", null).catch(() => null);
  }, [port]);
  const row = rows?.find(({ streamId }) => streamId === rest[0]) ?? rows?.[0];
  const opened = useStreamSeries(row?.streamId ?? null);

  if (rows === null) {
    return (
      <main aria-busy="true">
        <h1>{text.title}</h1>
      </main>
    );
  }
  if (row === undefined) {
    return <NotPaired />;
  }
  const unusual = signsOf(row.vitals)
    .filter((sign) => sign.unusual)
    .map(({ label, value, unit }) => `${label} ${value} ${unit}`);
  return (
    <main>
      <header class="patient">
        <div class="who">
          <h1>{text.title}</h1>
          <p class="dim">
            {row.lastTime === null
              ? text.none
              : `${text.last(ageText(row.lastTime, now))} · ${TEXTS.readings.batches(row.batches)}`}
          </p>
        </div>
        {row.lastTime === null ? null : <VitalSigns vitals={row.vitals} now={now} plain={true} />}
      </header>
      <p class="unusual">{unusual.length === 0 ? null : text.unusual(unusual.join(", "))}</p>
      {rows.length < 2 ? null : (
        <fieldset class="ranges" aria-label={text.choose}>
          {rows.map(({ streamId }, i) => (
            <button
              type="button"
              key={streamId}
              aria-pressed={streamId === row.streamId}
              onClick={() => goTo("readings", streamId)}
            >
              {`${text.title} ${i + 1}`}
            </button>
          ))}
        </fieldset>
      )}
      <StreamState row={row} />
      {row.lastTime === null ? null : <VitalCharts opened={opened} lastTime={row.lastTime} plain={true} />}
      <p class="dim">{text.what}</p>
      <Notes streamId={row.streamId} />
    </main>
  );
}
