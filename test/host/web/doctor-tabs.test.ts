import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { openDeviceFolder } from "../../../host/cli/device-folder.ts";
import type { Store } from "../../../host/store/index.ts";
import { type Device, uploadAll } from "../../../host/wearable/index.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { createPageWatch, expectAccessible } from "../../support/page.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const XSS = `<img src=x onerror="document.title='stolen'">`;

describe.skipIf(!hasChromium("two tabs of one doctor"))("two tabs of one doctor", () => {
  let world: DemoWorld;
  let browser: Browser;
  let context: BrowserContext;
  let one: Page;
  let other: Page;
  let device: Device;
  let store: Store;
  let passphrase: string;
  const { complaints, open } = createPageWatch();

  const measure = async (respiratoryRate: number): Promise<void> => {
    const times = [Date.now() - 2000, Date.now() - 1000];
    const columns = [
      { quantity: "heartRate", times, values: [118, 119] },
      { quantity: "respiratoryRate", times, values: [respiratoryRate, respiratoryRate] },
      { quantity: "oxygenSaturation", times, values: [93, 93] },
    ] as const;
    await device.record(columns, "regular");
    await uploadAll(device, { signal: AbortSignal.timeout(60_000) });
  };
  const unlocked = async (on: BrowserContext): Promise<Page> => {
    const tab = await open(on);
    await tab.goto(world.addresses.kdc);
    await tab.fill("#passphrase", passphrase);
    await tab.click("button.primary");
    return tab;
  };
  const toAlerts = async (tab: Page): Promise<void> => {
    await tab.locator(".bar").waitFor();
    await tab.goto(`${world.addresses.kdc}/#/alerts`);
  };
  const alert = (tab: Page) => tab.locator(".alert", { hasText: "early-warning score" });

  beforeAll(async () => {
    world = await startDemoWorld({ freePorts: true, onStep: () => {} });
    ({ device, store } = await openDeviceFolder(world.toolkit, world.deviceFolder, world.addresses));
    await measure(22);
    browser = await launchChromium();
    context = await browser.newContext();
    one = await open(context);
    await one.goto(await world.pageOf("doctor"));
    passphrase = await one.inputValue("#passphrase");
    await one.locator(".choice input").check();
    await one.click("button.primary");
    await toAlerts(one);
    await alert(one).waitFor();
    other = await unlocked(context);
    await toAlerts(other);
    await alert(other).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await store?.close();
    await world?.close();
  });

  it("show one alert for one reading, and what is done in one of them in both", async () => {
    await alert(one).getByRole("button", { name: "Acknowledge" }).click();
    await alert(other).getByText("in hand: dr-heron").waitFor();
    await alert(other).getByRole("button", { name: "Snooze…" }).click();
    await alert(other).locator("form button").first().click();
    await alert(one).getByText("silent until").waitFor();
    expect([await alert(one).count(), await alert(other).count()]).toEqual([1, 1]);
    await expectAccessible(one, "alerts");
  });

  it("call again in both when it becomes graver", async () => {
    await measure(29);
    for (const tab of [one, other]) {
      await alert(tab).getByText("escalated once").waitFor();
    }
  });

  it("tell each other nothing that another page of this origin could read or forge", async () => {
    const spy = await open(context);
    await spy.goto(world.addresses.kdc);
    const { accountId } = (await world.signIn("doctor")).contents;
    await spy.evaluate((name) => {
      const heard: unknown[] = [];
      Object.assign(globalThis, { heard });
      const channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }) => heard.push(data);
      for (const forged of ["", "?", "AAAA", { hello: true }, JSON.stringify({ hello: true, text: "{}" })]) {
        channel.postMessage(forged);
      }
    }, `medcloudlet-alerts-${accountId}`);
    await alert(one).getByRole("button", { name: "Acknowledge" }).click();
    await alert(other).getByText("in hand: dr-heron").waitFor();
    const heard = await spy.evaluate(() => (globalThis as unknown as { heard: unknown[] }).heard);
    expect(heard.length).toBeGreaterThan(0);
    for (const message of heard) {
      const text = Buffer.from(String(message), "base64url").toString("latin1");
      expect(`${message} ${text}`).not.toMatch(/Quillfeather|NEWS2|acknowledge|dr-heron/);
    }
    await spy.close();
  });

  it("keep what one did though the other keeps its own, and both are closed at once", async () => {
    await alert(one).getByRole("button", { name: "Resolve…" }).click();
    await alert(one).getByLabel("What it was").fill(XSS);
    await alert(one).getByRole("button", { name: "Resolve for good" }).click();
    // Both keep: the one that did it, and the one that heard of it.
    await alert(one).first().waitFor({ state: "detached" });
    await alert(other).first().waitFor({ state: "detached" });
    await Promise.all([one.close(), other.close()]);
    one = await unlocked(context);
    await toAlerts(one);
    await one.getByText("Over", { exact: true }).first().waitFor();
    await one
      .getByText(/by dr-heron/)
      .first()
      .waitFor({ state: "attached" });
    expect(await alert(one).count()).toBe(0);
  });

  it("broke no rule of their policy, and met no error", () => {
    expect(complaints).toEqual([]);
  });
});
