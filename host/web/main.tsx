import { render } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { TEXTS } from "./texts.ts";
import { type HandedOver, LoginView } from "./views/login.tsx";
import { PatientView } from "./views/patient.tsx";
import { PatientList } from "./views/patient-list.tsx";
import type { PatientRow, Person, Told } from "./worker/messages.ts";
import { startWorker, type WorkerPort } from "./worker/port.ts";
import type { Series, SeriesUpdate } from "./worker/series.ts";

/** Puts what came behind what is there. */
function withUpdates(
  known: ReadonlyMap<string, Series>,
  updates: readonly SeriesUpdate[],
): Map<string, Series> {
  const series = new Map(known);
  for (const { quantity, whole, times, values } of updates) {
    const before = whole ? undefined : series.get(quantity);
    if (before === undefined) {
      series.set(quantity, { times, values });
      continue;
    }
    const length = before.times.length + times.length;
    const [allTimes, allValues] = [new Float64Array(length), new Float64Array(length)];
    allTimes.set(before.times);
    allTimes.set(times, before.times.length);
    allValues.set(before.values);
    allValues.set(values, before.values.length);
    series.set(quantity, { times: allTimes, values: allValues });
  }
  return series;
}

function useTheme(): string {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const [theme, setTheme] = useState(dark.matches ? "dark" : "light");
  useEffect(() => {
    const change = () => setTheme(dark.matches ? "dark" : "light");
    dark.addEventListener("change", change);
    return () => dark.removeEventListener("change", change);
  }, [dark]);
  return theme;
}

function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

interface Opened {
  readonly streamId: string;
  readonly series: ReadonlyMap<string, Series>;
  readonly version: number;
}

function App({ handed }: { readonly handed: HandedOver }) {
  const [person, setPerson] = useState<Person | null>(null);
  const [rows, setRows] = useState<readonly PatientRow[] | null>(null);
  const [refusedGrants, setRefusedGrants] = useState(0);
  const [opened, setOpened] = useState<Opened | null>(null);
  const theme = useTheme();
  const now = useNow(1000);

  const worker = useRef<WorkerPort | null>(null);
  if (worker.current === null) {
    worker.current = startWorker((told: Told) => {
      if (told.told === "patients") {
        setRows(told.rows);
        setRefusedGrants(told.refusedGrants);
        return;
      }
      setOpened((known) =>
        known?.streamId === told.streamId
          ? { ...known, series: withUpdates(known.series, told.updates), version: known.version + 1 }
          : known,
      );
    });
  }
  const port = worker.current;

  const show = useCallback(
    (streamId: string | null) => {
      setOpened(streamId === null ? null : { streamId, series: new Map(), version: 0 });
      port.ask("show", { streamId });
    },
    [port],
  );
  const close = useCallback(() => show(null), [show]);

  if (person === null) {
    return <LoginView worker={port} handed={handed} onPerson={setPerson} />;
  }
  return (
    <>
      <nav class="bar">
        <span class="brand">{TEXTS.product}</span>
        <span class="dim">{TEXTS.bar.loggedInAs(person.name, person.role)}</span>
        <button
          type="button"
          onClick={async () => {
            await port.ask("logOut", null).catch(() => null);
            // Everything that was opened goes with the page.
            location.replace("/");
          }}
        >
          {TEXTS.bar.logOut}
        </button>
      </nav>
      {opened === null ? (
        <PatientList rows={rows} refusedGrants={refusedGrants} now={now} onOpen={show} />
      ) : (
        <PatientView
          row={rows?.find(({ streamId }) => streamId === opened.streamId)}
          series={opened.series}
          version={opened.version}
          now={now}
          theme={theme}
          onBack={close}
        />
      )}
    </>
  );
}

/** Reads what the address brings along and takes it out of the address bar and the history at once. */
function takeHandedOver(): HandedOver {
  const { hash } = location;
  if (!hash.startsWith("#login=")) {
    return {};
  }
  history.replaceState(null, "", "/");
  try {
    const bytes = Uint8Array.from(atob(hash.slice(7).replace(/-/g, "+").replace(/_/g, "/")), (c) =>
      c.charCodeAt(0),
    );
    const given: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof given === "object" && given !== null ? (given as HandedOver) : {};
  } catch {
    return {};
  }
}

render(<App handed={takeHandedOver()} />, document.getElementById("app") as HTMLElement);
