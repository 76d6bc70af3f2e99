import { appendFile, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInTurn } from "../../base/index.ts";

/** Lines of what the engine was told and what followed, for `ids replay`. */
export interface Journal {
  /** A line with its newline. */
  append(line: string): void;
  /** Fulfils when everything so far is in the file. */
  settled(): Promise<void>;
}

export const noJournal: Journal = { append: () => {}, settled: async () => {} };

const WRITE_EVERY_MS = 500;
/** Lines that wait for the disk, at most. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;

/**
 * Appends to files in a folder: one series for each start of the service, as an engine begins anew with it, and a new
 * file once one is full. The oldest files go once there are too many; what is left of a series whose beginning is gone
 * can be read, and no longer replayed.
 */
export async function createJournal(options: {
  readonly folder: string;
  /** What the files' names begin with. */
  readonly name: "observations" | "requests";
  /** When the service was started, ms since 1970. */
  readonly startedAt: number;
  readonly fileBytes?: number;
  readonly files?: number;
  readonly onFault: (what: string, error: unknown) => void;
}): Promise<Journal> {
  const { folder, name, startedAt, fileBytes = 32 * 1024 * 1024, files = 8, onFault } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const inTurn = createInTurn();
  let number = 0;
  let written = 0;
  let waiting: string[] = [];
  let waitingBytes = 0;
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  const ours = new RegExp(`^${name}-\\d{13}-\\d{4}\\.jsonl$`);
  const nameOf = () =>
    `${name}-${String(startedAt).padStart(13, "0")}-${String(number).padStart(4, "0")}.jsonl`;

  const forget = async () => {
    const there = (await readdir(folder)).filter((file) => ours.test(file)).sort();
    for (const file of there.slice(0, Math.max(0, there.length - files))) {
      await rm(join(folder, file), { force: true });
    }
  };
  const write = async () => {
    if (waiting.length === 0) {
      return;
    }
    const text = waiting.join("");
    const lost = dropped;
    waiting = [];
    waitingBytes = 0;
    dropped = 0;
    try {
      await appendFile(join(folder, nameOf()), text, { mode: 0o600 });
      written += Buffer.byteLength(text);
      if (written >= fileBytes) {
        number++;
        written = 0;
        await forget();
      }
      if (lost > 0) {
        throw new Error(`${lost} observations were too many to write`);
      }
    } catch (error) {
      onFault("journal", error);
    }
  };

  await forget();
  return {
    append(line) {
      if (waitingBytes > MOST_WAITING_BYTES) {
        dropped++;
        return;
      }
      waiting.push(line);
      waitingBytes += line.length;
      if (timer === undefined) {
        timer = setTimeout(() => {
          timer = undefined;
          void inTurn(write);
        }, WRITE_EVERY_MS);
        timer.unref();
      }
    },
    settled: () => inTurn(write),
  };
}
