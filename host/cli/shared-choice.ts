import { MedcloudletError } from "../base/index.ts";
import type { SharedStream } from "../client/index.ts";

/**
 * Of shared streams those whose owner's name contains a word, or the one with this id; all without a word.
 * @throws MedcloudletError `CONSENT_MISSING` where none is left
 */
export function chooseStreams(streams: readonly SharedStream[], patient: string | undefined): SharedStream[] {
  const wanted = patient?.toLowerCase();
  const chosen = streams.filter(
    ({ ownerName, streamId }) =>
      wanted === undefined || ownerName.toLowerCase().includes(wanted) || streamId === wanted,
  );
  if (chosen.length === 0) {
    throw new MedcloudletError(
      "CONSENT_MISSING",
      streams.length === 0
        ? "No patient shares anything with you now: ask the patient for consent."
        : `No shared record fits "${patient}"; shared are: ${streams.map(({ ownerName }) => ownerName).join(", ")}.`,
      { status: 403 },
    );
  }
  return chosen;
}
