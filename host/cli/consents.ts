import { type Command, Option } from "commander";
import { MedcloudletError, systemClock } from "../base/index.ts";
import {
  type CaughtUp,
  createPreview,
  IRREVOCABLE,
  type Owner,
  type Preview,
  stateOf,
} from "../client/index.ts";
import { consentToFhir } from "../fhir/index.ts";
import { type Consent, REGIONS, type Region } from "../sealing/index.ts";
import { emergencyOf } from "./emergency-home.ts";
import { ownerOf, type PersonAtWork, type Toolkit } from "./home.ts";
import { asOwner } from "./home-lock.ts";
import {
  asPerson,
  hexId,
  moment,
  newCommand,
  outputOf,
  type PersonOptions,
  wholeNumber,
  withPerson,
} from "./options.ts";
import { groups, minuteOf, minuteText, type Output, table } from "./output.ts";
import { confirm } from "./secret-input.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const PURPOSES: readonly Consent["purpose"][] = ["treatment", "research", "self-care"];

const iso = (time: number) => new Date(time).toISOString();

/** The first time somebody is shared with, a person has to compare: the KDC alone is not believed. */
async function compareFingerprint(owner: Owner, handle: string): Promise<string> {
  const { fingerprint: shown } = await owner.lookUp(handle);
  const compared = await confirm(
    `You share with ${handle} for the first time. Ask ${handle} in person or by telephone for their fingerprint\n` +
      `(medcloudlet keys show). Is it\n\n  ${groups(shown)}\n\nthe same?`,
  );
  if (!compared) {
    throw new MedcloudletError(
      "CLI_FINGERPRINT_UNKNOWN",
      `Nothing was shared. Give the fingerprint that ${handle} told you: --fingerprint HEX.`,
    );
  }
  return shown;
}

/** Says what was done for those who go on reading. */
function caughtUpLines({ epochs, wrapped, skipped }: CaughtUp, output: Output): string[] {
  return [
    ...epochs.map(({ region, number }) => `  Epoch ${number} of ${region} has begun.`),
    ...(wrapped > 0
      ? [`  ${wrapped} ${wrapped === 1 ? "key was" : "keys were"} wrapped for those who go on reading.`]
      : []),
    ...(skipped.length > 0
      ? [
          output.colours.yellow(
            `  ${skipped.length} readers have another key now than their consent names: share with them anew.`,
          ),
        ]
      : []),
  ];
}

/** What a program gets of it. */
function caughtUpData({ epochs, wrapped, skipped }: CaughtUp) {
  return { epochs: epochs.map(({ region, number }) => ({ region, number })), wrapped, skipped };
}

/** Hands the keys of new epochs to the readers and the trustees of before; finishes what an earlier command left. */
export async function catchUp(
  toolkit: Toolkit,
  person: PersonAtWork,
  owner: Owner,
  output: Output,
): Promise<CaughtUp> {
  const done = await owner.catchUp();
  await emergencyOf(toolkit, person, owner).catchUp();
  for (const line of caughtUpLines(done, output)) {
    output.note(line);
  }
  return done;
}

function previewText(preview: Preview, name: string, output: Output): string {
  const { colours } = output;
  const who = preview.reader ?? "a reader";
  const lines = [
    `${colours.bold(who)} could read from ${minuteText(preview.from)} until ${minuteOf(preview.until)}:`,
  ];
  for (const { region, contents, epochs, devices, startsNewEpoch, record } of preview.regions) {
    lines.push("", `${colours.bold(region)}: ${contents.join(", ")}`);
    const rows = epochs.map(({ number, began, ended, opens, had, held }) => [
      String(number),
      minuteText(began),
      ended === null ? "now" : minuteText(ended),
      held === null ? "?" : String(held.batches),
      held?.firstTime == null ? "–" : minuteText(held.firstTime),
      held?.lastTime == null ? "–" : minuteText(held.lastTime),
      opens ? (had ? "yes (has the key already)" : "yes") : had ? "no new key (has it already)" : "no",
    ]);
    if (startsNewEpoch) {
      rows.push([String((epochs.at(-1)?.number ?? 0) + 1), "when you share", "", "0", "–", "–", "yes"]);
    }
    const head = ["epoch", "began", "ended", "batches", "readings from", "to", "opens"];
    lines.push(table([head, ...rows], colours));
    lines.push(colours.dim("  and every epoch that begins while the consent is in force"));
    lines.push(
      record === null
        ? colours.dim("  no part of your record is saved here")
        : `  your record's part: version ${record.version} of ${minuteOf(record.savedAt)}, under epoch ${record.epoch}, ` +
            (record.opens ? "opens" : "does not open before you save it again"),
    );
    const writing = devices.filter(({ revokedAt }) => revokedAt === null).length;
    lines.push(colours.dim(`  ${writing} ${writing === 1 ? "device writes" : "devices write"} into it`));
  }
  if (name !== "") {
    lines.push("", `With any region ${who} is told the name you registered with: ${name}`);
  }
  const standing = preview.standing.filter(({ state }) => state === "live" || state === "future");
  if (standing.length > 0) {
    lines.push("", `${who} can read already, without this:`);
    lines.push(
      ...standing.map(
        ({ consent, state }) => `  ${consent.regions.join(", ")} until ${minuteOf(consent.until)} (${state})`,
      ),
    );
  }
  lines.push("", "What a later revocation cannot take back:", ...IRREVOCABLE.map((limit) => `  - ${limit}`));
  return lines.join("\n");
}

function previewOf(toolkit: Toolkit, person: PersonAtWork, owner: Owner) {
  const { clock, http } = toolkit;
  const { session, keys, addresses } = person;
  return createPreview({ clock, http, session, keys, owner, cloudUrl: addresses.cloud });
}

interface ShareOptions extends PersonOptions {
  readonly with: string;
  readonly region: Region[];
  readonly purpose: Consent["purpose"];
  readonly days: number;
  readonly from?: number;
  readonly history: boolean;
  readonly preview?: true;
  readonly fingerprint?: string;
}

export function share(): Command {
  return withPerson(newCommand("share", "let somebody read regions of your record for a time"))
    .requiredOption("--with <handle>", "handle of the doctor (or, for research, the researcher)")
    .addOption(new Option("--region <region...>", "which parts").choices(REGIONS).default(["medical"]))
    .addOption(new Option("--purpose <purpose>", "what for").choices(PURPOSES).default("treatment"))
    .option("--from <time>", "from when, such as 2026-01-31T08:00:00Z (default: now)", moment)
    .option("--days <days>", "for how long", wholeNumber(1, 3650), 30)
    .option("--no-history", "nothing from before now: a new epoch begins, and it alone is shared")
    .option("--preview", "share nothing; show what would be seen")
    .option("--fingerprint <hex>", "their fingerprint as they told you; another is refused")
    .action((options: ShareOptions) =>
      asOwner(options, async (person, toolkit) => {
        const output = outputOf(options);
        const owner = ownerOf(toolkit, person);
        const from = options.from ?? systemClock.now();
        const terms = {
          reader: options.with,
          regions: [...new Set(options.region)],
          from,
          until: from + options.days * DAY_MS,
          ...(options.history ? {} : { history: "from-now" as const }),
        };
        if (options.preview) {
          const preview = await previewOf(toolkit, person, owner)(terms);
          output.result(
            { ...preview, irrevocable: IRREVOCABLE },
            previewText(preview, person.contents.name, output),
          );
          return;
        }
        await catchUp(toolkit, person, owner, output);
        const known =
          options.fingerprint?.replace(/\s+/g, "").toLowerCase() ?? person.contents.known[options.with];
        const consent = await owner.share({
          ...terms,
          purpose: options.purpose,
          expectedFingerprint: known ?? (await compareFingerprint(owner, options.with)),
        });
        await person.save({
          known: { ...person.contents.known, [options.with]: consent.readerFingerprint },
        });
        output.result(
          { consentId: consent.consentId, reader: options.with, until: consent.until },
          `${options.with} can read ${terms.regions.join(", ")} until ${iso(consent.until)}.\n` +
            output.colours.dim(`To end it sooner: medcloudlet keys revoke --consent ${consent.consentId}`),
        );
        // Sharing without history has begun an epoch, of which the trustees have no shares yet.
        await emergencyOf(toolkit, person, owner).catchUp();
      }),
    );
}

export function consents(): Command {
  return withPerson(newCommand("consents", "list whom you let read what, and until when"))
    .option("--fhir", "as a FHIR R4 bundle of Consent resources, for other systems")
    .action((options: PersonOptions & { fhir?: true }) =>
      asPerson(options, async (person, toolkit) => {
        const output = outputOf(options);
        const given = (await ownerOf(toolkit, person).consents())
          .map((entry) => ({ ...entry, state: stateOf(entry, systemClock) }))
          .sort((a, b) => a.consent.createdAt - b.consent.createdAt);
        if (options.fhir) {
          const now = systemClock.now();
          const entry = given.map(({ consent, revokedAt }) => ({
            resource: consentToFhir(consent, { now, ...(revokedAt === null ? {} : { revokedAt }) }),
          }));
          const bundle = { resourceType: "Bundle", type: "collection", entry };
          output.result(bundle, JSON.stringify(bundle, null, 2));
          return;
        }
        const rows = given.map(({ consent, reader, state }) => [
          consent.consentId,
          reader?.handle ?? "(another key now)",
          consent.regions.join(" "),
          consent.purpose,
          minuteText(consent.from),
          minuteText(consent.until),
          state,
        ]);
        output.result(
          {
            consents: given.map(({ consent, reader, revokedAt, state }) => ({
              ...consent,
              handle: reader?.handle ?? null,
              revokedAt,
              state,
            })),
          },
          given.length === 0
            ? "You let nobody read."
            : table(
                [["consent", "who", "regions", "purpose", "from", "until", "state"], ...rows],
                output.colours,
              ),
        );
      }),
    );
}

const consentId = hexId("`medcloudlet keys consents`");

/** The consents that a revocation is meant for: one by its id, or all of a reader that are not over. */
async function chosenConsents(owner: Owner, options: RevokeOptions): Promise<string[]> {
  if (options.consent !== undefined) {
    return [options.consent];
  }
  const open = (await owner.consents()).filter(
    (entry) =>
      entry.reader?.handle === options.with && ["live", "future"].includes(stateOf(entry, systemClock)),
  );
  if (open.length === 0) {
    throw new MedcloudletError(
      "CLI_CONSENT_UNKNOWN",
      options.with === undefined
        ? "Say whose consent ends: --with HANDLE, or --consent ID as `medcloudlet keys consents` shows it."
        : `${options.with} has no consent that could be revoked: see \`medcloudlet keys consents\`.`,
    );
  }
  return open.map(({ consent }) => consent.consentId);
}

interface RevokeOptions extends PersonOptions {
  readonly with?: string;
  readonly consent?: string;
}

export function revoke(): Command {
  return withPerson(newCommand("revoke", "end a consent now"))
    .option("--with <handle>", "every consent of this reader")
    .option("--consent <id>", "one consent", consentId)
    .action((options: RevokeOptions) =>
      asOwner(options, async (person, toolkit) => {
        const output = outputOf(options);
        const owner = ownerOf(toolkit, person);
        for (const id of await chosenConsents(owner, options)) {
          const done = await owner.revoke(id);
          output.result(
            { consentId: id, revoked: true, ...caughtUpData(done) },
            [
              `Consent ${id} is over: no key and no new ticket from now on.`,
              ...caughtUpLines(done, output),
            ].join("\n"),
          );
        }
        output.heading(`What this cannot undo:\n${IRREVOCABLE.map((limit) => `  - ${limit}`).join("\n")}`);
        await catchUp(toolkit, person, owner, output);
      }),
    );
}

export function catchUpCommand(): Command {
  return withPerson(
    newCommand("catch-up", "finish what was cut off, and start epochs where a consent has ended"),
  ).action((options: PersonOptions) =>
    asOwner(options, async (person, toolkit) => {
      const output = outputOf(options);
      const done = await ownerOf(toolkit, person).catchUp();
      await emergencyOf(toolkit, person).catchUp();
      const lines = caughtUpLines(done, output);
      output.result(caughtUpData(done), lines.length === 0 ? "Nothing was left to do." : lines.join("\n"));
    }),
  );
}
