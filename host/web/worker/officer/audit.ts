import { z } from "zod";
import { verifyLog, writeLine } from "../../../audit/reading.ts";
import { fromBase64Url, isMedcloudletError, MedcloudletError } from "../../../base/index.ts";
import {
  type AuditSource,
  createAuditClient,
  createAuditWitness,
  sourceOfKdc,
} from "../../../client/index.ts";
import { AUDIT_HEAD, unverifiedPayload } from "../../../sealing/index.ts";
import type { Answers } from "../messages.ts";
import { type NotePlace, newerNote } from "../newer-note.ts";
import type { Work } from "../work.ts";
import { createEntryChecks, csvOf, type EntryChecks, MOST_KEPT, searchEntries } from "./audit-checks.ts";
import type { AuditQuestions, AuditSearch, AuditVerdict } from "./audit-questions.ts";

const NOTE = "audit-heads";
/** So many heads are kept on this machine. */
const MOST_HEADS = 100;
/** How often the page is told how far it is, in entries. */
const STEP = 500;

/** What this machine keeps of the log, to hold the KDC to it. */
const KEPT = z.strictObject({
  log: z.string(),
  key: z.string(),
  keyStatements: z.array(z.string()),
  /** The oldest first. */
  heads: z.array(z.string()).min(1),
});
type Kept = z.infer<typeof KEPT>;

function readKept(text: string | null): Kept | null {
  if (text === null) {
    return null;
  }
  try {
    return KEPT.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function keptPlace(text: string): NotePlace {
  const { log, heads } = KEPT.parse(JSON.parse(text));
  return { log, sequence: unverifiedPayload(AUDIT_HEAD, heads.at(-1) ?? "").sequence };
}

/** Checks the KDC's audit log on this machine, with the code of `medcloudlet audit verify`. */
export function createAuditRoom(work: Work): Answers<AuditQuestions> {
  const { session, clock } = work;
  const audit = createAuditClient(session);
  work.joinNotes(NOTE, (theirs) => newerNote(work.recall(NOTE), theirs, keptPlace));
  let verdict: AuditVerdict | null = null;
  let checked: { readonly source: AuditSource; readonly checks: EntryChecks } | null = null;
  let underWay: Promise<AuditVerdict> | null = null;

  /** Compares with what this machine kept, and keeps the newer head. @returns what does not fit, in words */
  const witnessed = async (kept: Kept | null): Promise<string | null> => {
    const last = kept?.heads.at(-1);
    const witness = createAuditWitness({
      kept:
        kept === null || last === undefined
          ? null
          : { log: kept.log, key: kept.key, keyStatements: kept.keyStatements, head: last },
      async keep({ log, key, keyStatements, head }) {
        const heads = [...(kept?.heads ?? []), head].slice(-MOST_HEADS);
        await work.remember(NOTE, JSON.stringify({ log, key, keyStatements, heads } satisfies Kept));
      },
    });
    try {
      await witness.observe(await audit.head());
      return null;
    } catch (error) {
      if (isMedcloudletError(error) && error.code.startsWith("AUDIT_")) {
        return error.message;
      }
      throw error;
    }
  };

  const verify = async (): Promise<AuditVerdict> => {
    const begun = clock.now();
    const source = await sourceOfKdc(audit);
    const checks = createEntryChecks();
    const kept = readKept(work.recall(NOTE));
    const ofThis = kept?.log === source.log ? kept : null;
    const tell = (done: number) => work.tell({ told: "auditProgress", done, total: source.total });
    let done = 0;
    tell(0);
    async function* entries(): AsyncIterable<unknown> {
      for await (const raw of source.entries()) {
        checks.take(raw);
        yield raw;
        done++;
        if (done % STEP === 0) {
          tell(done);
        }
        if (work.signal.aborted) {
          return;
        }
      }
    }
    const report = await verifyLog({
      log: source.log,
      entries: entries(),
      heads: [...source.heads, ...(ofThis?.heads ?? [])],
      keyStatements: [...source.keyStatements, ...(ofThis?.keyStatements ?? [])],
      keys: [fromBase64Url(ofThis?.key ?? source.key)],
    });
    tell(done);
    // A damaged log is no measure for the next time.
    const witness = report.damage === null ? await witnessed(kept) : null;
    checked = { source, checks };
    verdict = {
      whole: report.damage === null && witness === null,
      ...{ damage: report.damage, witness, log: source.log, key: source.key },
      ...{ entries: report.entries, heads: report.heads, vouchedUpTo: report.vouchedUpTo },
      keptHeads: ofThis?.heads.length ?? 0,
      keyPinned: ofThis !== null,
      findings: checks.findings,
      moreFindings: checks.moreFindings,
      searchable: checks.fitting.length,
      tookMs: clock.now() - begun,
      at: clock.now(),
    };
    return verdict;
  };

  /** An id or its beginning stands for itself. The directory tells the handles of those whom patients share with. */
  const idOf = async (account: string): Promise<string> => {
    const { handle, accountId } = work.person;
    if (/^[0-9a-f]{6,32}$/.test(account)) {
      return account;
    }
    if (account === handle) {
      return accountId;
    }
    try {
      return (await session.lookUp(account)).accountId;
    } catch (error) {
      if (isMedcloudletError(error) && error.status === 404) {
        throw new MedcloudletError(
          "PAGE_AUDIT",
          `No doctor or researcher is called ${account}. The directory tells nobody the handles of patients and staff: search by the beginning of their id, as it stands under Who and About.`,
          { cause: error },
        );
      }
      throw error;
    }
  };
  const entriesFor = async (search: AuditSearch) => {
    if (checked === null) {
      throw new MedcloudletError("PAGE_AUDIT", "Verify the log first: only what was checked is searched.");
    }
    const { account, ...rest } = search;
    const id = account === undefined ? undefined : await idOf(account);
    return searchEntries(checked.checks.fitting, { ...rest, ...(id === undefined ? {} : { account: id }) });
  };

  return {
    verifyAudit() {
      underWay ??= verify().finally(() => {
        underWay = null;
      });
      return underWay;
    },
    auditVerdict: () => verdict,
    async searchAudit({ search, limit }) {
      const found = await entriesFor(search);
      return { found: found.length, entries: found.slice(0, limit) };
    },
    async exportAudit({ format, search }) {
      const day = new Date(clock.now()).toISOString().slice(0, 10);
      if (format === "csv") {
        const text = csvOf(await entriesFor(search));
        return { name: `audit-${day}.csv`, file: new Blob([text], { type: "text/csv;charset=utf-8" }) };
      }
      const raw = checked?.checks.raw ?? null;
      if (checked === null || raw === null) {
        throw new MedcloudletError(
          "PAGE_AUDIT",
          checked === null
            ? "Verify the log first: what was read then is what is exported."
            : `The page exports ${MOST_KEPT} entries at most: run \`medcloudlet audit export\` for the whole log.`,
        );
      }
      const { log, key, keyStatements, heads } = checked.source;
      const lines = [
        writeLine({ kind: "log", log, key }),
        ...keyStatements.map((statement) => writeLine({ kind: "key", statement })),
        ...heads.map((statement) => writeLine({ kind: "head", statement })),
        ...raw.map((entry) => writeLine({ kind: "entry", entry })),
      ];
      return { name: `audit-${day}.ndjson`, file: new Blob(lines, { type: "application/x-ndjson" }) };
    },
  };
}
