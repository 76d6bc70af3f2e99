import { useEffect, useState } from "preact/hooks";
import { useNow, useTold } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { useStreamSeries } from "../readings/use-stream-series.ts";
import { goTo, type Route } from "../route.ts";
import type { PatientRow } from "../worker/streams.ts";
import { PatientView } from "./patient.tsx";
import { PatientList } from "./patient-list.tsx";

/** Everybody who shares with this doctor, or one of them. */
export function PatientsView({ rest }: { readonly rest: Route }) {
  const { port } = usePage();
  const [streamId] = rest;
  const [rows, setRows] = useState<readonly PatientRow[] | null>(null);
  const [refusedGrants, setRefusedGrants] = useState(0);
  const now = useNow(1000);
  useTold("patients", (told) => {
    setRows(told.rows);
    setRefusedGrants(told.refusedGrants);
  });
  useEffect(() => {
    port.ask("patients", null).catch(() => null);
  }, [port]);
  const opened = useStreamSeries(streamId ?? null);

  if (streamId === undefined) {
    return (
      <PatientList
        rows={rows}
        refusedGrants={refusedGrants}
        now={now}
        onOpen={(id) => goTo("patients", id)}
      />
    );
  }
  return (
    <PatientView
      row={rows?.find((row) => row.streamId === streamId)}
      loading={rows === null}
      opened={opened}
      now={now}
      onBack={() => goTo("patients")}
    />
  );
}
