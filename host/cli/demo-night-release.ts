import { join } from "node:path";
import { pino } from "pino";
import { createResearchApp } from "../apps/index.ts";
import { parseEntry } from "../audit/index.ts";
import {
  createAuditClient,
  createResearchClient,
  type KdcSession,
  type Owner,
  verifyReleaseStatement,
} from "../client/index.ts";
import { createLog, listen, type RunningService } from "../http/index.ts";
import { loadOrCreateSecret } from "../identity/index.ts";
import { parseStudy } from "../research/service/index.ts";
import { createEmbeddedStore } from "../store/index.ts";
import {
  joinNight,
  joinSleeper,
  keepRecord,
  type NightPerson,
  recordOf,
  type Sleeper,
} from "./demo-night-cast.ts";
import type { DemoWorld } from "./demo-world.ts";
import type { PersonAtWork } from "./home.ts";
import { type Output, table } from "./output.ts";

const ADA = { birthYear: 1961, sex: "female", diagnosis: "91302008" } as const;
const DIAGNOSES = ["44054006", "195967001", "38341003"] as const;
const NAMES: Readonly<Record<string, string>> = {
  "44054006": "diabetes",
  "195967001": "asthma",
  "38341003": "hypertension",
  [ADA.diagnosis]: "sepsis",
};
const STUDY = parseStudy(
  {
    id: "sleep",
    title: "Who slept that night",
    purpose: "To show that one of them cannot be found.",
    schema: {
      columns: [
        { name: "patient", role: "identifier", person: true },
        { name: "birth_year", role: "quasi-identifier", type: "numeric" },
        { name: "sex", role: "quasi-identifier", type: "categorical" },
        { name: "diagnosis", role: "sensitive", type: "categorical" },
      ],
    },
    floor: { k: 3, l: 2, t: 1 },
  },
  "the demo",
);
const { floor: GUARANTEE } = STUDY;

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

/** The research service in this process, with an account that the sleepers consent to. */
async function startService(
  world: DemoWorld,
  { handle, session, keys }: NightPerson,
): Promise<RunningService> {
  const { folder: base, addresses, logFile, toolkit } = world;
  const folder = join(base, "research");
  const destination = pino.destination({ dest: logFile, sync: true, mode: 0o600 });
  const log = createLog({ service: "research", level: "info", destination });
  const service = await createResearchApp({
    ...{ ...toolkit, log, kdcUrl: addresses.kdc, cloudUrl: addresses.cloud },
    salt: await loadOrCreateSecret(join(folder, "ledger-salt")),
    store: createEmbeddedStore({ directory: folder }),
    account: { accountId: session.account.accountId, handle, keys, session: async () => session },
    studies: new Map([[STUDY.id, STUDY]]),
    folder: join(folder, "releases"),
    rateLimit: { points: 3000, seconds: 10 },
    trustProxies: 0,
  });
  return listen(service, { host: "127.0.0.1", port: 0, log });
}

/** As a researcher who has no key of any patient: asks for a release, checks who signed it, reads it. */
async function downloadRows(
  { toolkit: { http } }: DemoWorld,
  { session, keys }: NightPerson,
  url: string,
): Promise<Record<string, unknown>[]> {
  const client = createResearchClient({ http, url, ticket: () => session.staffTicket(keys.signing) });
  const request = await client.settled(await client.request(STUDY.id));
  const { statement, service } = await client.release(request.release ?? "");
  const { release } = await verifyReleaseStatement(statement, await session.lookUp(service.handle));
  const pieces: Uint8Array[] = [];
  for await (const piece of client.download(release, "ndjson")) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces)
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Whether the KDC's log has somebody fetching a patient's keys, or being refused them. */
async function isInLog({ session }: PersonAtWork, actor: string): Promise<boolean> {
  const { entries } = await createAuditClient(session).mine({ after: 0, limit: 1000 });
  return entries.map(parseEntry).some((entry) => entry?.actor === actor);
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
  const count = 2 * GUARANTEE.k + 2;
  output.heading(
    bold(`\n  5  A researcher's release: ${count} others consented to research, she did not.\n`),
  );
  await owner.startEpoch("identity");
  await owner.startEpoch("profile");
  await keepRecord(world, patient, owner, recordOf(ADA));
  const laboratory = await joinNight(world, inviter, "researcher", "sleep-lab");
  const researcher = await joinNight(world, inviter, "researcher", "dr-magpie");
  const sleepers: Sleeper[] = [];
  for (let i = 0; i < count; i++) {
    const diagnosis = DIAGNOSES[i % DIAGNOSES.length] as string;
    const sleeper = { birthYear: 1950 + 4 * i, sex: i % 2 === 0 ? "female" : "male", diagnosis } as const;
    sleepers.push(sleeper);
    await joinSleeper(world, inviter, `sleeper-${i}`, sleeper, laboratory);
  }
  const service = await startService(world, laboratory);
  const rows = await downloadRows(world, researcher, service.url).finally(() => service.close());
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
  const isThere = await isInLog(patient, laboratory.session.account.accountId);
  const hers = rowsThatFit(rows, ADA);
  const sepsis = rows.filter(({ diagnosis }) => diagnosis === ADA.diagnosis).length;
  const linked = sleepers.map((sleeper) => rowsThatFit(rows, sleeper));
  const bare = sleepers.map(({ birthYear, sex }) => ({ birth_year: birthYear, sex }));
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
        `\n  Her log names the laboratory: ${isThere ? "yes" : "no"}. Rows with her diagnosis (${NAMES[ADA.diagnosis]}): ${sepsis}.`,
      ),
      `  Whoever knows that she was born in ${ADA.birthYear} finds ${hers.length} rows that could be hers${isThere ? "" : ", and none is"}.`,
      `  The same tried on the ${count} who consented: at least ${rowsLeast} rows fit each, with at least ${diagnosesLeast} diagnoses.`,
      `  (Asked for were ${GUARANTEE.k} and ${GUARANTEE.l}. With only the names taken out, ${alone} of ${count} would stand alone.)`,
    ].join("\n"),
  );
}
