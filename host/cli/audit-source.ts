import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { readLine } from "../audit/index.ts";
import { type Bytes, fromBase64Url, MedcloudletError, toBase64Url } from "../base/index.ts";
import type { AuditClient } from "../client/index.ts";
import { type HeadsFile, readHomeHeads, sortLines } from "./audit-home.ts";

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

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file, "utf8"), crlfDelay: Number.POSITIVE_INFINITY });
}

/**
 * An export. It is read twice: first all that is not an entry, for the verifier wants the heads before.
 * @throws MedcloudletError `CLI_AUDIT_FILE`
 */
export async function sourceOfFile(file: string): Promise<AuditSource> {
  const others: string[] = [];
  let total = 0;
  try {
    for await (const text of linesOf(file)) {
      if (/^\{"kind":"(log|key|head)"/.test(text)) {
        others.push(text);
      } else {
        total++;
      }
    }
  } catch (cause) {
    throw new MedcloudletError("CLI_AUDIT_FILE", `Cannot read ${file}.`, { status: 400, cause });
  }
  const { log, key, keyStatements, heads, unreadable } = sortLines(others.join("\n"));
  if (log === null || key === null) {
    throw new MedcloudletError(
      "CLI_AUDIT_FILE",
      `${file} is not an export of the audit log: make one with \`medcloudlet audit export\`.`,
      { status: 400 },
    );
  }
  return {
    log,
    key,
    keyStatements,
    heads,
    total,
    unreadable,
    async *entries() {
      for await (const text of linesOf(file)) {
        if (!/^\{"kind":"(log|key|head)"/.test(text)) {
          const line = readLine(text);
          yield line?.kind === "entry" ? line.entry : null;
        }
      }
    },
  };
}

/** Keys to believe, and heads that others kept. */
export interface Evidence {
  readonly keys: readonly Bytes[];
  readonly heads: readonly string[];
  readonly keyStatements: readonly string[];
  /** True when nothing but the source itself says that the key is the log's. */
  readonly keyUnproven: boolean;
  readonly unreadable: number;
}

/**
 * What to hold against a source: the key that was named, or else the one that the home pinned, or else the source's own;
 * the heads of the home and of the files.
 * @throws MedcloudletError `CLI_AUDIT_FILE`, `CLI_AUDIT_KEY`
 */
export async function gatherEvidence(
  source: AuditSource,
  options: { readonly home: string; readonly heads?: readonly string[]; readonly key?: string },
): Promise<Evidence> {
  const home = await readHomeHeads(options.home);
  const ofHome = home.log === source.log ? [home] : [];
  const files: HeadsFile[] = [];
  for (const file of options.heads ?? []) {
    const text = await readFile(file, "utf8").catch((cause) => {
      throw new MedcloudletError("CLI_AUDIT_FILE", `Cannot read ${file}.`, { status: 400, cause });
    });
    files.push(sortLines(text));
  }
  const pinned = options.key ?? ofHome[0]?.key ?? null;
  return {
    keys: [keyOf(pinned ?? source.key)],
    heads: [...ofHome, ...files].flatMap(({ heads }) => heads),
    keyStatements: [...ofHome, ...files].flatMap(({ keyStatements }) => keyStatements),
    keyUnproven: pinned === null,
    unreadable: files.reduce((sum, file) => sum + file.unreadable, source.unreadable),
  };
}

function keyOf(text: string): Bytes {
  try {
    const key = fromBase64Url(text);
    if (key.length === 32 && toBase64Url(key) === text) {
      return key;
    }
  } catch {
    // said below
  }
  throw new MedcloudletError("CLI_AUDIT_KEY", "A log's key is 43 letters, digits, hyphens and underscores.", {
    status: 400,
  });
}
