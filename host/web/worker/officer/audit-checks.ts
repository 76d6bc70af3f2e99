import { type AuditEntry, entryHash, parseEntry } from "../../../audit/reading.ts";
import type { AuditFinding, AuditSearch } from "./audit-questions.ts";

/** So many findings are listed; the rest is counted. */
const MOST_LISTED = 200;
/** So many entries can be searched: with half a kilobyte each, a hundred megabytes. */
export const MOST_KEPT = 200_000;

/** Looks at each entry by itself, beside the verifier, which stops at the first that is wrong. */
export interface EntryChecks {
  take(raw: unknown): void;
  readonly findings: readonly AuditFinding[];
  readonly moreFindings: number;
  /** Entries whose contents fit their hash, in the log's order. */
  readonly fitting: readonly AuditEntry[];
  /** Everything that came, as it came; null where it was too much to keep. */
  readonly raw: readonly unknown[] | null;
}

export function createEntryChecks(): EntryChecks {
  const findings: AuditFinding[] = [];
  let more = 0;
  let place = 0;
  let before: Pick<AuditEntry, "hash"> | null = null;
  let fitting: AuditEntry[] = [];
  let raws: unknown[] | null = [];

  const note = (kind: AuditFinding["kind"], entry: AuditEntry | null): void => {
    if (findings.length >= MOST_LISTED) {
      more++;
      return;
    }
    findings.push({ place, kind, at: entry?.at ?? null, action: entry?.action ?? null });
  };
  return {
    take(raw) {
      place++;
      raws?.push(raw);
      if (raws !== null && raws.length > MOST_KEPT) {
        raws = null;
      }
      const entry = parseEntry(raw);
      if (entry === null) {
        note("malformed", null);
        before = null;
        return;
      }
      const fits = entryHash(entry) === entry.hash;
      if (!fits) {
        note("edited", entry);
      } else if (entry.sequence !== place) {
        note("order", entry);
      } else if (before !== null && entry.previous !== before.hash) {
        note("link", entry);
      }
      before = entry;
      if (fits) {
        fitting.push(raw as AuditEntry);
        if (fitting.length >= 2 * MOST_KEPT) {
          fitting = fitting.slice(-MOST_KEPT);
        }
      }
    },
    findings,
    get moreFindings() {
      return more;
    },
    get fitting() {
      return fitting.slice(-MOST_KEPT);
    },
    get raw() {
      return raws;
    },
  };
}

/** Those that a search asks for, the newest first. `account`: id, or the beginning of one. */
export function searchEntries(entries: readonly AuditEntry[], search: AuditSearch): AuditEntry[] {
  const { account, action, from, to, refusedOnly } = search;
  const isAbout = (id: string | null) => id?.startsWith(account ?? "") === true;
  return entries
    .filter(
      (entry) =>
        (account === undefined || isAbout(entry.actor) || isAbout(entry.owner) || isAbout(entry.object)) &&
        (action === undefined || entry.action.includes(action)) &&
        (from === undefined || entry.at >= from) &&
        (to === undefined || entry.at <= to) &&
        (refusedOnly !== true || entry.outcome === "refused"),
    )
    .reverse();
}

const COLUMNS = [
  "sequence",
  "time",
  "action",
  "outcome",
  "code",
  "actorRole",
  "actor",
  "owner",
  "object",
  "requestId",
  "details",
  "hash",
] as const;

/** One cell: quoted (RFC 4180), and never the beginning of a formula for the program that opens it. */
function cell(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  const harmless = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replace(/"/g, '""')}"` : harmless;
}

/** Entries as CSV with a head; times as ISO 8601 in UTC. */
export function csvOf(entries: readonly AuditEntry[]): string {
  const rows = entries.map((entry) =>
    COLUMNS.map((column) => {
      switch (column) {
        case "time":
          return cell(new Date(entry.at).toISOString());
        case "details":
          return cell(Object.keys(entry.details).length === 0 ? "" : JSON.stringify(entry.details));
        default:
          return cell(entry[column]);
      }
    }).join(","),
  );
  return `${[COLUMNS.join(","), ...rows].join("\r\n")}\r\n`;
}
