import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AuditLine, readLine, writeLine } from "../audit/verifying.ts";
import { type AuditWitness, createAuditWitness, type KeptHead } from "../client/index.ts";

const heads = (home: string) => join(home, "audit-heads.ndjson");

/** Lines of a file of heads, or of an export; and how many are none. */
export interface HeadsFile {
  readonly log: string | null;
  readonly key: string | null;
  readonly keyStatements: readonly string[];
  readonly heads: readonly string[];
  readonly unreadable: number;
}

/** Sorts the lines of a file of heads. */
export function sortLines(text: string): HeadsFile {
  const lines = text.split("\n").filter((line) => line !== "");
  const read = lines.map(readLine).filter((line): line is AuditLine => line !== null);
  const first = read.find((line) => line.kind === "log");
  return {
    log: first?.log ?? null,
    key: first?.key ?? null,
    keyStatements: read.flatMap((line) => (line.kind === "key" ? line.statement : [])),
    heads: read.flatMap((line) => (line.kind === "head" ? line.statement : [])),
    unreadable: lines.length - read.length,
  };
}

/** The heads that were seen from this home; nothing when there are none yet. */
export async function readHomeHeads(home: string): Promise<HeadsFile> {
  const text = await readFile(heads(home), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") {
      return "";
    }
    throw error;
  });
  return sortLines(text);
}

/** The witness of a home. Its file only grows, so that every head seen can be shown later. */
export async function openHomeWitness(home: string): Promise<AuditWitness> {
  const file = await readHomeHeads(home);
  const last = file.heads.at(-1);
  let kept: KeptHead | null =
    file.log === null || file.key === null || last === undefined
      ? null
      : { log: file.log, key: file.key, keyStatements: file.keyStatements, head: last };
  return createAuditWitness({
    kept,
    async keep(newer) {
      const lines: AuditLine[] = [
        ...(kept === null ? [{ kind: "log", log: newer.log, key: newer.key } as const] : []),
        ...newer.keyStatements
          .filter((statement) => !kept?.keyStatements.includes(statement))
          .map((statement) => ({ kind: "key", statement }) as const),
        { kind: "head", statement: newer.head },
      ];
      await appendFile(heads(home), lines.map(writeLine).join(""), { mode: 0o600, flush: true });
      kept = newer;
    },
  });
}
