import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { openDeviceFolder } from "../../../host/cli/device-folder.ts";
import type { Store } from "../../../host/store/index.ts";
import { createPhysiology, type Device, uploadAll } from "../../../host/wearable/index.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { faultsOf, openWatchedPage, plotBox } from "../../support/page.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const MINUTE_MS = 60_000;

describe.skipIf(!hasChromium("the page"))("the page, in a real browser", () => {
  let world: DemoWorld;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let device: Device;
  let store: Store;
  let physiology: ReturnType<typeof createPhysiology>;
  const complaints: string[] = [];

  const measure = async (minutes: number): Promise<void> => {
    for (let i = 0; i < minutes; i++) {
      await device.record(physiology.nextBatch(60), "regular");
    }
    await uploadAll(device, { signal: AbortSignal.timeout(60_000) });
  };

  const keptPassphrase = async (): Promise<string> => {
    const doctor = world.logins.find(({ part }) => part === "doctor");
    return (await readFile(doctor?.passphraseFile ?? "", "utf8")).trim();
  };

  const openPage = (on: BrowserContext): Promise<Page> => openWatchedPage(on, complaints);

  beforeAll(async () => {
    world = await startDemoWorld({ freePorts: true, onStep: () => {} });
    ({ device, store } = await openDeviceFolder(world.toolkit, world.deviceFolder, world.addresses));
    physiology = createPhysiology({ seed: 4, startTime: Date.now() - 30 * MINUTE_MS });
    await measure(10);
    browser = await launchChromium();
    context = await browser.newContext();
    page = await openPage(context);
  });
  afterAll(async () => {
    await browser?.close();
    await store?.close();
    await world?.close();
  });

  it("is served under a policy that allows nothing but its own files, WebAssembly and the cloud", async () => {
    const response = await fetch(world.addresses.kdc);
    expect(response.headers.get("Content-Security-Policy")).toBe(
      `default-src 'none';script-src 'self' 'wasm-unsafe-eval';worker-src 'self';style-src 'self';img-src 'self';` +
        `connect-src 'self' ${world.addresses.cloud} ${world.addresses.cloudlet};base-uri 'none';form-action 'none';frame-ancestors 'none';` +
        "require-trusted-types-for 'script';trusted-types medcloudlet;report-uri /csp-reports",
    );
    const html = await response.text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=/);
    expect(await (await fetch(`${world.addresses.kdc}/page.json`)).json()).toEqual({
      cloudUrl: world.addresses.cloud,
      cloudletUrls: [world.addresses.cloudlet],
      handOver: "demo",
    });
    expect((await fetch(`${world.addresses.kdc}/..%2f..%2fpackage.json`)).status).toBe(404);
  });

  it("lets no other page read the cloud", async () => {
    const preflight = (origin: string) =>
      fetch(`${world.addresses.cloud}/v1/streams/${"0".repeat(32)}/batches`, {
        method: "OPTIONS",
        headers: { Origin: origin, "Access-Control-Request-Method": "GET" },
      });
    const allowed = async (origin: string) =>
      (await preflight(origin)).headers.get("Access-Control-Allow-Origin");
    expect(await allowed(world.addresses.kdc)).toBe(world.addresses.kdc);
    expect(await allowed("https://evil.example")).toBe(world.addresses.kdc);
  });

  it("takes no login from a link where the KDC is no demo's: it could be the sender's own", async () => {
    const other = await browser.newContext();
    const opened = await openPage(other);
    await opened.route("**/page.json", (route) =>
      route.fulfill({ json: { cloudUrl: world.addresses.cloud } }),
    );
    await opened.goto(await world.pageOf("doctor"));
    // The password is asked for, as no session was taken.
    await opened.locator("#password").waitFor();
    expect(await opened.inputValue("#handle")).toBe("");
    expect(await opened.inputValue("#passphrase")).toBe("");
    expect(opened.url()).toBe(`${world.addresses.kdc}/`);
    await other.close();
  });

  it("takes from a link nothing that has not the form of a login", async () => {
    const other = await browser.newContext();
    const opened = await openPage(other);
    const given = { handle: { toString: 1 }, passphrase: ["x"], session: null, __proto__: { a: 1 } };
    const hash = Buffer.from(JSON.stringify(given)).toString("base64url");
    await opened.goto(`${world.addresses.kdc}/#login=${hash}`);
    await opened.locator("#password").waitFor();
    expect(await opened.inputValue("#handle")).toBe("");
    await other.close();
  });

  it("takes the login out of the address, and refuses a wrong passphrase in words", async () => {
    await page.goto(await world.pageOf("doctor"));
    expect(page.url()).toBe(`${world.addresses.kdc}/`);
    const passphrase = await page.inputValue("#passphrase");
    await page.fill("#passphrase", randomBytes(9).toString("hex"));
    await page.click("button.primary");
    await page.getByText("The passphrase does not open this keystore.").waitFor();
    await page.fill("#passphrase", passphrase);
  });

  it("shows who shares, most urgent first, and opens a chart that moves with each new reading", async () => {
    await page.click("button.primary");
    await page.locator(".row").waitFor();
    expect(await page.textContent(".row strong")).toContain("Ada Quillfeather");
    // Saturation, of somebody who is well.
    await expect.poll(() => page.locator(".row .signs dd").nth(1).textContent()).toMatch(/^9\d$/);
    await page.click(".row");
    await page.locator("canvas").first().waitFor();
    await page.getByText("10 batches opened on this machine").waitFor();
    expect(await page.locator("figure").count()).toBe(5);
    const before = await page.locator("figure").first().screenshot();
    await measure(5);
    await page.getByText("15 batches opened on this machine").waitFor();
    await expect
      .poll(async () => (await page.locator("figure").first().screenshot()).equals(before))
      .toBe(false);
  });

  it("zooms by dragging, and goes back to the newest by a double click", async () => {
    const { x, y, width } = await plotBox(page);
    await page.mouse.move(x + width * 0.75, y + 60);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.9, y + 60, { steps: 5 });
    await page.mouse.up();
    await page.locator(".live").waitFor({ state: "detached" });
    await page.mouse.dblclick(x + width * 0.8, y + 60);
    await page.locator(".live").waitFor();
  });

  it("has nothing that axe calls serious, light and dark, from phone to wall", async () => {
    expect(await faultsOf(page)).toEqual([]);
  });

  it("keeps no key, password or reading where another program of the browser finds it", async () => {
    const stored = await page.evaluate(async () => ({
      local: { ...localStorage },
      session: { ...sessionStorage },
      cookies: document.cookie,
      databases: await indexedDB.databases(),
    }));
    expect(stored).toEqual({ local: {}, session: {}, cookies: "", databases: [] });
  });

  it("locks at a click: keys and readings are gone, and the passphrase alone brings them back", async () => {
    const passphrase = await keptPassphrase();
    await page.getByRole("button", { name: "Lock", exact: true }).click();
    await page.getByRole("heading", { name: "Locked" }).waitFor();
    expect(await page.locator("canvas, .row").count()).toBe(0);
    expect(await page.content()).not.toContain("Quillfeather");
    await page.fill("#passphrase", "not the passphrase at all");
    await page.click("button.primary");
    await page.getByText("The passphrase does not open this keystore.").waitFor();
    await page.fill("#passphrase", passphrase);
    await page.click("button.primary");
    // Where somebody was, they are again.
    await page.locator("canvas").first().waitFor();
  });

  it("keeps locked keys in the browser only where that is wanted, and forgets them at logout", async () => {
    const own = await browser.newContext();
    const opened = await openPage(own);
    await opened.goto(await world.pageOf("doctor"));
    await opened.locator(".choice input").check();
    await opened.click("button.primary");
    await opened.locator(".row").waitFor();
    const address = world.addresses.kdc;
    await opened.goto("about:blank");
    await opened.goto(address);
    await opened.getByText("Your passphrase opens the page again, dr-heron.").waitFor();
    const kept = await opened.evaluate(
      () =>
        new Promise<{ fields: string[]; extractable: boolean; text: string }>((done) => {
          const request = indexedDB.open("medcloudlet");
          request.onsuccess = () => {
            const get = request.result.transaction("vaults").objectStore("vaults").get("vault");
            get.onsuccess = () => {
              const { key, ciphertext } = get.result as { key: CryptoKey; ciphertext: ArrayBuffer };
              request.result.close();
              done({
                fields: Object.keys(get.result).sort(),
                extractable: key.extractable,
                text: String.fromCharCode(...new Uint8Array(ciphertext)),
              });
            };
          };
        }),
    );
    expect(kept.fields).toEqual(["ciphertext", "handle", "key", "nonce"]);
    expect(kept.extractable).toBe(false);
    expect(kept.text).not.toMatch(/medcloudlet|scrypt|token/);
    await opened.fill("#passphrase", await keptPassphrase());
    await opened.click("button.primary");
    await opened.locator(".row").waitFor();
    await opened.getByRole("button", { name: "Log out" }).click();
    await opened.locator("#password").waitFor();
    expect(await opened.evaluate(() => indexedDB.databases())).toEqual([]);
    await own.close();
  });

  it("locks itself when nobody touches it, also after the machine slept", async () => {
    const other = await browser.newContext();
    const opened = await openPage(other);
    await opened.clock.install();
    await opened.goto(await world.pageOf("doctor"));
    await opened.click("button.primary");
    await opened.locator(".row").waitFor();
    await opened.clock.fastForward(14 * MINUTE_MS);
    await opened.mouse.move(50, 50);
    await opened.clock.fastForward(14 * MINUTE_MS);
    expect(await opened.locator(".row").count()).toBe(1);
    await opened.clock.fastForward(2 * MINUTE_MS);
    await opened.getByRole("heading", { name: "Locked" }).waitFor();
    await other.close();
  });

  it("forgets everything at logout, and ends the session", async () => {
    await page.keyboard.press("Escape");
    await page.locator(".patients").waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.locator("#password").waitFor();
    expect(await page.locator(".row").count()).toBe(0);
  });

  it("broke no rule of its policy, and met no error", () => {
    // The browser reports the refused passphrase's request nowhere: it never left the worker.
    expect(complaints).toEqual([]);
  });
});
