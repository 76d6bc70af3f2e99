import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { BrowserContext, Page } from "playwright-core";

/** A page that writes down every breach of its policy and every error. */
export async function openWatchedPage(on: BrowserContext, complaints: string[]): Promise<Page> {
  const opened = await on.newPage();
  await opened.exposeFunction("complain", (complaint: string) => complaints.push(complaint));
  await opened.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      (globalThis as unknown as { complain(complaint: string): void }).complain(
        `${violatedDirective} ${blockedURI}`,
      );
    });
  });
  opened.on("console", (message) => {
    if (message.type() === "error") {
      complaints.push(message.text());
    }
  });
  opened.on("pageerror", (error) => complaints.push(error.message));
  return opened;
}

/** What axe calls serious or critical on the page as it stands. */
export async function axeFindings(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe: run } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await run.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" ")}`);
  });
}
