import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { type AuditLine, readLine, writeLine } from "./lines.ts";

/** More than enough for the newest lines. */
const TAIL_BYTES = 65_536;

/** Where signed heads are kept outside the database, so that whoever can edit that one cannot make the log shorter. */
export interface WitnessFile {
  /** Fulfils once the line is on disk. */
  append(line: AuditLine): Promise<void>;
  /** The newest lines, the newest last; not all of them. */
  tail(): Promise<AuditLine[]>;
  close(): Promise<void>;
}

/**
 * Opens a file that is only ever appended to (`chattr +a` suits it), readable by its user alone. A line that a crash
 * cut short stays and is closed with a line end: readers skip it.
 */
export async function openWitnessFile(file: string): Promise<WitnessFile> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, "a+", 0o600);

  async function readTail(): Promise<string> {
    const { size } = await handle.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString("utf8", 0, bytesRead);
  }

  let torn = !/(^|\n)$/.test(await readTail());

  return {
    async append(line) {
      const text = (torn ? "\n" : "") + writeLine(line);
      torn = true; // until it is known to be whole
      await handle.appendFile(text);
      await handle.datasync();
      torn = false;
    },
    async tail() {
      return (await readTail()).split("\n").flatMap((text) => readLine(text) ?? []);
    },
    close: () => handle.close(),
  };
}
