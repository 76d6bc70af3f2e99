import { z } from "zod";
import { fromBase64Url, MedcloudletError } from "../base/index.ts";
import {
  type AuditHead,
  auditKeysFrom,
  idSchema,
  readAuditHead,
  signingKeySchema,
} from "../sealing/index.ts";
import type { KdcSession } from "./kdc-client.ts";

const SIGNED = z.object({
  log: idSchema,
  key: signingKeySchema,
  keyStatements: z.array(z.string()),
  head: z.string(),
});
const PAGE = SIGNED.extend({ entries: z.array(z.unknown()) });
const HEADS = z.object({
  heads: z.array(z.object({ sequence: z.number().int().positive(), statement: z.string() })),
});

/** What the KDC says about its audit log; nothing in it is verified yet. */
export type UnverifiedHead = z.infer<typeof SIGNED>;
export type UnverifiedPage = z.infer<typeof PAGE>;

/** Which entries to fetch: those behind `after`, at most `limit` (up to 1000). */
export interface PageQuery {
  readonly after: number;
  readonly limit: number;
}

/** The KDC's audit log over HTTP. */
export interface AuditClient {
  /** For a security officer: the entries of everybody. */
  page(query: PageQuery): Promise<UnverifiedPage>;
  /** For a security officer: the heads that the KDC kept, by the entry that each vouches for. */
  heads(query: PageQuery): Promise<{ readonly sequence: number; readonly statement: string }[]>;
  /** Entries about whoever asks, and of what they did. */
  mine(query: PageQuery): Promise<UnverifiedPage>;
  /** A head of the log as it is now. */
  head(): Promise<UnverifiedHead>;
}

export function createAuditClient({ call }: Pick<KdcSession, "call">): AuditClient {
  const get = <T>(schema: z.ZodType<T>, path: string) => call(schema, { method: "GET", path });
  return {
    page: ({ after, limit }) => get(PAGE, `/audit?after=${after}&limit=${limit}`),
    heads: async ({ after, limit }) => (await get(HEADS, `/audit/heads?after=${after}&limit=${limit}`)).heads,
    mine: ({ after, limit }) => get(PAGE, `/audit/mine?after=${after}&limit=${limit}`),
    head: () => get(SIGNED, "/audit/head"),
  };
}

/** What somebody keeps of a log to hold the KDC to it. */
export interface KeptHead {
  readonly log: string;
  /** Public key that signed the first head seen here, base64url. */
  readonly key: string;
  /** Statements by which keys handed over since. */
  readonly keyStatements: readonly string[];
  /** The newest head seen, with its signature. */
  readonly head: string;
}

/** Remembers the newest head of a log and refuses whatever lies before it. */
export interface AuditWitness {
  /**
   * Checks what the KDC says now against what was seen before, and keeps it when it is newer. The very first time the
   * KDC's word is taken for log and key.
   * @throws MedcloudletError `AUDIT_LOG_REPLACED`, `AUDIT_KEY_UNKNOWN`, `AUDIT_LOG_WENT_BACK`, `AUDIT_LOG_FORKED`
   */
  observe(said: UnverifiedHead): Promise<AuditHead>;
}

const AFTERWARDS =
  "Somebody may have changed the log, or an older backup was restored. Ask the security officer, and show them the heads " +
  "that you kept (audit-heads.ndjson in your home): they prove what was there. To begin anew with what the KDC shows now, " +
  "move that file away.";

function refuse(code: string, what: string): MedcloudletError {
  return new MedcloudletError(code, `${what} ${AFTERWARDS}`, { status: 502 });
}

export function createAuditWitness(options: {
  readonly kept: KeptHead | null;
  /** Called before a newer head is relied on. */
  readonly keep: (kept: KeptHead) => Promise<void>;
}): AuditWitness {
  let { kept } = options;

  return {
    async observe(said) {
      if (kept !== null && said.log !== kept.log) {
        throw refuse("AUDIT_LOG_REPLACED", `The KDC shows another audit log (${said.log}) than before.`);
      }
      const statements = [...new Set([...(kept?.keyStatements ?? []), ...said.keyStatements])];
      const keys = await auditKeysFrom(said.log, [fromBase64Url(kept?.key ?? said.key)], statements);
      const signed = await readAuditHead(said.head, keys);
      if (signed === null || signed.head.log !== said.log) {
        throw refuse(
          "AUDIT_KEY_UNKNOWN",
          "The head of the KDC's audit log is signed by a key that is not known here.",
        );
      }
      const { head } = signed;
      const before = kept === null ? null : ((await readAuditHead(kept.head, keys))?.head ?? null);
      if (kept !== null && before === null) {
        throw refuse("AUDIT_KEY_UNKNOWN", "The head that was kept here is not signed by a key of this log.");
      }
      if (before !== null && head.sequence < before.sequence) {
        throw refuse(
          "AUDIT_LOG_WENT_BACK",
          `The KDC's audit log ends at entry ${head.sequence}, and it had ${before.sequence} entries before.`,
        );
      }
      if (before !== null && head.sequence === before.sequence && head.hash !== before.hash) {
        throw refuse(
          "AUDIT_LOG_FORKED",
          `Entry ${head.sequence} of the KDC's audit log is another than before.`,
        );
      }
      if (before === null || head.sequence > before.sequence) {
        // The key that was pinned stays: the statements lead from it to every later one.
        const newer = {
          log: said.log,
          key: kept?.key ?? said.key,
          keyStatements: statements,
          head: said.head,
        };
        await options.keep(newer);
        kept = newer;
      }
      return head;
    },
  };
}
