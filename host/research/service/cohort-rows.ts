import { createHash, createHmac } from "node:crypto";
import { type CohortMember, cohortTable } from "../cohort.ts";
import type { Ledger } from "../ledger.ts";
import type { Anonymized } from "../release.ts";
import type { ReleaseSchema } from "../schema.ts";
import type { Table } from "../table.ts";

/** A cohort as a table, and what tells it from another without saying anything of it. */
export interface CohortRows {
  readonly table: Table;
  /** Names the people, as the ledger does. */
  readonly population: string;
  /** Names people and records: an HMAC, so that nobody finds them out by trying. */
  readonly content: string;
  /** Who has a row in a release of the table. */
  releasedIn(release: Anonymized): readonly string[];
}

/**
 * @param salt the ledger's
 * @param leftOut as {@link cohortTable}
 * @throws MedcloudletError as {@link cohortTable}
 */
export function cohortRows(
  members: readonly CohortMember[],
  schema: ReleaseSchema,
  {
    ledger,
    salt,
    leftOut,
  }: { readonly ledger: Ledger; readonly salt: Uint8Array; leftOut(column: string): void },
): CohortRows {
  const digestOf = ledger.digestRow(schema);
  const people = new Map<string, string>();
  const contents: string[] = [];
  const at = schema.columns.findIndex(({ name }) => name === "patient");
  const keepDigest = (record: readonly string[]): string => {
    const digest = digestOf(record);
    people.set(digest, record[at] as string);
    contents.push(
      createHmac("sha256", salt)
        .update(`content\n${JSON.stringify(record)}`)
        .digest("hex"),
    );
    return digest;
  };
  const table = cohortTable(members, schema, keepDigest, leftOut);
  const digests = table.digests ?? [];
  return {
    table,
    population: createHash("sha256")
      .update([...digests].sort().join("\n"))
      .digest("hex"),
    content: createHmac("sha256", salt).update(contents.sort().join("\n")).digest("hex"),
    releasedIn: ({ released }) => Array.from(released, (row) => people.get(digests[row] as string) as string),
  };
}
