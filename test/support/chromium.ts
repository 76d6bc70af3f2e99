import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path !== undefined && existsSync(path),
);

/** True where a Chromium is; says so loudly where there is none. */
export function hasChromium(what: string): boolean {
  if (executablePath === undefined) {
    process.stderr.write(`SKIPPED: ${what} in Chromium. Install chromium, or name its binary in CHROMIUM.\n`);
  }
  return executablePath !== undefined;
}

/** A browser without a window that talks to nobody by itself. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
