import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { openDeviceFolder } from "../../../host/cli/device-folder.ts";
import { IRREVOCABLE, personFingerprint } from "../../../host/client/index.ts";
import type { Store } from "../../../host/store/index.ts";
import { createPhysiology, type Device, uploadAll } from "../../../host/wearable/index.ts";
import { PATIENT } from "../../../host/web/texts/en/patient.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { createPageWatch, expectAccessible } from "../../support/page.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const MINUTE_MS = 60_000;
const XSS = `<img src=x onerror="document.title='stolen'">`;

describe.skipIf(!hasChromium("the patient's page"))("the patient's page, beside a doctor's", () => {
  let world: DemoWorld;
  let browser: Browser;
  let patientSide: BrowserContext;
  let page: Page;
  let device: Device;
  let store: Store;
  let doctorFingerprint: string;
  const { complaints, open } = createPageWatch();

  const measure = async (): Promise<void> => {
    const physiology = createPhysiology({ seed: 4, startTime: Date.now() - 10 * MINUTE_MS });
    for (let i = 0; i < 3; i++) {
      await device.record(physiology.nextBatch(60), "regular");
    }
    await uploadAll(device, { signal: AbortSignal.timeout(60_000) });
  };
  const enter = async (part: "patient" | "doctor", on: BrowserContext): Promise<Page> => {
    const opened = await open(on);
    await opened.goto(await world.pageOf(part));
    await opened.click("button.primary");
    await opened.locator(".bar").waitFor();
    return opened;
  };
  const goTo = (view: string, on = page) => on.goto(`${world.addresses.kdc}/#/${view}`);
  const button = (name: string, on = page) => on.getByRole("button", { name, exact: true });
  const focused = (text: string) =>
    expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe(text);
  /** What a doctor sees who opens the page now, in a browser of their own. */
  const asDoctor = async (look: (doctor: Page) => Promise<void>): Promise<void> => {
    const context = await browser.newContext();
    await look(await enter("doctor", context));
    await context.close();
  };

  beforeAll(async () => {
    world = await startDemoWorld({ freePorts: true, onStep: () => {} });
    ({ device, store } = await openDeviceFolder(world.toolkit, world.deviceFolder, world.addresses));
    await measure();
    doctorFingerprint = personFingerprint((await world.signIn("doctor")).keys);
    browser = await launchChromium();
    patientSide = await browser.newContext();
    page = await enter("patient", patientSide);
  });
  afterAll(async () => {
    await browser?.close();
    await store?.close();
    await world?.close();
  });

  it("shows the patient's own readings, opened with their own keys", async () => {
    await page.getByText("3 batches opened on this machine").waitFor();
    expect(await page.locator("figure").count()).toBe(5);
    await expectAccessible(page, "readings");
  });

  it("stops sharing in two clicks, says what that cannot undo, and the doctor sees nothing any more", async () => {
    await asDoctor(async (doctor) => {
      await doctor.locator(".row").waitFor();
      await goTo("sharing");
      await button("Stop sharing").click();
      const limits = await page.locator(".confirm li").allTextContents();
      expect(limits).toEqual([...PATIENT.sharing.irrevocable]);
      // One sentence for each limit that the client knows: none was forgotten here.
      expect(limits).toHaveLength(IRREVOCABLE.length);
      await page.keyboard.press("Escape");
      await focused("Stop sharing");
      await page.keyboard.press("Enter");
      await focused("Stop now");
      await expectAccessible(page, "stopping");
      await page.keyboard.press("Enter");
      await page.getByText("dr-heron gets no key and no ticket any more.").waitFor();
      await page.getByText("Nobody but you can read anything of yours.").waitFor();
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("shares-title");
    });
    await asDoctor((doctor) => doctor.getByText("Nobody shares readings with you yet").waitFor());
  });

  it("finds nobody by a handle that is none, in words, and shows it as text", async () => {
    await page.fill("#share-handle", XSS);
    await button("Find").click();
    await page.locator("main [role=alert]", { hasText: /./ }).waitFor();
    expect(await page.locator("main img").count()).toBe(0);
    complaints.splice(
      0,
      Number.POSITIVE_INFINITY,
      ...complaints.filter((text) => !/status of 4\d\d/.test(text)),
    );
  });

  it("refuses a fingerprint that is not the reader's, and shares by the right one", async () => {
    await page.fill("#share-handle", " DR-Heron ");
    await button("Find").click();
    await page.getByText("Is this really dr-heron?").waitFor();
    expect((await page.textContent(".fingerprint"))?.replace(/\s/g, "")).toBe(doctorFingerprint);
    await expectAccessible(page, "comparing");
    await page.fill("#typed-fingerprint", XSS);
    await button("Compare for me").click();
    await page.getByText("This is not the fingerprint that the KDC shows for dr-heron").waitFor();
    await page.fill(
      "#typed-fingerprint",
      doctorFingerprint.replace(/^./, (digit) => (digit === "0" ? "1" : "0")),
    );
    await button("Compare for me").click();
    expect(await page.locator(".terms").count()).toBe(0);
    await page.fill("#typed-fingerprint", doctorFingerprint.replace(/(.{4})/g, "$1 ").toUpperCase());
    await button("Compare for me").click();
    await page.getByText("What may dr-heron read?").waitFor();
  });

  it("says what the reader would see before anything is shared", async () => {
    await button("What would dr-heron see?").click();
    const preview = page.locator(".preview");
    await preview.getByText("3 batches of readings").waitFor();
    await preview.getByText("Already, without this: nothing").waitFor();
    await page.getByText("Only what comes from now on").click();
    expect(await preview.count()).toBe(0);
    await button("What would dr-heron see?").click();
    await preview.getByText("not: 3 batches of readings from before").waitFor();
    await page.getByText("Everything so far, and what comes").click();
    await page.getByText("1 day", { exact: true }).click();
    await expectAccessible(page, "terms");
  });

  it("loses nothing while the KDC is away, and says so", async () => {
    const before = complaints.length;
    await patientSide.route(`${world.addresses.kdc}/v1/**`, (route) => route.abort());
    await button("Share with dr-heron").click();
    await page.locator(".terms .failure", { hasText: /./ }).waitFor();
    expect(await page.isChecked("input[value=day]")).toBe(true);
    await patientSide.unroute(`${world.addresses.kdc}/v1/**`);
    // The browser's own words about requests that were cut off.
    expect(complaints.splice(before).filter((text) => !/ERR_FAILED/.test(text))).toEqual([]);
    await button("Share with dr-heron").click();
    await page.getByText(/^.*dr-heron can read Medical until/).waitFor();
    await asDoctor((doctor) => doctor.locator(".row", { hasText: "Ada Quillfeather" }).waitFor());
  });

  it("shares with a known reader in two clicks", async () => {
    const cards = await page.locator(".share").count();
    await button("dr-heron").click();
    await button("Share with dr-heron").click();
    await expect.poll(() => page.locator(".share").count()).toBe(cards + 1);
  });

  it("loses nothing when two tabs do something at once", async () => {
    const other = await enter("patient", patientSide);
    await goTo("sharing", other);
    // Both begin a new key: one by ending a share, one by sharing without history.
    await button("dr-heron", other).click();
    await other.getByText("Only what comes from now on").click();
    await page.locator(".share").nth(0).getByRole("button", { name: "Stop sharing" }).click();
    await Promise.all([button("Stop now").click(), button("Share with dr-heron", other).click()]);
    await page.getByText("gets no key and no ticket any more").waitFor();
    await other.getByText(/dr-heron can read Medical until/).waitFor();
    await other.close();
    const person = await world.signIn("patient");
    await person.catchUpWithBackup();
    const kept = new Set(person.contents.epochs.map(({ epochId }) => epochId));
    const published = await person.session.epochs();
    expect(published.length).toBeGreaterThanOrEqual(4);
    expect(kept.size).toBe(published.length);
    // What comes now still opens for patient and doctor.
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await expect.poll(() => page.locator(".share").count()).toBe(2);
  });

  it("shows who read the record, checked in the page, and says what that proves", async () => {
    await goTo("trail");
    await page.locator(".verdict.whole").waitFor();
    await page.locator(".trail tbody tr", { hasText: "dr-heron (doctor)" }).first().waitFor();
    await page.getByText("got a ticket to read your medical readings").first().waitFor();
    await page.locator(".verdict summary").click();
    await page.getByText("What it does not prove").waitFor();
    await page.getByText("This machine sees the log for the first time").waitFor();
    await button("By me").click();
    await page.getByText("stopped sharing the medical readings").first().waitFor();
    await button("All").click();
    await expectAccessible(page, "trail");
    await button("Check again").click();
    await page.getByText("which this machine had seen").waitFor();
  });

  it("turns red where the KDC shows an edited entry, or leaves one out that was seen", async () => {
    const tamper = async (change: (entries: Record<string, unknown>[]) => Record<string, unknown>[]) => {
      await patientSide.route("**/v1/audit/mine**", async (route) => {
        const response = await route.fetch();
        const json = await response.json();
        await route.fulfill({ response, json: { ...json, entries: change(json.entries) } });
      });
      await button("Check again").click();
      await page.locator(".verdict.broken").waitFor();
      const said = await page.textContent(".verdict");
      await patientSide.unroute("**/v1/audit/mine**");
      return said;
    };
    const isRead = ({ action }: Record<string, unknown>) => action === "key.release";
    expect(
      await tamper((entries) =>
        entries.map((entry) =>
          isRead(entry) ? { ...entry, actor: world.logins[0] && "f".repeat(32) } : entry,
        ),
      ),
    ).toContain("an entry whose contents were changed (entry ");
    await expectAccessible(page, "broken trail");
    await button("Check again").click();
    await page.locator(".verdict.whole").waitFor();
    expect(await tamper((entries) => entries.filter((entry) => !isRead(entry)))).toContain(
      "entries that this machine saw before are missing or changed",
    );
    await button("Check again").click();
    await page.locator(".verdict.whole").waitFor();
  });

  it("broke no rule of its policy, met no error, and ran nothing of what was typed", async () => {
    expect(complaints).toEqual([]);
    expect(await page.title()).not.toContain("stolen");
  });
});
