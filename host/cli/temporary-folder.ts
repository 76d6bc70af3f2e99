import { mkdtempSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { constants } from "node:os";

/** A folder that is gone when the process is, however that ends; only SIGKILL and a power failure leave it. */
export interface TemporaryFolder {
  readonly path: string;
  /** Removes it now. */
  remove(): Promise<void>;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** The listeners of all folders: an interrupt that only these hear ends the process. */
const ours = new WeakSet<object>();

/**
 * Makes a folder whose name begins with `prefix` (a path). SIGINT and SIGTERM end the process unless somebody else
 * listens to them, as `untilInterrupted` does where work is to end in order; at the process's end the folder is removed.
 * Made and listened for without a turn of the event loop in between, so that no signal falls into a gap.
 */
export function temporaryFolder(prefix: string): TemporaryFolder {
  const path = mkdtempSync(prefix);
  const atEnd = (): void => {
    try {
      // A service that still runs may write meanwhile.
      rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // At the very end there is nobody left to tell.
    }
  };
  const atSignal = (signal: NodeJS.Signals): void => {
    if (process.listeners(signal).every((listener) => ours.has(listener))) {
      process.exit(128 + constants.signals[signal]);
    }
  };
  ours.add(atSignal);
  process.once("exit", atEnd);
  for (const signal of SIGNALS) {
    process.on(signal, atSignal);
  }
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true });
      process.off("exit", atEnd);
      for (const signal of SIGNALS) {
        process.off(signal, atSignal);
      }
    },
  };
}
