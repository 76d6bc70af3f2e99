import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import type { KeptAlert } from "../analytics/index.ts";
import { MedcloudletError, pause } from "../base/index.ts";
import type { Output } from "./output.ts";

/** How long a hook may take. */
const HOOK_MS = 10_000;
/** Between two tries, doubling. */
const RETRY_MS = 5000;
const RETRY_MS_MOST = 60_000;

/** Tells whoever is to be told of one alert. @throws MedcloudletError `CLI_HOOK_FAILED` when it did not get through */
export type Page = (alert: KeptAlert) => Promise<void>;

/** What of an alert goes out of the program. */
const pageOf = ({ id, subject, alert, events }: KeptAlert) => ({ alert: id, ...subject, ...alert, events });

const failed = (why: string, cause?: unknown) =>
  new MedcloudletError("CLI_HOOK_FAILED", `the hook ${why}`, { status: 503, cause });

/**
 * Pages by a program on this machine: the alert as one line of JSON on its standard input, no arguments, no shell, so
 * that nothing a patient calls themselves can become a command. It has got through when the program ends with 0. What the
 * program prints goes nowhere; MEDCLOUDLET_* variables are not handed on.
 * @param file path of the program
 * @throws MedcloudletError `CLI_OPTIONS` where it cannot be run
 */
export async function openHook(file: string, { timeoutMs = HOOK_MS } = {}): Promise<Page> {
  const path = resolve(file);
  await access(path, constants.X_OK).catch((cause) => {
    throw new MedcloudletError(
      "CLI_OPTIONS",
      `--hook ${file} is no program that can be run: check path and permissions.`,
      { status: 400, cause },
    );
  });
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("MEDCLOUDLET_")),
  );
  return (alert) =>
    new Promise((done, fail) => {
      // A group of its own: Ctrl-C here does not end it half-way, and what it started ends with it.
      const child = spawn(path, { shell: false, detached: true, env, stdio: ["pipe", "ignore", "ignore"] });
      const end = (): void => {
        try {
          process.kill(-(child.pid as number), "SIGKILL");
        } catch {
          child.kill("SIGKILL");
        }
      };
      const timer = setTimeout(() => {
        end();
        fail(failed(`did not end within ${timeoutMs / 1000} s`));
      }, timeoutMs);
      child.once("error", (cause: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        fail(failed(`could not be started (${cause.code})`, cause));
      });
      child.once("exit", (code, signal) => {
        clearTimeout(timer);
        if (code === 0) {
          done();
        } else {
          fail(failed(code === null ? `was ended by ${signal}` : `ended with ${code}`));
        }
      });
      // A program that does not care for the details need not read them.
      child.stdin.on("error", () => {});
      child.stdin.end(`${JSON.stringify(pageOf(alert))}\n`);
    });
}

/** From when on somebody is paged. */
export type PageFrom = "raised" | "escalated";

/** Sees to it that unanswered alerts get through to somebody. */
export interface AlertPager {
  /**
   * Takes an alert as it stands: pages when it is loud and was not paged as it is now, and lets a page rest that
   * somebody made needless by answering. Never throws.
   */
  note(alert: KeptAlert): void;
  /** Tries no more; fulfils when what runs has ended. */
  close(): Promise<void>;
}

interface Paging {
  newest: KeptAlert;
  /** What got through last. */
  paged: string | null;
  running: Promise<void> | null;
}

/**
 * Pages for each alert that is raised or escalated, again for each tier and level, and again and again until it gets
 * through or somebody answers the alert. What got through is not written down: after a restart a loud alert is paged once
 * more, for twice is better than never.
 */
export function createAlertPager(options: {
  readonly page: Page;
  readonly from: PageFrom;
  readonly output: Pick<Output, "trouble">;
  readonly retryMs?: number;
}): AlertPager {
  const { page, from, output, retryMs = RETRY_MS } = options;
  const pagings = new Map<string, Paging>();
  const closing = new AbortController();

  const wanted = ({ alert: { status, level, tier } }: KeptAlert): string | null =>
    status === "escalated" || (status === "raised" && from === "raised")
      ? `${status} ${level} ${tier}`
      : null;

  /** Until what is wanted got through, or is wanted no more. */
  const run = async (paging: Paging): Promise<void> => {
    for (let wait = retryMs; !closing.signal.aborted; wait = Math.min(2 * wait, RETRY_MS_MOST)) {
      const { newest } = paging;
      const want = wanted(newest);
      if (want === null || want === paging.paged) {
        return;
      }
      try {
        await page(newest);
        paging.paged = want;
        wait = retryMs / 2;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const next = closing.signal.aborted ? "" : `; again in ${Math.ceil(wait / 1000)} s`;
        output.trouble(`  ⚑ NOBODY WAS PAGED for alert ${newest.id.slice(0, 8)}: ${why}${next}`);
        await pause(wait, closing.signal);
      }
    }
  };

  return {
    note(alert) {
      const paging = pagings.get(alert.id) ?? { newest: alert, paged: null, running: null };
      paging.newest = alert;
      if (alert.alert.status === "resolved") {
        pagings.delete(alert.id);
        return;
      }
      pagings.set(alert.id, paging);
      if (wanted(alert) !== null && paging.running === null && !closing.signal.aborted) {
        paging.running = run(paging).finally(() => {
          paging.running = null;
        });
      }
    },
    async close() {
      closing.abort();
      await Promise.all([...pagings.values()].map(({ running }) => running));
    },
  };
}
