import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { readLine } from "../audit/verifying.ts";
import { type Bytes, fromBase64Url, MedcloudletError, toBase64Url } from "../base/index.ts";
import type { AuditSource } from "../client/index.ts";
import { type HeadsFile, readHomeHeads, sortLines } from "./audit-home.ts";

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
    throw new MedcloudletError("CLI_AUDIT_FILE", `Cannot read ${file}: check its name, and that you may.`, {
      status: 400,
      cause,
    });
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
      throw new MedcloudletError("CLI_AUDIT_FILE", `Cannot read ${file}: check its name, and that you may.`, {
        status: 400,
        cause,
      });
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
