import { useEffect, useState } from "preact/hooks";
import { useAlerts } from "../alerts/use-alerts.ts";
import { useNow, useTold } from "../hooks.ts";
import { lazily } from "../lazily.tsx";
import { usePage } from "../page-context.ts";
import { useStreamSeries } from "../readings/use-stream-series.ts";
import { goTo, type Route } from "../route.ts";
import type { PageAlert } from "../worker/doctor/alert-journal.ts";
import type { PatientRow } from "../worker/streams.ts";
import { PatientList } from "./patient-list.tsx";

const loadPatient = async () => (await import("./patient.tsx")).PatientView;
const PatientView = lazily(loadPatient);
const NO_ALERTS: readonly PageAlert[] = [];

/** Everybody who shares with this doctor, or one of them. */
export function PatientsView({ rest }: { readonly rest: Route }) {
  const { port } = usePage();
  const [streamId] = rest;
  const [rows, setRows] = useState<readonly PatientRow[] | null>(null);
  const [refusedGrants, setRefusedGrants] = useState(0);
  const [kdcTrouble, setKdcTrouble] = useState<string | null>(null);
  const alerts = useAlerts() ?? NO_ALERTS;
  const now = useNow(1000);
  useTold("patients", (told) => {
    setRows(told.rows);
    setRefusedGrants(told.refusedGrants);
  });
  useTold("kdc", ({ trouble }) => setKdcTrouble(trouble));
  useEffect(() => {
    port.ask("patients", null).catch(() => null);
  }, [port]);
  useEffect(() => {
    // The list need not wait for the charts, but a click on a patient should not either, nor fail when the KDC is away.
    loadPatient().catch(() => null);
  }, []);
  const opened = useStreamSeries(streamId ?? null);

  if (streamId === undefined) {
    return (
      <PatientList
        rows={rows}
        refusedGrants={refusedGrants}
        kdcTrouble={kdcTrouble}
        alerts={alerts}
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
      kdcTrouble={kdcTrouble}
      alerts={alerts}
      now={now}
      onBack={() => goTo("patients")}
    />
  );
}
