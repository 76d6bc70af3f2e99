import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { readCsv } from "../csv/index.ts";
import { type RequestRecord, requestRecordSchema } from "../ids/index.ts";
import type { Output } from "./output.ts";

/** Longest line that is read; a longer one is refused before it is parsed. */
const MAX_LINE = 8 * 1024 * 1024;

/** Logs carry columns of their own; those are left alone. */
const requestLine = z.object(requestRecordSchema.shape);
/** As the regression tests of OWASP's Core Rule Set write a request. */
const ruleTestLine = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string().max(256),
  uri: z.string().max(1_000_000).nullish(),
  data: z.string().max(4_000_000).nullish(),
  headers: z.record(z.string(), z.coerce.string()).nullish(),
  y: requestRecordSchema.shape.y,
});
/** A bare query string. */
const queryLine = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  q: z.string().max(1_000_000),
  y: requestRecordSchema.shape.y,
});

function readLine(value: unknown): RequestRecord {
  const known = (value ?? {}) as Record<string, unknown>;
  if ("q" in known && !("u" in known)) {
    const { id, q, y } = queryLine.parse(value);
    return { id, m: "GET", u: `/?${q}`, y };
  }
  if ("uri" in known && !("u" in known)) {
    const { id, method, uri, data, headers, y } = ruleTestLine.parse(value);
    return {
      id,
      m: method,
      u: uri ?? "/",
      y,
      ...(data == null ? {} : { b: data }),
      ...(headers == null ? {} : { headers }),
    };
  }
  return requestLine.parse(value);
}

function faultOf(cause: unknown): string {
  if (cause instanceof z.ZodError) {
    const [issue] = cause.issues;
    return issue === undefined ? "wrong form" : `${issue.path.join(".") || "line"}: ${issue.message}`;
  }
  return cause instanceof Error ? cause.message : String(cause);
}

/** How a file of requests is read. */
export interface InputOptions {
  /** CSV: the column whose values are the bodies (or, with `asQuery`, query values) of requests. */
  readonly column?: string;
  readonly labelColumn?: string;
  readonly asQuery?: true;
  /** Leaves out lines that cannot be read, and says how many. */
  readonly skipInvalid?: true;
}

const BENIGN_LABELS = ["0", "norm", "normal", "benign", "legitimate", ""];

async function* readColumn(file: string, options: InputOptions): AsyncGenerator<RequestRecord> {
  const column = options.column as string;
  const codes = { syntax: "IDS_LINE_INVALID", file: "CLI_FILE" };
  let head: readonly string[] | undefined;
  let id = 0;
  for await (const piece of readCsv(file, { codes, ragged: true, looseQuotes: true, longest: MAX_LINE })) {
    for (const { fields, line } of piece) {
      if (head === undefined) {
        head = fields;
        continue;
      }
      id++;
      const value = fields[head.indexOf(column)];
      if (value === undefined) {
        throw new MedcloudletError("IDS_LINE_INVALID", `Line ${line} of ${file} has no column "${column}".`, {
          status: 400,
          details: { line },
        });
      }
      const label = options.labelColumn === undefined ? undefined : fields[head.indexOf(options.labelColumn)];
      const y = label === undefined ? {} : { y: BENIGN_LABELS.includes(label) ? (0 as const) : (1 as const) };
      yield options.asQuery
        ? { id: String(id), m: "GET", u: `/?value=${encodeURIComponent(value)}`, ...y }
        : {
            id: String(id),
            m: "POST",
            u: "/",
            b: JSON.stringify({ value }),
            headers: { "content-type": "application/json" },
            ...y,
          };
    }
  }
}

/**
 * Requests of a log, one a line: `{id?, m, u, b?, headers?, y?}` (further keys are ignored), `{q}` for a bare query
 * string, or `{method, uri, data?, headers?}`; with `column`, the values of a CSV column.
 * @throws MedcloudletError `IDS_LINE_INVALID` with the number of the line
 */
export async function* readRequests(
  file: string,
  options: InputOptions,
  output: Output,
): AsyncGenerator<RequestRecord> {
  let size: number;
  try {
    size = (await stat(file)).size;
  } catch (cause) {
    throw new MedcloudletError("CLI_FILE", `Cannot read ${file}: check the path.`, { status: 400, cause });
  }
  if (options.column !== undefined) {
    yield* readColumn(file, options);
    return;
  }
  const progress = output.progress("reading", size);
  const lines = createInterface({
    input: createReadStream(file, "utf8"),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  let number = 0;
  let skipped = 0;
  try {
    for await (const line of lines) {
      number++;
      progress.step(line.length + 1);
      if (line.trim() === "") {
        continue;
      }
      let record: RequestRecord;
      try {
        if (line.length > MAX_LINE) {
          throw new Error(`longer than ${MAX_LINE} characters`);
        }
        record = readLine(JSON.parse(line));
      } catch (cause) {
        if (options.skipInvalid) {
          skipped++;
          continue;
        }
        throw new MedcloudletError(
          "IDS_LINE_INVALID",
          `Line ${number} of ${file} is no request (${faultOf(cause)}); correct it or use --skip-invalid.`,
          { status: 400, cause, details: { line: number } },
        );
      }
      yield record.id === undefined ? { ...record, id: String(number) } : record;
    }
  } finally {
    lines.close();
    progress.end();
    if (skipped > 0) {
      output.trouble(`${skipped} lines of ${file} were no requests and were left out.`);
    }
  }
}
