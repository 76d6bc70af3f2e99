import { join } from "node:path";
import {
  createReader,
  createRecordReader,
  createSeenParts,
  type KdcSession,
  type Owner,
} from "../client/index.ts";
import {
  anonymize,
  cohortTable,
  type Guarantee,
  gatherCohort,
  parseSchema,
  randomSeed,
  releaseText,
} from "../research/index.ts";
import { joinNight, joinSleeper, keepRecord, recordOf, type Sleeper } from "./demo-night-cast.ts";
import type { DemoWorld } from "./demo-world.ts";
import type { PersonAtWork } from "./home.ts";
import { type Output, table } from "./output.ts";
import { withLedger } from "./research-ledger.ts";

const ADA = { birthYear: 1961, sex: "female", diagnosis: "91302008" } as const;
const DIAGNOSES = ["44054006", "195967001", "38341003"] as const;
const NAMES: Readonly<Record<string, string>> = {
  "44054006": "diabetes",
  "195967001": "asthma",
  "38341003": "hypertension",
  [ADA.diagnosis]: "sepsis",
};
const GUARANTEE: Guarantee = { k: 3, l: 2, t: 1, diversity: "distinct" };
const SCHEMA = parseSchema({
  columns: [
    { name: "patient", role: "identifier", person: true },
    { name: "birth_year", role: "quasi-identifier", type: "numeric" },
    { name: "sex", role: "quasi-identifier", type: "categorical" },
    { name: "diagnosis", role: "sensitive", type: "categorical" },
  ],
});

/**
 * Rows that can be of somebody born in a year and of a sex: all that a neighbour knows, and all that this release has to
 * link with.
 */
function rowsThatFit(
  rows: readonly Record<string, unknown>[],
  { birthYear, sex }: Pick<Sleeper, "birthYear" | "sex">,
): Record<string, unknown>[] {
  return rows.filter((row) => {
    const years = [row.birth_year].flat() as number[];
    const sexes = [row.sex].flat();
    return (
      birthYear >= Math.min(...years) &&
      birthYear <= Math.max(...years) &&
      (sexes.includes("*") || sexes.includes(sex))
    );
  });
}

/** The last chapter: a release from those who consented, and what linking it with what is known finds. */
export async function releaseWithoutHer(
  world: DemoWorld,
  inviter: KdcSession,
  patient: PersonAtWork,
  owner: Owner,
  output: Output,
): Promise<void> {
  const { bold, green } = output.colours;
  const { toolkit, addresses } = world;
  const count = 2 * GUARANTEE.k + 2;
  output.heading(
    bold(`\n  5  A researcher's release: ${count} others consented to research, she did not.\n`),
  );
  await owner.startEpoch("identity");
  await owner.startEpoch("profile");
  await keepRecord(world, patient, owner, recordOf(ADA));
  const researcher = await joinNight(world, inviter, "researcher", "dr-magpie");
  const sleepers: Sleeper[] = [];
  for (let i = 0; i < count; i++) {
    const diagnosis = DIAGNOSES[i % DIAGNOSES.length] as string;
    const sleeper = { birthYear: 1950 + 4 * i, sex: i % 2 === 0 ? "female" : "male", diagnosis } as const;
    sleepers.push(sleeper);
    await joinSleeper(world, inviter, `sleeper-${i}`, sleeper, researcher);
  }
  const { members } = await gatherCohort({
    reader: createReader({ ...toolkit, ...researcher, cloudUrl: addresses.cloud }),
    records: createRecordReader({
      ...toolkit,
      ...researcher,
      cloudUrl: addresses.cloud,
      seen: createSeenParts({}, async () => {}),
    }),
  });
  const rows = await withLedger(join(world.folder, "ledger"), async (ledger) => {
    const anonymized = anonymize(cohortTable(members, SCHEMA, ledger.digestRow(SCHEMA)), {
      guarantee: GUARANTEE,
    });
    await ledger.enter(anonymized);
    return [...releaseText(anonymized, { schema: SCHEMA, format: "ndjson", seed: randomSeed() })]
      .join("")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  });
  const shown = (value: unknown) => [value].flat().join("-");
  output.result(
    { event: "release", rows },
    table(
      [
        ["born", "sex", "diagnosis"],
        ...rows.map(({ birth_year, sex, diagnosis }) => [
          shown(birth_year),
          shown(sex),
          NAMES[String(diagnosis)] ?? String(diagnosis),
        ]),
      ],
      output.colours,
    ),
  );
  const isThere = members.some(({ personId }) => personId === patient.contents.accountId);
  const hers = rowsThatFit(rows, ADA);
  const sepsis = rows.filter(({ diagnosis }) => diagnosis === ADA.diagnosis).length;
  const linked = sleepers.map((sleeper) => rowsThatFit(rows, sleeper));
  const bare = members.map(({ record }) => ({ birth_year: record.birthYear, sex: record.sex }));
  const alone = sleepers.filter((sleeper) => rowsThatFit(bare, sleeper).length === 1).length;
  const rowsLeast = Math.min(...linked.map((fitting) => fitting.length));
  const diagnosesLeast = Math.min(
    ...linked.map((fitting) => new Set(fitting.map(({ diagnosis }) => diagnosis)).size),
  );
  output.result(
    {
      event: "linked",
      herRecordOpened: isThere,
      rowsLikeHer: hers.length,
      sepsis,
      rowsLeast,
      diagnosesLeast,
      alone,
    },
    [
      green(
        `\n  Her record among those opened: ${isThere ? "yes" : "no"}. Rows with her diagnosis (${NAMES[ADA.diagnosis]}): ${sepsis}.`,
      ),
      `  Whoever knows that she was born in ${ADA.birthYear} finds ${hers.length} rows that could be hers${isThere ? "" : ", and none is"}.`,
      `  The same tried on the ${count} who consented: at least ${rowsLeast} rows fit each, with at least ${diagnosesLeast} diagnoses.`,
      `  (Asked for were ${GUARANTEE.k} and ${GUARANTEE.l}. With only the names taken out, ${alone} of ${count} would stand alone.)`,
    ].join("\n"),
  );
}
