import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { isMedcloudletError, MedcloudletError } from "../base/index.ts";
import {
  type AskedRelease,
  checkedRelease,
  createResearchClient,
  type HeldTicket,
  type ReleaseFileName,
  type ResearchClient,
  type ResearchServiceAccount,
  verifyReleaseStatement,
} from "../client/index.ts";
import type { ReleaseStatement } from "../sealing/index.ts";
import { fingerprintOf, plainHex } from "./compare-fingerprint.ts";
import type { PersonAtWork, Toolkit } from "./home.ts";
import { asPerson, outputOf } from "./options.ts";
import { groups, type Output, size, table } from "./output.ts";
import { printable } from "./record-text.ts";
import {
  DEFAULT_URL,
  type DownloadOptions,
  type RequestOptions,
  type ServiceOptions,
  type SignedOptions,
} from "./research-service.ts";

/** Tickets live five minutes; a new one a little sooner. */
const RENEW_BEFORE_MS = 30_000;
/** What a request goes through, for the bar. */
const STEPS = ["queued", "gathering", "anonymising", "checking", "publishing", "ready"];

function atService<T>(
  options: ServiceOptions,
  work: (client: ResearchClient, output: Output, person: PersonAtWork, toolkit: Toolkit) => Promise<T>,
): Promise<T> {
  if (!URL.canParse(options.at)) {
    throw new MedcloudletError("CLI_OPTION", `--at takes a URL such as ${DEFAULT_URL}, not "${options.at}".`);
  }
  return asPerson(options, (person, toolkit) => {
    const { http, clock } = toolkit;
    let held: HeldTicket | undefined;
    const ticket = async () => {
      if (held === undefined || held.expiresAt - clock.now() < RENEW_BEFORE_MS) {
        held = await person.session.staffTicket(person.keys.signing);
      }
      return held;
    };
    return work(createResearchClient({ http, url: options.at, ticket }), outputOf(options), person, toolkit);
  });
}

const promise = ({ k, l, t, diversity }: ReleaseStatement["guarantee"]): string =>
  [`k=${k}`, ...(l > 1 ? [`${diversity} l=${l}`] : []), ...(t < 1 ? [`t=${t}`] : [])].join(", ");

/** What the service may give out, and how carefully. */
export function studies(options: ServiceOptions): Promise<void> {
  return atService(options, async (client, output) => {
    const found = await client.studies();
    const { bold, dim } = output.colours;
    output.result(
      found,
      found.studies
        .map(({ id, title, purpose, floor, columns }) =>
          [
            `${bold(id)}  ${printable(title)}`,
            `  ${printable(purpose)}`,
            dim(`  at least ${promise(floor)}; ${columns.map(({ name }) => printable(name)).join(", ")}`),
          ].join("\n"),
        )
        .join("\n\n"),
    );
  });
}

/** Asks for a release of a study, and waits for it unless told not to. */
export function request(study: string, { k, l, t, entropyL, ...options }: RequestOptions): Promise<void> {
  const asked: AskedRelease = {
    ...(k === undefined ? {} : { k }),
    ...(l === undefined ? {} : { l }),
    ...(t === undefined ? {} : { t }),
    ...(entropyL === true ? { diversity: "entropy" } : {}),
  };
  return atService(options, async (client, output) => {
    const opened = await client.request(study, asked);
    const progress = output.progress(
      options.wait ? "making the release" : "",
      options.wait ? STEPS.length : 0,
    );
    let done = 0;
    const settled = options.wait
      ? await client.settled(opened, (state) => {
          const reached = STEPS.indexOf(state) + 1;
          progress.step(Math.max(0, reached - done));
          done = Math.max(done, reached);
        })
      : opened;
    progress.end();
    if (settled.code !== null) {
      throw new MedcloudletError(settled.code, settled.reason ?? "The request came to nothing.", {
        status: settled.state === "refused" ? 409 : 502,
        details: { requestId: settled.requestId, state: settled.state },
      });
    }
    output.result(
      settled,
      settled.release === null
        ? `Request ${settled.requestId} of ${study}: ${settled.state}.`
        : `${settled.again ? "An earlier release answers this: it is of the same people." : "A release was made."}\n` +
            `  medcloudlet research download ${settled.release} --out FILE.csv`,
    );
  });
}

/** What the service gave out. */
export function releases({ study, ...options }: ServiceOptions & { readonly study?: string }): Promise<void> {
  return atService(options, async (client, output) => {
    const found = await client.releases(study);
    const rows = found.releases.map(({ releaseId, study: of, at, guarantee, rows: count, files }) => [
      releaseId,
      of,
      new Date(at).toISOString().slice(0, 16).replace("T", " "),
      String(count),
      promise(guarantee),
      size(files.csv.bytes),
    ]);
    output.result(
      found,
      rows.length === 0
        ? "There is no release yet: ask for one with `medcloudlet research request STUDY`."
        : table([["release", "study", "made (UTC)", "rows", "keeps", "CSV"], ...rows], output.colours),
    );
  });
}

/** Whose signature counts: the KDC knows the account, the person whether it is the one they mean. */
async function verifyService(
  { session, contents, save }: PersonAtWork,
  service: ResearchServiceAccount,
  statement: string,
  given: string | undefined,
): Promise<ReleaseStatement> {
  const { handle } = service;
  const found = await verifyReleaseStatement(statement, await session.lookUp(handle));
  const known = contents.known[handle];
  const expected =
    known ??
    (await fingerprintOf(
      handle,
      found.fingerprint,
      given === undefined ? undefined : plainHex(given),
      "--fingerprint HEX",
    ));
  if (expected !== found.fingerprint || (given !== undefined && plainHex(given) !== found.fingerprint)) {
    throw new MedcloudletError(
      "RESEARCH_SERVICE_MISMATCH",
      `The release is signed by another identity than the one you know as ${handle}: ask the service's operator.`,
      { status: 422 },
    );
  }
  if (known === undefined) {
    await save({ known: { ...contents.known, [handle]: expected } });
  }
  return found.release;
}

/** Fetches a release, and checks that it is what the service signed. */
export function download(releaseId: string, options: DownloadOptions): Promise<void> {
  return atService(options, async (client, output, person) => {
    const { statement, service } = await client.release(releaseId);
    const release = await verifyService(person, service, statement, options.fingerprint);
    if (release.release !== releaseId) {
      throw new MedcloudletError(
        "RESEARCH_SERVICE_MISMATCH",
        "The service gave another release than was asked for.",
        {
          status: 502,
        },
      );
    }
    await save(client, release, options.format, options.out, output);
    if (options.report !== undefined) {
      await save(client, release, "report", options.report, output);
    }
    const sheet = `${options.out}.release.json`;
    const { identity } = await person.session.lookUp(service.handle);
    await writeFile(sheet, `${JSON.stringify({ statement, identity, service, release }, null, 2)}\n`);
    const { rows, classes, guarantee, study } = release;
    output.result(
      { file: options.out, statement: sheet, ...release, service },
      [
        output.colours.green(
          `✓ ${options.out}: ${rows} rows of ${study} in ${classes} classes (${promise(guarantee)}).`,
        ),
        `  Signed by ${service.handle}, ${groups(service.fingerprint)}; ${sheet} says so to whoever gets the file from you.`,
      ].join("\n"),
    );
  });
}

/** Under its name only once all of it is what was signed. */
async function save(
  client: ResearchClient,
  release: ReleaseStatement,
  file: ReleaseFileName,
  to: string,
  output: Output,
): Promise<void> {
  const progress = output.progress(file, release.files[file].bytes);
  const folder = await mkdtemp(join(dirname(to), ".download-"));
  try {
    const draft = join(folder, "draft");
    await writeFile(draft, counted(client.download(release, file), progress.step), { mode: 0o600 });
    await rename(draft, to);
  } finally {
    progress.end();
    await rm(folder, { recursive: true, force: true });
  }
}

async function* counted(pieces: AsyncIterable<Uint8Array>, onBytes: (bytes: number) => void) {
  for await (const piece of pieces) {
    onBytes(piece.length);
    yield piece;
  }
}

const SHEET = z.object({
  statement: z.string(),
  identity: z.string(),
  service: z.object({ accountId: z.string(), handle: z.string() }),
});

/** Looks at a file that came from somebody else: needs no account and no service. */
export async function signed(file: string, options: SignedOptions): Promise<void> {
  const output = outputOf(options);
  const at = options.sheet ?? `${file}.release.json`;
  const sheet = await readSheet(at);
  const { release, fingerprint } = await verifyReleaseStatement(sheet.statement, {
    ...{ accountId: sheet.service.accountId, role: "researcher", identity: sheet.identity },
  });
  if (options.fingerprint !== undefined && plainHex(options.fingerprint) !== fingerprint) {
    throw new MedcloudletError(
      "RESEARCH_SERVICE_MISMATCH",
      "This release is signed, and by another identity than the one given.",
      { status: 422 },
    );
  }
  const format = await formOf(file, release);
  const { rows, study, guarantee } = release;
  const { green, yellow } = output.colours;
  output.result(
    { file, format, fingerprint, release },
    [
      green(
        `✓ ${file} is the ${format} of release ${release.release}: ${rows} rows of ${study} (${promise(guarantee)}).`,
      ),
      `  signed by ${groups(fingerprint)}`,
      ...(options.fingerprint === undefined
        ? [yellow("  ! Whose that is the sheet only claims: compare it, then name it with --fingerprint.")]
        : []),
    ].join("\n"),
  );
}

async function readSheet(at: string): Promise<z.infer<typeof SHEET>> {
  try {
    return SHEET.parse(JSON.parse(await readFile(at, "utf8")));
  } catch (cause) {
    throw new MedcloudletError("CLI_FILE", `${at} is no sheet of a release: name it with --sheet.`, {
      status: 400,
      cause,
    });
  }
}

/** Which of a release's files this is. @throws MedcloudletError `RESEARCH_FILE_MISMATCH` where it is none */
async function formOf(file: string, { files }: ReleaseStatement): Promise<ReleaseFileName> {
  let mismatch: unknown;
  for (const name of ["csv", "ndjson", "report"] as const) {
    try {
      for await (const _ of checkedRelease(createReadStream(file), files[name])) {
        // Only what it comes to counts.
      }
      return name;
    } catch (error) {
      if (!isMedcloudletError(error, "RESEARCH_FILE_MISMATCH")) {
        throw error;
      }
      mismatch = error;
    }
  }
  throw mismatch;
}
