import type { MedcloudletError } from "../base/index.ts";
import type { Reader, ReadRegion, RecordReader, RecordView } from "../client/index.ts";
import type { CohortMember } from "./cohort.ts";

/** The regions that a cohort is made of; a name has no business in one, even where somebody shares it. */
const REGIONS: readonly string[] = ["profile", "medical"];

/** Those who consent to research now, and what could not be had. */
export interface Cohort {
  readonly members: readonly CohortMember[];
  /** Grants that did not hold. */
  readonly refused: readonly MedcloudletError[];
  /** Owners whose parts were not what they signed: half a record would be released as if the rest were not so. */
  readonly spoiled: readonly string[];
  /** By person, the consents that their record was read under. */
  readonly consents: ReadonlyMap<string, readonly string[]>;
}

/**
 * Opens what patients share with one account for the purpose `research`, as any reader does: grants, consents, keys and parts
 * are all verified by the owners' signatures. Nothing is kept, so whoever withdrew is not in the next cohort.
 * @throws MedcloudletError of a service that is away: a cohort is whole or none
 */
export async function gatherCohort({
  reader,
  records,
}: {
  readonly reader: Pick<Reader, "shared">;
  readonly records: RecordReader;
}): Promise<Cohort> {
  const { streams, refused } = await reader.shared();
  const opened = streams.filter(
    ({ consent, region }) => consent.purpose === "research" && REGIONS.includes(region),
  );
  const views = await records.read(opened);
  const passing = views.flatMap(({ regions }) => regions).find(isPassing);
  if (passing?.status === "refused") {
    throw passing.error;
  }
  const consents = new Map<string, Set<string>>();
  for (const { ownerId, consent } of opened) {
    consents.set(ownerId, (consents.get(ownerId) ?? new Set()).add(consent.consentId));
  }
  const members = views
    .filter((view) => !isSpoiled(view) && view.regions.some(({ status }) => status === "read"))
    .map(({ ownerId, record }) => ({ personId: ownerId, record }));
  return {
    members,
    refused,
    spoiled: views.filter(isSpoiled).map(({ ownerId }) => ownerId),
    consents: new Map([...consents].map(([owner, ids]) => [owner, [...ids]])),
  };
}

/** A service that is away or busy says nothing about a record: whoever is left out for that would be missed later. */
function isPassing(region: ReadRegion): boolean {
  return (
    region.status === "refused" &&
    (region.error.status === 429 || (region.error.status >= 500 && !region.error.code.startsWith("RECORD_")))
  );
}

function isSpoiled({ regions }: RecordView): boolean {
  return regions.some(({ status }) => status === "refused");
}
