import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { demoCode, enrolDemoFactor } from "../../host/cli/demo-authenticator.ts";
import type { DemoWorld } from "../../host/cli/demo-world.ts";
import { type PersonAtWork, registerPerson, startWork } from "../../host/cli/home.ts";

/** A page that writes down every breach of its policy and every error. */
export async function openWatchedPage(context: BrowserContext, complaints: string[]): Promise<Page> {
  const opened = await context.newPage();
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

/**
 * What axe calls serious or critical on the present view, light and dark, from phone to wall; and where the page is
 * wider than the screen.
 */
export async function faultsOf(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const faults: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [390, 2560]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await page.evaluate(axe);
      const found = await page.evaluate(async () => {
        const { axe: run } = globalThis as unknown as {
          axe: {
            run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
          };
        };
        const { violations } = await run.run();
        return violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" ")}`);
      });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      faults.push(...found.map((fault) => `${colorScheme} ${width} ${fault}`));
      if (overflow > 0) {
        faults.push(`${colorScheme} ${width}: ${overflow} pixels too wide`);
      }
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  return faults;
}

/** What takes longer than this will not come. */
const PATIENCE_MS = 10_000;

/** Opens pages that write down, all in one list, every breach of their policy and every error. */
export function createPageWatch() {
  const complaints: string[] = [];
  return {
    complaints,
    async open(on: BrowserContext): Promise<Page> {
      const page = await openWatchedPage(on, complaints);
      page.setDefaultTimeout(PATIENCE_MS);
      return page;
    },
  };
}

/** As `faultsOf`, for the view that is named in the failure. */
export async function expectAccessible(page: Page, view: string): Promise<void> {
  expect(await faultsOf(page), view).toEqual([]);
}

/** Somebody new of a role whose keys lie at the KDC, and an address that brings their login along. */
export async function newcomerAt(
  world: DemoWorld,
  role: "patient" | "doctor" | "security-officer",
  handle: string,
  name: string,
): Promise<{ readonly person: PersonAtWork; readonly address: string }> {
  const { toolkit, addresses, folder } = world;
  const [password, passphrase] = ["a password of one test", "a passphrase of one test"];
  const home = join(folder, "people", handle);
  const { session: inviter } = await world.signIn(role === "security-officer" ? "officer" : "operator");
  const { code: invitation } = await inviter.invite(role);
  await registerPerson(toolkit, { home, addresses, invitation, handle, name, password, passphrase });
  const code = () => demoCode(home, toolkit.clock);
  const person = await startWork(toolkit, { home, addresses, password, passphrase, code });
  if (person.session.secondFactor === "missing") {
    await enrolDemoFactor(person.session, { home, password, clock: toolkit.clock });
  }
  await person.backUp();
  const { token, expiresAt } = person.session;
  const login = Buffer.from(JSON.stringify({ handle, passphrase, session: { token, expiresAt } }));
  return { person, address: `${addresses.kdc}/#login=${login.toString("base64url")}` };
}

/** Where the first chart's plot is on the page: looked for again while the chart is being drawn anew. */
export async function plotBox(page: Page) {
  const plot = page.locator(".chart .u-over").first();
  const boxes: { x: number; y: number; width: number; height: number }[] = [];
  await expect
    .poll(async () => {
      const box = await plot.boundingBox();
      boxes.unshift(...(box === null ? [] : [box]));
      return boxes.length;
    })
    .toBeGreaterThan(0);
  return boxes[0] as (typeof boxes)[number];
}
