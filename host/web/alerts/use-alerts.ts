import { useEffect, useState } from "preact/hooks";
import type { Alert } from "../../analytics/index.ts";
import { useTold } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import type { PageAlert } from "../worker/doctor/alert-journal.ts";

/** The alerts that this machine keeps, as they change; null until they are there. */
export function useAlerts(): readonly PageAlert[] | null {
  const { port } = usePage();
  const [alerts, setAlerts] = useState<readonly PageAlert[] | null>(null);
  useTold("alerts", (told) => setAlerts(told.alerts));
  useEffect(() => {
    port.ask("alerts", null).then(setAlerts, () => null);
  }, [port]);
  return alerts;
}

/** True when somebody has to come: nobody has taken it, or it became graver since. */
export function calls({ status }: Pick<Alert, "status">): boolean {
  return status === "raised" || status === "escalated";
}

export function isOpen({ status }: Pick<Alert, "status">): boolean {
  return status !== "resolved";
}
