import type { AuditEntry, Damage } from "../../../audit/reading.ts";

/** An entry that is not what it should be where it stands. */
export interface AuditFinding {
  /** Its place in the log, from 1. */
  readonly place: number;
  /**
   * `malformed`: not of the form of entries; `edited`: its contents do not fit its hash; `order`: another number than
   * its place; `link`: it does not remember the entry before it.
   */
  readonly kind: "malformed" | "edited" | "order" | "link";
  /** What it says it is; null where that cannot be read. Damaged, so for people alone. */
  readonly at: number | null;
  readonly action: string | null;
}

export interface AuditVerdict {
  readonly whole: boolean;
  /** What the verifier concludes, the very one of `medcloudlet audit verify`. */
  readonly damage: Damage | null;
  /** Why what the KDC shows does not follow from what this machine kept; null where it does. */
  readonly witness: string | null;
  readonly log: string;
  readonly key: string;
  readonly entries: number;
  /** Signed heads that fit. */
  readonly heads: number;
  readonly vouchedUpTo: number;
  /** Heads that this machine kept from earlier visits, and were compared. */
  readonly keptHeads: number;
  /** Whether the log's key was known to this machine before. */
  readonly keyPinned: boolean;
  readonly findings: readonly AuditFinding[];
  /** Findings beyond those that are listed. */
  readonly moreFindings: number;
  /** The newest so many entries can be searched here. */
  readonly searchable: number;
  readonly tookMs: number;
  readonly at: number;
}

/** What to look for among the entries; absent fields do not matter. */
export interface AuditSearch {
  /** A handle, or the beginning of an account's id: actor, owner or object. */
  readonly account?: string;
  /** A part of the action's name. */
  readonly action?: string;
  readonly from?: number;
  readonly to?: number;
  readonly refusedOnly?: boolean;
}

export interface AuditQuestions {
  /** Reads and checks the whole log; events tell how far it is. */
  readonly verifyAudit: { readonly ask: null; readonly answer: AuditVerdict };
  /** The last verdict of this visit; null before the first. */
  readonly auditVerdict: { readonly ask: null; readonly answer: AuditVerdict | null };
  /** Among the entries that were checked, those whose contents fit their hash; the newest first. */
  readonly searchAudit: {
    readonly ask: { readonly search: AuditSearch; readonly limit: number };
    readonly answer: { readonly found: number; readonly entries: readonly AuditEntry[] };
  };
  /** `ndjson`: the whole log with its heads, as `audit verify --file` reads it; `csv`: what a search finds. */
  readonly exportAudit: {
    readonly ask: { readonly format: "ndjson" | "csv"; readonly search: AuditSearch };
    readonly answer: { readonly name: string; readonly file: Blob };
  };
}
