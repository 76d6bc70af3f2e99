import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { Command } from "commander";
import {
  type AuditEntry,
  type AuditReport,
  entryHash,
  parseEntry,
  toFhirAuditEvent,
  verifyLog,
  writeLine,
} from "../audit/index.ts";
import { MedcloudletError } from "../base/index.ts";
import { type AuditSource, createAuditClient, sourceOfKdc } from "../client/index.ts";
import { openHomeWitness } from "./audit-home.ts";
import { type Evidence, gatherEvidence, sourceOfFile } from "./audit-source.ts";
import {
  asPerson,
  newCommand,
  newGroup,
  outputOf,
  type PersonOptions,
  wholeNumber,
  withPerson,
} from "./options.ts";
import { groups, type Output, table } from "./output.ts";

const PAGE_ENTRIES = 500;

interface VerifyOptions extends PersonOptions {
  readonly file?: string;
  readonly heads?: readonly string[];
  readonly key?: string;
}

const count = (n: number, what: string, many = `${what}s`) =>
  `${n.toLocaleString("en")} ${n === 1 ? what : many}`;

async function check(source: AuditSource, evidence: Evidence, output: Output): Promise<AuditReport> {
  const progress = output.progress("verifying", source.total);
  const STEP = 1000;
  let since = 0;
  const report = await verifyLog({
    log: source.log,
    entries: source.entries(),
    heads: [...source.heads, ...evidence.heads],
    keyStatements: [...source.keyStatements, ...evidence.keyStatements],
    keys: evidence.keys,
    onEntry: () => {
      since = (since + 1) % STEP;
      if (since === 0) {
        progress.step(STEP);
      }
    },
  });
  progress.step(since);
  progress.end();
  return report;
}

/** Says that a log is whole, and how far; throws when it is not, so that the command fails. */
function tell(report: AuditReport, source: AuditSource, evidence: Evidence, output: Output): void {
  const { damage, entries, heads, vouchedUpTo } = report;
  const { green, yellow } = output.colours;
  if (damage !== null) {
    throw new MedcloudletError("AUDIT_VERIFY_FAILED", damage.message, {
      details: { kind: damage.kind, sequence: damage.sequence, log: source.log, entries },
    });
  }
  const remarks = [
    ...(vouchedUpTo < entries
      ? [
          `Entries ${vouchedUpTo + 1} to ${entries} have no signed head yet: they could still be exchanged unseen.`,
        ]
      : []),
    ...(evidence.keyUnproven
      ? [
          `That the key is the log's rests on the word of whoever gave the log: compare it, then name it with --key.`,
        ]
      : []),
    ...(evidence.unreadable > 0
      ? [`${count(evidence.unreadable, "line")} with heads could not be read.`]
      : []),
  ];
  output.result(
    {
      whole: true,
      log: source.log,
      key: source.key,
      entries,
      heads,
      vouchedUpTo,
      keyUnproven: evidence.keyUnproven,
    },
    [
      green(
        `✓ The audit log is whole: ${count(entries, "entry", "entries")}, ${count(heads, "signed head")} fit.`,
      ),
      `  log ${groups(source.log)}`,
      `  key ${source.key}`,
      ...remarks.map((remark) => yellow(`  ! ${remark}`)),
    ].join("\n"),
  );
}

function verify(): Command {
  return withPerson(newCommand("verify", "find out whether anybody changed the audit log"))
    .option("--file <file>", "an export instead of the KDC's own log; needs no account")
    .option(
      "--heads <file...>",
      "heads that were kept elsewhere: patients' audit-heads.ndjson, the KDC's audit-witness",
    )
    .option("--key <key>", "the log's public key, where it is not the one that the home knows")
    .addHelpText(
      "after",
      "\nWithout --file it reads the KDC's log, as a security officer. Exit code 1 when the log is damaged; the message\n" +
        "names the first entry that is wrong and what is wrong with it.",
    )
    .action(async (options: VerifyOptions) => {
      const output = outputOf(options);
      if (options.file !== undefined) {
        const source = await sourceOfFile(options.file);
        const evidence = await gatherEvidence(source, options);
        tell(await check(source, evidence, output), source, evidence, output);
        return;
      }
      await asPerson(
        options,
        async ({ session }) => {
          const audit = createAuditClient(session);
          const source = await sourceOfKdc(audit);
          const evidence = await gatherEvidence(source, options);
          const report = await check(source, evidence, output);
          tell(report, source, evidence, output);
          await (await openHomeWitness(options.home)).observe(await audit.head());
        },
        // What the witness of the home would only refuse, the verifier explains.
        { witness: false },
      );
    });
}

interface ExportOptions extends PersonOptions {
  readonly fhir?: true;
  readonly out?: string;
}

/** Entries of a source as they should be; what is none of ours cannot be exported as FHIR. */
async function* linesOf(source: AuditSource, fhir: boolean): AsyncIterable<string> {
  if (!fhir) {
    yield writeLine({ kind: "log", log: source.log, key: source.key });
    yield* source.keyStatements.map((statement) => writeLine({ kind: "key", statement }));
    yield* source.heads.map((statement) => writeLine({ kind: "head", statement }));
  }
  for await (const raw of source.entries()) {
    const entry = fhir ? parseEntry(raw) : null;
    if (fhir && entry === null) {
      throw new MedcloudletError(
        "AUDIT_VERIFY_FAILED",
        "An entry is not of the form that entries have: run `medcloudlet audit verify`.",
      );
    }
    yield entry === null
      ? writeLine({ kind: "entry", entry: raw })
      : `${JSON.stringify(toFhirAuditEvent(source.log, entry))}\n`;
  }
}

function exportLog(): Command {
  return withPerson(
    newCommand("export", "write the audit log with its heads as NDJSON, as a security officer"),
  )
    .option("--fhir", "AuditEvents of FHIR R4 instead, one a line; for reading, not for verifying")
    .option("--out <file>", "write to a file, for its owner alone; default: stdout")
    .action((options: ExportOptions) =>
      asPerson(options, async ({ session }) => {
        const output = outputOf(options);
        const source = await sourceOfKdc(createAuditClient(session));
        const target =
          options.out === undefined
            ? process.stdout
            : createWriteStream(options.out, { mode: 0o600, flush: true });
        if (options.out !== undefined) {
          await once(target, "open");
        }
        const progress = output.progress("exporting", source.total);
        for await (const line of linesOf(source, options.fhir === true)) {
          if (!target.write(line)) {
            await once(target, "drain");
          }
          progress.step();
        }
        progress.end();
        if (options.out !== undefined) {
          target.end();
          await finished(target);
          output.result(
            { file: options.out, log: source.log, entries: source.total },
            `${count(source.total, "entry", "entries")} written to ${options.out}.`,
          );
        }
      }),
    );
}

/** What people call actions; the rest is shown by its own name. */
const WORDS: Readonly<Record<string, string>> = {
  "account.register": "registered",
  "session.open": "logged in",
  "session.close": "logged out",
  "device.enrol": "enrolled a device",
  "epoch.publish": "published a key",
  "consent.give": "gave a consent",
  "consent.revoke": "ended a consent",
  "consent.use": "wanted to make you part of a research release",
  "device.revoke": "took a device off",
  "key.store": "wrapped keys for a reader",
  "key.release": "fetched wrapped keys",
  "emergency.prepare": "prepared for an emergency",
  "emergency.request": "asked for emergency access",
  "emergency.fetch-share": "fetched a share of your key",
  "emergency.approve": "approved emergency access",
  "emergency.withdraw": "withdrew an approval",
  "emergency.release": "OPENED YOUR RECORD IN AN EMERGENCY",
  "emergency.end": "ended emergency access",
  "ticket.read": "got a ticket to read",
  "ticket.upload": "got a ticket to upload",
  "audit.mine": "read this log",
};

/** What an entry says was done; where the log has more to tell of it than a word, that too. */
function what({ action, code, details }: AuditEntry): string {
  if (code !== null && action === "emergency.release") {
    return "tried to open your record in an emergency";
  }
  if (code === null && action === "consent.use") {
    const { release, study, k, people } = details;
    return `made you part of release ${String(release).slice(0, 8)} (study ${study}, ${people} people, k=${k})`;
  }
  return WORDS[action] ?? action;
}

function who({ actor, actorRole }: AuditEntry, me: string): string {
  if (actor === null) {
    return "somebody not logged in";
  }
  return actor === me ? "you" : `${actorRole ?? "account"} ${actor.slice(0, 8)}`;
}

interface MineOptions extends PersonOptions {
  readonly last: number;
}

function mine(): Command {
  return withPerson(newCommand("mine", "what the KDC's log holds about you and of what you did, newest last"))
    .option("--last <number>", "only so many of the newest", wholeNumber(1, 1_000_000), 50)
    .action((options: MineOptions) =>
      asPerson(options, async ({ session, contents }) => {
        const output = outputOf(options);
        const audit = createAuditClient(session);
        const entries: AuditEntry[] = [];
        for (let full = true; full; ) {
          const page = await audit.mine({ after: entries.at(-1)?.sequence ?? 0, limit: PAGE_ENTRIES });
          entries.push(...page.entries.map((raw) => ownEntry(raw, contents.accountId)));
          full = page.entries.length === PAGE_ENTRIES;
        }
        const shown = entries.slice(-options.last);
        if (output.json) {
          for (const entry of shown) {
            output.result(entry, "");
          }
          return;
        }
        const { red } = output.colours;
        const rows = shown.map((entry) => [
          new Date(entry.at).toISOString().slice(0, 19).replace("T", " "),
          String(entry.sequence),
          who(entry, contents.accountId),
          what(entry),
          entry.code === null ? "" : `refused: ${entry.code}`,
        ]);
        output.result(
          null,
          table([["time (UTC)", "entry", "who", "what", ""], ...rows], output.colours).replace(
            /refused: \w+/g,
            red,
          ),
        );
        output.note(
          `  ${count(entries.length, "entry", "entries")} about you, ${shown.length} shown. The head of the whole log is kept in ` +
            "audit-heads.ndjson of your home: it proves later that none of this was changed.",
        );
      }),
    );
}

/** An entry of the caller's own, its hash checked. @throws MedcloudletError `AUDIT_VERIFY_FAILED` */
function ownEntry(raw: unknown, me: string): AuditEntry {
  const entry = parseEntry(raw);
  if (entry === null || entryHash(entry) !== entry.hash || (entry.owner !== me && entry.actor !== me)) {
    throw new MedcloudletError(
      "AUDIT_VERIFY_FAILED",
      `The KDC gave an entry that was edited or is not yours${entry === null ? "" : ` (${entry.sequence})`}: ` +
        "tell the security officer.",
    );
  }
  return entry;
}

/** `medcloudlet audit verify`, `audit export`, `audit mine`. */
export function auditCommand(): Command {
  return newGroup("audit", "the KDC's log of who did what")
    .addCommand(mine())
    .addCommand(verify())
    .addCommand(exportLog());
}
