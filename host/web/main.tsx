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

/** True where the KDC lets addresses bring a login along: a demo's alone does. */
async function takesLogins(): Promise<boolean> {
  const settings: unknown = await (await fetch("/page.json")).json();
  return (
    typeof settings === "object" &&
    settings !== null &&
    "handOver" in settings &&
    settings.handOver === "demo"
  );
}

/** What an address brought along, without what has not the form of it. */
function readHandedOver(text: string): HandedOver {
  const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const given = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown> | null;
  const { handle, passphrase, session } = given ?? {};
  const { token, expiresAt } = (session ?? {}) as Record<string, unknown>;
  return {
    ...(typeof handle === "string" ? { handle } : {}),
    ...(typeof passphrase === "string" ? { passphrase } : {}),
    ...(typeof token === "string" && typeof expiresAt === "number" ? { session: { token, expiresAt } } : {}),
  };
}

/**
 * Reads what the address brings along and takes it out of the address bar and the history at once. Anybody can send a
 * doctor a link: one that logs them into an account of the sender's would show them patients of the sender's making.
 */
async function takeHandedOver(): Promise<HandedOver> {
  const { hash } = location;
  if (!hash.startsWith("#login=")) {
    return {};
  }
  history.replaceState(null, "", "/");
  try {
    return (await takesLogins()) ? readHandedOver(hash.slice(7)) : {};
  } catch {
    return {};
  }
}

takeHandedOver().then((handed) => {
  render(<App handed={handed} />, document.getElementById("app") as HTMLElement);
});
