import { MedcloudletError } from "../base/index.ts";
import { createRecordReader, createSeenParts } from "../client/index.ts";
import { type CohortMember, cohortTable, gatherCohort } from "../research/index.ts";
import { outputOf, type PersonOptions } from "./command.ts";
import { type PersonAtWork, readerOf, type Toolkit } from "./home.ts";
import { asPerson } from "./options.ts";
import type { Output } from "./output.ts";
import type { ReleaseOptions } from "./research-options.ts";
import { makeRelease } from "./research-release.ts";

/** Opens what patients share for research, on this machine, as any reader does. */
async function gather(
  toolkit: Toolkit,
  person: PersonAtWork,
  output: Output,
): Promise<readonly CohortMember[]> {
  const { session, keys, addresses, contents } = person;
  const { members, refused, spoiled } = await gatherCohort({
    reader: readerOf(toolkit, person),
    records: createRecordReader({
      http: toolkit.http,
      session,
      keys,
      cloudUrl: addresses.cloud,
      seen: createSeenParts(contents.seenRecords ?? {}, (seenRecords) => person.save({ seenRecords })),
    }),
  });
  for (const error of refused) {
    output.trouble(`a grant was refused: ${error.message} [${error.code}]`);
  }
  if (spoiled.length > 0) {
    output.trouble(`${spoiled.length} records are not what their owners signed: left out.`);
  }
  if (members.length === 0) {
    throw new MedcloudletError("CONSENT_MISSING", "Nobody consents to research with you now.", {
      status: 403,
    });
  }
  return members;
}

/** Releases those who consent now. @throws as `makeRelease`, and `CONSENT_MISSING` where nobody does */
export function releaseConsented(options: PersonOptions & ReleaseOptions): Promise<void> {
  const output = outputOf(options);
  return asPerson(options, async (person, toolkit) => {
    const members = await gather(toolkit, person, output);
    await makeRelease(options, {
      name: "Consented patients",
      async read(schema, digestRow) {
        const columns: string[] = [];
        try {
          return cohortTable(members, schema, digestRow, (column) => columns.push(column));
        } finally {
          if (columns.length > 0) {
            const names = [...new Set(columns)].join(", ");
            output.trouble(
              `${columns.length} records have values that the schema does not take (${names}): left out.`,
            );
          }
        }
      },
    });
  });
}
