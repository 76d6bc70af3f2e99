import { fromBase64Url } from "../base/index.ts";
import type { AuditClient } from "./audit.ts";

const PAGE_ENTRIES = 1000;

/** A log to verify or to export, wherever it comes from. */
export interface AuditSource {
  readonly log: string;
  /** The key that the source itself names, base64url. */
  readonly key: string;
  readonly keyStatements: readonly string[];
  readonly heads: readonly string[];
  /** How many entries there should be. */
  readonly total: number;
  /** Lines that are neither entries nor anything else that an export holds. */
  readonly unreadable: number;
  readonly entries: () => AsyncIterable<unknown>;
}

/** The log of a KDC, page by page, up to the entry that was the last when the first page was asked for. */
export async function sourceOfKdc(audit: AuditClient): Promise<AuditSource> {
  const { log, key, keyStatements, head } = await audit.head();
  const heads: string[] = [];
  for (let after = 0; ; ) {
    const page = await audit.heads({ after, limit: PAGE_ENTRIES });
    heads.push(...page.map(({ statement }) => statement));
    const last = page.at(-1)?.sequence ?? after;
    if (page.length < PAGE_ENTRIES || last <= after) {
      break;
    }
    after = last;
  }
  const total = sequenceIn(head);
  return {
    log,
    key,
    keyStatements,
    heads: [...heads, head],
    total,
    unreadable: 0,
    async *entries() {
      for (let count = 0; count < total; ) {
        const { entries } = await audit.page({ after: count, limit: Math.min(PAGE_ENTRIES, total - count) });
        if (entries.length === 0) {
          return; // fewer than the head says: the verifier will say so
        }
        yield* entries;
        count += entries.length;
      }
    },
  };
}

/** What a head says of its place, unverified: for the progress bar and to know where to stop. */
function sequenceIn(statement: string): number {
  try {
    const payload = new TextDecoder().decode(fromBase64Url(statement.split(".")[1] ?? ""));
    const { sequence } = JSON.parse(payload);
    return Number.isSafeInteger(sequence) ? sequence : 0;
  } catch {
    return 0;
  }
}
