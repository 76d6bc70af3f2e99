import { minutesLeft } from "../format.ts";
import { TEXTS } from "../texts/index.ts";
import type { PatientRow } from "../worker/streams.ts";

/** That somebody is open by break-glass, and for how long; nothing where they shared. */
export function EmergencyMark({ row, now }: { readonly row: PatientRow; readonly now: number }) {
  if (row.purpose !== "emergency" || row.until === null) {
    return null;
  }
  const { entry, row: words } = TEXTS.emergencies;
  return <b class="failure">{words(entry.left(minutesLeft(row.until, now)))}</b>;
}
