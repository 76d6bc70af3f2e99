import { z } from "zod";
import { MedcloudletError } from "../../base/index.ts";
import type { Consequences, Engine, Observation } from "./contract.ts";
import { createEngine } from "./engine.ts";
import { followedSchema, observationSchema } from "./schema.ts";

/** One line of an engine's log. */
export interface LogEntry {
  readonly observation: Observation;
  /** Absent where nothing followed. */
  readonly followed?: Consequences;
}

const entrySchema = z.strictObject({ observation: observationSchema, followed: followedSchema.optional() });

function isEmpty({ alerts, share, decisions, ended }: Consequences): boolean {
  return alerts.length + share.length + decisions.length + ended.length === 0;
}

/**
 * One observation and what followed as one JSON line with its newline: both or neither, so that a crash leaves no
 * decision without its cause. JSON escapes every control character: nothing that a request says begins a line.
 */
export function logLine(observation: Observation, followed: Consequences): string {
  return `${JSON.stringify(isEmpty(followed) ? { observation } : { observation, followed })}\n`;
}

/**
 * @param number of the line, for the message
 * @throws MedcloudletError `IDS_LOG_INVALID`
 */
export function parseLogLine(line: string, number: number): LogEntry {
  const refuse = (why: string, cause?: unknown) =>
    new MedcloudletError("IDS_LOG_INVALID", `Line ${number} of the log is not an observation: ${why}.`, {
      status: 400,
      cause,
      details: { line: number },
    });
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw refuse("it is not JSON", cause);
  }
  const parsed = entrySchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw refuse(`${issue?.path.join(".") || "entry"}: ${issue?.message ?? "unexpected"}`);
  }
  const { observation, followed } = parsed.data;
  return followed === undefined ? { observation } : { observation, followed };
}

/** An engine that writes down everything that it is told, before anybody acts on what follows. */
export function recordEngine(engine: Engine, write: (line: string) => void): Engine {
  return {
    observe(observation) {
      const followed = engine.observe(observation);
      write(logLine(observation, followed));
      return followed;
    },
    inForce: (subjects, at) => engine.inForce(subjects, at),
    members: () => engine.members(),
  };
}

/** Where a replay came to something else than the live run. */
export interface Difference {
  readonly line: number;
  readonly at: number;
  readonly what: keyof Consequences;
  /** JSON of the first that differs; null where there is none. */
  readonly written: string | null;
  readonly replayed: string | null;
}

/** What a replay found. */
export interface Replay {
  readonly lines: number;
  readonly observations: Readonly<Record<Observation["kind"], number>>;
  readonly alerts: number;
  readonly decisions: readonly Consequences["decisions"][number][];
  readonly ended: readonly string[];
  readonly differences: readonly Difference[];
  /** The members as the service saw them in the end. */
  readonly members: ReturnType<Engine["members"]>;
  /** True where the last line was cut off, as after a crash; it is left out. */
  readonly cutOff: boolean;
}

/** Text of a value with its keys in order: a log that went through a database has other ones. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

const PARTS = ["alerts", "share", "decisions", "ended"] as const;
const NOTHING: Consequences = { alerts: [], share: [], decisions: [], ended: [] };
/** Differences that are told one by one. */
const MOST_DIFFERENCES = 100;

/**
 * Feeds the observations of a log through a fresh engine and compares all that follows with what the log says.
 * @param lines without their newlines; the whole log from the engine's start
 * @throws MedcloudletError `IDS_LOG_INVALID` for a bad line that is not the last one
 */
export async function replayLog(lines: AsyncIterable<string> | Iterable<string>): Promise<Replay> {
  const engine = createEngine();
  const observations = { settings: 0, roster: 0, event: 0, heard: 0, ruling: 0, exempt: 0 };
  const decisions: Consequences["decisions"][number][] = [];
  const ended: string[] = [];
  const differences: Difference[] = [];
  let number = 0;
  let alerts = 0;
  let bad: unknown;

  for await (const line of lines) {
    number++;
    if (line.trim() === "") {
      continue;
    }
    if (bad !== undefined) {
      throw bad;
    }
    let entry: LogEntry;
    try {
      entry = parseLogLine(line, number);
    } catch (error) {
      bad = error;
      continue;
    }
    const { observation, followed = NOTHING } = entry;
    observations[observation.kind]++;
    const replayed = engine.observe(observation);
    alerts += replayed.alerts.length;
    decisions.push(...replayed.decisions);
    ended.push(...replayed.ended);
    for (const what of PARTS) {
      const most = Math.max(followed[what].length, replayed[what].length);
      for (let i = 0; i < most; i++) {
        const one = followed[what][i] === undefined ? null : canonical(followed[what][i]);
        const other = replayed[what][i] === undefined ? null : canonical(replayed[what][i]);
        if (one !== other && differences.length < MOST_DIFFERENCES) {
          differences.push({ line: number, at: observation.at, what, written: one, replayed: other });
        }
      }
    }
  }
  // Only a line that is no JSON was cut off; one that says something else was changed.
  const cutOff = bad !== undefined;
  if (cutOff && !((bad as MedcloudletError).cause instanceof SyntaxError)) {
    throw bad;
  }
  const members = engine.members();
  return { lines: number, observations, alerts, decisions, ended, differences, members, cutOff };
}
