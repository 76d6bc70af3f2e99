#!/usr/bin/env node
// Pictures of every view of the page for the docs: runs the demo until the patient is ill and photographs each role's
// views as a telephone, a desk and a wall show them. `npm run screenshots`; into docs/, others into the folder that is
// named (build/screenshots without one).
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ILL_AFTER_BATCHES = 53;
/** Pictures that the documents show, by role and view: at a desk, in the light. */
const IN_DOCS = new Set([
  "doctor-patients",
  "doctor-patient",
  "doctor-alerts",
  "patient-readings",
  "patient-sharing",
  "patient-trail",
  "officer-watch",
  "officer-audit",
]);
const SCREENS = [
  [390, 844, "light"],
  [390, 844, "dark"],
  [1280, 800, "light"],
  [1280, 800, "dark"],
  [2560, 1300, "dark"],
];
const root = new URL("../", import.meta.url);
const docs = fileURLToPath(new URL("docs/", root));
const others = process.argv[2] ?? fileURLToPath(new URL("build/screenshots/", root));
await mkdir(others, { recursive: true });

const demo = spawn(process.execPath, ["build/host/cli/main.js", "demo", "--free-ports", "--json"], {
  cwd: fileURLToPath(root),
  stdio: ["ignore", "pipe", "inherit"],
});
let pages;
for await (const line of createInterface({ input: demo.stdout })) {
  const event = JSON.parse(line);
  pages ??= event.pages;
  process.stderr.write(`\r${event.sequence ?? 0} of ${ILL_AFTER_BATCHES} batches `);
  if (event.sequence >= ILL_AFTER_BATCHES) {
    break;
  }
}
demo.stdout.resume();

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});

/** Photographs every place in the bar, and what `more` does besides. */
async function tour(role, address, [width, height, colorScheme], more = async () => {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  const shoot = (view) => {
    const name = `${role}-${view}`;
    const forDocs = width === 1280 && colorScheme === "light" && IN_DOCS.has(name);
    const path = forDocs ? `${docs}page-${name}.png` : `${others}/${name}-${width}-${colorScheme}.png`;
    return page.screenshot({ path, fullPage: true });
  };
  /** What is asked of services comes a moment later, charts draw in the frame after that. */
  const settle = async () => {
    await page.locator('main[aria-busy="true"]').waitFor({ state: "detached" });
    await page.waitForTimeout(1500);
  };
  await page.goto(address);
  await page.locator("button.primary").waitFor();
  await shoot("login");
  await page.click("button.primary");
  await page.locator("nav.bar a").first().waitFor();
  for (const link of await page.locator("nav.bar ul a").all()) {
    await link.click();
    await settle();
    await shoot((await link.getAttribute("href")).slice(2));
  }
  await more({ page, shoot, settle });
  await context.close();
}

try {
  for (const screen of SCREENS) {
    process.stderr.write(`\r${screen.join(" ")}                                        `);
    await tour("doctor", pages.doctor, screen, async ({ page, shoot, settle }) => {
      await page.locator("nav.bar ul a").first().click();
      await page.locator(".row").first().click();
      await page.locator("canvas").first().waitFor();
      await settle();
      await shoot("patient");
    });
    await tour("patient", pages.patient, screen);
    await tour("officer", pages.officer, screen);
  }
} finally {
  await browser.close();
  demo.kill("SIGINT");
}
process.stderr.write(`\nIn ${docs} and ${others}\n`);
