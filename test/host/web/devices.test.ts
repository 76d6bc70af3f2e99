import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { openDeviceFolder, takePairing } from "../../../host/cli/device-folder.ts";
import { createPhysiology, readPairingFile } from "../../../host/wearable/index.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { createPageWatch, expectAccessible, newcomerAt } from "../../support/page.ts";
import { runCli } from "../../support/processes.ts";
import { rejectionOf } from "../sealing/fixtures.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

describe.skipIf(!hasChromium("pairing a wearable"))("wearables, paired in a browser", () => {
  let world: DemoWorld;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let file: string;
  let folder: string;
  const { complaints, open } = createPageWatch();
  const button = (name: string) => page.getByRole("button", { name, exact: true });

  beforeAll(async () => {
    world = await startDemoWorld({ freePorts: true, onStep: () => {} });
    const { address } = await newcomerAt(world, "patient", "new-heron", "A. Newcomer");
    browser = await launchChromium();
    context = await browser.newContext();
    page = await open(context);
    await page.goto(address);
    await page.click("button.primary");
    await page.locator(".bar").waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  it("leads who has none to the place where one is paired, and begins their first key", async () => {
    await page.getByText("No wearable is paired yet").waitFor();
    await page.getByRole("link", { name: "To the wearables" }).click();
    await page.getByText("No wearable is paired.").waitFor();
    await expectAccessible(page, "pairing");
    await page.getByText("30 days").click();
    await button("Pair it").click();
    await page.getByText(/^Wearable [0-9a-f]{8} is paired\. Save the file with its key:$/).waitFor();
    await page.locator(".chip.is-paired").waitFor();
    await expectAccessible(page, "the key's file");
  });

  it("hands the key over as a file that no script of the page can read, under a name that tells nothing", async () => {
    const seen = await page.evaluate(() => document.documentElement.outerHTML);
    expect(await button("I have it").isDisabled()).toBe(true);
    const [download] = await Promise.all([page.waitForEvent("download"), button("Save the file").click()]);
    expect(download.suggestedFilename()).toMatch(/^[0-9a-f]{12}\.json$/);
    file = join(world.folder, "carried.json");
    await download.saveAs(file);
    const text = await readFile(file, "utf8");
    const { pairing, places } = readPairingFile(text);
    expect(seen).not.toContain(pairing.signingSeed);
    expect(download.suggestedFilename()).not.toContain(pairing.deviceId.slice(0, 6));
    expect(places).toEqual(world.addresses);
    const readable = await page.evaluate(
      (url) =>
        fetch(url).then(
          () => true,
          () => false,
        ),
      download.url(),
    );
    expect(readable).toBe(false);
    // The policy says so, too.
    await expect.poll(() => complaints).toContain("connect-src blob");
    complaints.length = 0;
    await page
      .getByText(`medcloudlet simulate --device FOLDER --pairing ${download.suggestedFilename()}`)
      .waitFor();
    await button("I have it").click();
    await page.getByText(/can send\. Its readings appear here/).waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("devices-title");
  });

  it("takes the file with the command line, and shows what that wearable sends", async () => {
    folder = join(world.folder, "wrist");
    const { code, stderr } = await runCli([
      ...["simulate", "--device", folder, "--pairing", file],
      ...["--minutes", "3", "--speed", "0", "--start", new Date(Date.now() - 5 * 60_000).toISOString()],
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain(`delete ${file}`);
    await page.goto(`${world.addresses.kdc}/#/readings`);
    await page.getByText("3 batches opened on this machine").waitFor();
    expect(await page.locator("figure").count()).toBe(5);
  });

  it("puts no second wearable into a folder, and takes nothing that is no pairing", async () => {
    const text = await readFile(file, "utf8");
    await takePairing(folder, text);
    const other = JSON.parse(text);
    other.pairing.deviceId = "0".repeat(32);
    expect(await rejectionOf(takePairing(folder, JSON.stringify(other)))).toBe("CLI_DEVICE_TAKEN");
    for (const wrong of ["", "{}", text.replace("medcloudlet-pairing-1", "x"), text.slice(0, -9)]) {
      const elsewhere = join(world.folder, "elsewhere");
      expect(await rejectionOf(takePairing(elsewhere, wrong))).toBe("PAIRING_FILE_INVALID");
    }
    const damaged = join(world.folder, "damaged.json");
    await writeFile(damaged, text.replace('"places"', '"x"'));
    const { code, stderr } = await runCli(["simulate", "--device", folder, "--pairing", damaged]);
    expect(code).not.toBe(0);
    // The key is not in what goes wrong.
    expect(stderr).not.toContain(readPairingFile(text).pairing.signingSeed);
  });

  it("ends it in two clicks: the next thing it sends is refused", async () => {
    await page.goto(`${world.addresses.kdc}/#/devices`);
    await button("End it").click();
    await button("End it now").click();
    await page.locator(".chip.is-revoked").waitFor();
    const { device, store } = await openDeviceFolder(world.toolkit, folder, world.addresses);
    const columns = createPhysiology({ seed: 4, startTime: Date.now() }).nextBatch(60);
    expect(await rejectionOf(device.record(columns, "regular"))).toBe("DEVICE_REVOKED");
    await store.close();
  });

  it("keeps the file no longer than somebody is there to save it", async () => {
    await button("Pair it").click();
    await button("Save the file").waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), button("Save the file").click()]);
    const url = download.url();
    await page.goto(`${world.addresses.kdc}/#/sharing`);
    await page.goto(`${world.addresses.kdc}/#/devices`);
    await button("Pair it").waitFor();
    const again = page.waitForEvent("download");
    await page.evaluate((address) => {
      const link = document.createElement("a");
      link.href = address;
      link.download = "again";
      document.body.append(link);
      link.click();
      link.remove();
    }, url);
    expect(await (await again).failure()).not.toBeNull();
    complaints.splice(
      0,
      complaints.length,
      ...complaints.filter((text) => !/ERR_FILE_NOT_FOUND|Not allowed to load/.test(text)),
    );
  });

  it("broke no rule of its policy, and met no error", () => {
    expect(complaints).toEqual([]);
  });
});
