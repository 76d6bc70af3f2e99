import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { openDeviceFolder } from "../../../host/cli/device-folder.ts";
import { createPhysiology, uploadAll } from "../../../host/wearable/index.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { createPageWatch, expectAccessible, newcomerAt } from "../../support/page.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const MINUTE_MS = 60_000;
const XSS = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;

describe.skipIf(!hasChromium("notes in the page"))("notes and asking for access, in several browsers", () => {
  let world: DemoWorld;
  let browser: Browser;
  let doctor: Page;
  let patient: Page;
  const watch = createPageWatch();

  const write = async (page: Page, words: string) => {
    await page.getByRole("button", { name: "Write a note" }).click();
    await page.getByLabel("Your note").fill(words);
    await page.getByRole("button", { name: "Seal and keep" }).click();
    await page.getByLabel("Your note").waitFor({ state: "detached" });
  };
  const enter = async (address: string): Promise<Page> => {
    const page = await watch.open(await browser.newContext());
    await page.goto(address);
    await page.click("button.primary");
    await page.locator("nav.bar ul a").first().waitFor();
    return page;
  };

  beforeAll(async () => {
    world = await startDemoWorld({ freePorts: true, onStep: () => {} });
    const { device, store } = await openDeviceFolder(world.toolkit, world.deviceFolder, world.addresses);
    const physiology = createPhysiology({ seed: 4, startTime: Date.now() - 10 * MINUTE_MS });
    await device.record(physiology.nextBatch(60), "regular");
    await uploadAll(device, { signal: AbortSignal.timeout(30_000) });
    await store.close();
    browser = await launchChromium();
    doctor = await enter(await world.pageOf("doctor"));
    patient = await enter(await world.pageOf("patient"));
    await doctor.locator(".row").click();
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  it("are written by the doctor and read by the patient, words as words", async () => {
    await doctor.getByText("No notes yet.").waitFor();
    await write(doctor, `Seen at 03:10, café au lait spots. ${XSS}`);
    await write(doctor, "Paracetamol 1 g given.");
    await doctor.locator(".note", { hasText: "onerror" }).waitFor();
    await patient.reload();
    await patient.goto(await world.pageOf("patient"));
    await patient.click("button.primary");
    const shown = patient.locator(".note");
    await expect.poll(() => shown.count(), { timeout: 10_000 }).toBe(2);
    await patient.locator(".note", { hasText: "Dr. Heron (demo)" }).first().waitFor();
    await write(patient, "I feel better.");
    await patient.locator(".note", { hasText: "the patient" }).waitFor();
    for (const page of [doctor, patient]) {
      expect(await page.title()).not.toContain("owned");
      expect(await page.locator(".note img, .note script").count()).toBe(0);
    }
  });

  it("are searched without accents and by beginnings, and what fits is marked", async () => {
    await doctor.getByLabel("Search the notes").fill("cafe");
    await expect.poll(() => doctor.locator("mark").allTextContents()).toEqual(["café"]);
    await doctor.getByLabel("Search the notes").fill("parac");
    await expect.poll(() => doctor.locator("mark").allTextContents()).toEqual(["Paracetamol"]);
    await doctor.getByLabel("Search the notes").fill("zebra");
    await doctor.getByText("No note has these words.").waitFor();
    await doctor.getByLabel("Search the notes").fill("");
  });

  it("are corrected and taken back by their author alone, and the earlier words stay", async () => {
    const given = doctor.locator(".note", { hasText: "Paracetamol" });
    await given.getByRole("button", { name: "Correct" }).click();
    await doctor.getByLabel("Your note").fill("Paracetamol 500 mg given.");
    await doctor.getByRole("button", { name: "Seal and keep" }).click();
    await given.getByText("1 earlier version").click();
    await given.getByText("Paracetamol 1 g given.").waitFor();
    await given.getByRole("button", { name: "Take back" }).click();
    await given.getByRole("button", { name: "Its words stay among the earlier ones. Sure?" }).click();
    await doctor.getByText("(taken back)").waitFor();
    await doctor.getByLabel("Search the notes").fill("better");
    const theirs = doctor.locator(".note", { hasText: "I feel better." });
    await theirs.waitFor();
    expect(await theirs.getByRole("button").count()).toBe(0);
    await doctor.getByLabel("Search the notes").fill("");
  });

  it("have nothing that axe calls serious, fit on a telephone, and fold fingerprints away", async () => {
    await expectAccessible(doctor, "notes");
    // Also what is unfolded: 64 hex digits in a row are wider than any telephone.
    for (const summary of await patient.locator(".note .folded summary").all()) {
      await summary.click();
    }
    expect(await patient.locator(".note .folded[open]").count()).toBeGreaterThan(0);
    await expectAccessible(patient, "a patient's notes");
  });

  it("leave the doctor with the patient when a search or a form is given up with Escape", async () => {
    await doctor.getByLabel("Search the notes").press("Escape");
    await doctor.getByRole("button", { name: "Write a note" }).click();
    await doctor.locator("textarea:focus").waitFor();
    await doctor.getByRole("button", { name: "Lock" }).focus();
    await doctor.keyboard.press("Escape");
    await doctor.getByLabel("Your note").press("Escape");
    await doctor.getByLabel("Your note").waitFor({ state: "detached" });
    expect(await doctor.locator("header.patient").count()).toBe(1);
    await doctor.getByRole("button", { name: "Lock" }).focus();
    await doctor.keyboard.press("Escape");
    await doctor.locator(".row").click();
  });

  it("let a doctor ask for access by handle: the patient sees who and why, and the same is said of nobody", async () => {
    const stork = await enter((await newcomerAt(world, "doctor", "dr-stork", "Dr. Stork (demo)")).address);
    for (const handle of ["quiet-otter", "nobody-at-all"]) {
      await stork.getByRole("button", { name: "Ask a patient for access" }).click();
      await stork.getByLabel("The patient's handle, as they told it").fill(handle);
      await stork.getByLabel("Why, in one line").fill(`Second opinion ${XSS}`.slice(0, 200));
      await stork.getByRole("button", { name: "Ask", exact: true }).click();
      await stork.getByText(`Asked ${handle};`).waitFor();
    }
    await patient.getByRole("link", { name: /Sharing|who can see/i }).click();
    await patient.getByText("dr-stork").first().waitFor();
    await patient.getByText("Second opinion").waitFor();
    const asked = stork.locator(".asked li", { hasText: "nobody-at-all" });
    await asked.getByRole("button", { name: "Take back" }).click();
    await asked.getByRole("button", { name: "Sure?" }).click();
    await asked.waitFor({ state: "detached" });
    await expectAccessible(stork, "asking");
  });

  it("broke no rule of the policy, and met no error", () => {
    expect(watch.complaints).toEqual([]);
  });
});
