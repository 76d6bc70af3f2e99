#!/usr/bin/env node
// Pictures of every view of the page for the docs: runs the demo until the patient is ill and photographs the page
// as a telephone, a desk and a wall show it. `npm run screenshots`; into docs/, others into the folder that is named.
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const ILL_AFTER_BATCHES = 75;
const root = new URL("../", import.meta.url);
const docs = fileURLToPath(new URL("docs/", root));
const others = process.argv[2] ?? fileURLToPath(new URL("build/screenshots/", root));
await mkdir(others, { recursive: true });

const demo = spawn(process.execPath, ["build/host/cli/main.js", "demo", "--free-ports", "--json"], {
  cwd: fileURLToPath(root),
  stdio: ["ignore", "pipe", "inherit"],
});
let address;
for await (const line of createInterface({ input: demo.stdout })) {
  const event = JSON.parse(line);
  address ??= event.pages?.doctor;
  process.stderr.write(`\r${event.sequence ?? 0} of ${ILL_AFTER_BATCHES} minutes of the patient's day `);
  if (event.sequence >= ILL_AFTER_BATCHES) {
    break;
  }
}
demo.stdout.resume();

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  for (const [width, height, colorScheme] of [
    [390, 844, "light"],
    [1280, 800, "light"],
    [1280, 800, "dark"],
    [2560, 1300, "dark"],
  ]) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    const shoot = (view) => {
      const forDocs = width === 1280 && (view === "patient" || view === "list") && colorScheme === "light";
      const path = forDocs ? `${docs}page-${view}.png` : `${others}/${view}-${width}-${colorScheme}.png`;
      return page.screenshot({ path, fullPage: view === "patient" });
    };
    await page.goto(address);
    await shoot("login");
    await page.click("button.primary");
    await page.locator(".row .course path").waitFor({ state: "attached" });
    await shoot("list");
    await page.click(".row");
    await page.locator("canvas").first().waitFor();
    // The charts draw in the frame after the readings came.
    await page.waitForTimeout(1000);
    await shoot("patient");
    await page.getByRole("link", { name: /^Alerts/ }).click();
    await page.locator("main.alerts").waitFor();
    await shoot("alerts");
    await page.getByRole("link", { name: "Emergencies" }).click();
    await page.getByRole("button", { name: "Ask for access…" }).click();
    await shoot("emergencies");
    await page.close();
  }
} finally {
  await browser.close();
  demo.kill("SIGINT");
}
process.stderr.write(`\nIn ${docs} and ${others}\n`);
