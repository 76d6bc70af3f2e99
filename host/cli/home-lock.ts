import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MedcloudletError } from "../base/index.ts";
import { requireHome } from "./home.ts";
import { asPerson, type PersonOptions } from "./options.ts";

const WAIT_MS = 30_000;
const AGAIN_AFTER_MS = 100;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Takes the lock, or gives the id of the process that has it. What a dead process left is taken away. */
async function take(file: string): Promise<number | null> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx", mode: 0o600 });
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
  }
  const holder = Number(await readFile(file, "utf8").catch(() => "0"));
  // A lock that is empty was made this moment.
  if (holder > 0 && !isAlive(holder)) {
    await rm(file, { force: true });
  }
  return holder;
}

/**
 * One command at a time for what a lock file guards: two that read, change and write the same file would each lose what
 * the other wrote.
 * @throws MedcloudletError `HOME_BUSY` when another command holds it for longer than half a minute
 */
export async function withLock<T>(file: string, what: string, work: () => Promise<T>): Promise<T> {
  const end = performance.now() + WAIT_MS;
  for (;;) {
    const holder = await take(file);
    if (holder === null) {
      break;
    }
    if (performance.now() > end) {
      throw new MedcloudletError(
        "HOME_BUSY",
        `Another command (process ${holder}) works with ${what}: wait for it. If there is none, remove ${file}.`,
        { status: 503 },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * Like `asPerson`, one command at a time for a home: two that start epochs at once would each write the keystore
 * without the other's epoch, and its key would be lost. What the same person kept from another machine, or in the page,
 * is taken in first.
 * @throws MedcloudletError `HOME_BUSY`
 */
export async function asOwner<T>(
  options: PersonOptions,
  work: Parameters<typeof asPerson<T>>[1],
): Promise<T> {
  await requireHome(options.home);
  const file = join(options.home, "owner.lock");
  return withLock(file, `the keys in ${options.home}`, () =>
    asPerson(options, async (person, ...others) => {
      await person.catchUpWithBackup();
      return work(person, ...others);
    }),
  );
}
