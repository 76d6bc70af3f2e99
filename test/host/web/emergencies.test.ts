import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { openDeviceFolder } from "../../../host/cli/device-folder.ts";
import { emergencyOf } from "../../../host/cli/emergency-home.ts";
import type { PersonAtWork } from "../../../host/cli/home.ts";
import { createEmergencyStaff, createNoticeBoard, personFingerprint } from "../../../host/client/index.ts";
import { createPhysiology, uploadAll } from "../../../host/wearable/index.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { expectAccessible, newcomerAt, openWatchedPage } from "../../support/page.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const REASON = `Found unconscious <b onclick="x">in the street</b>`;

describe.skipIf(!hasChromium("break-glass in the page"))("break-glass, in two browsers", () => {
  let world: DemoWorld;
  let browser: Browser;
  let asking: Page;
  let trusted: Page;
  let patient: PersonAtWork;
  let second: PersonAtWork;
  const complaints: string[] = [];

  const toEmergencies = async (page: Page, address: string) => {
    await page.goto(address);
    await page.click("button.primary");
    await page.locator(".bar").getByRole("link", { name: "Emergencies" }).click();
    await page.getByRole("heading", { name: "Emergencies" }).waitFor();
  };
  const told = async () =>
    (await createNoticeBoard(patient.session).list()).map(({ kind, who }) => `${kind} ${who ?? ""}`.trim());

  beforeAll(async () => {
    world = await startDemoWorld({ freePorts: true, onStep: () => {} });
    const { device, store } = await openDeviceFolder(world.toolkit, world.deviceFolder, world.addresses);
    const physiology = createPhysiology({ seed: 4, startTime: Date.now() - 5 * 60_000 });
    for (let minute = 0; minute < 4; minute++) {
      await device.record(physiology.nextBatch(60), "regular");
    }
    await uploadAll(device, { signal: AbortSignal.timeout(60_000) });
    await store.close();
    const requester = await newcomerAt(world, "doctor", "dr-night", "Dr. Night");
    const trustee = await newcomerAt(world, "doctor", "dr-crane", "Dr. Crane");
    ({ person: second } = await newcomerAt(world, "doctor", "dr-swift", "Dr. Swift"));
    patient = await world.signIn("patient");
    await emergencyOf(world.toolkit, patient).prepare({
      trustees: [
        { handle: "dr-crane", expectedFingerprint: personFingerprint(trustee.person.keys) },
        { handle: "dr-swift", expectedFingerprint: personFingerprint(second.keys) },
      ],
      threshold: 2,
    });
    browser = await launchChromium();
    asking = await openWatchedPage(await browser.newContext(), complaints);
    trusted = await openWatchedPage(await browser.newContext(), complaints);
    await toEmergencies(asking, requester.address);
    await toEmergencies(trusted, trustee.address);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  it("says who is told before it asks, and the patient is told", async () => {
    await asking.getByRole("button", { name: "Ask for access…" }).click();
    await asking.getByText("The patient is told at once").waitFor();
    await asking.fill("#emergency-patient", "quiet-otter");
    await asking.fill("#emergency-reason", REASON);
    await asking.getByRole("button", { name: "Ask the trustees" }).click();
    // One click asks nobody.
    expect(await told()).not.toContain("emergency.requested dr-night");
    await asking.getByRole("button", { name: "Ask, and tell the patient now?" }).click();
    await asking.getByText("The patient and 2 trustees have been told; 2 of them have to agree.").waitFor();
    expect(await told()).toContain("emergency.requested dr-night");
    expect(await asking.getByRole("button", { name: "Open the readings" }).count()).toBe(0);
  });

  it("lets a trustee agree only once the fingerprint was compared, and take it back", async () => {
    await trusted.getByText("dr-night asks for quiet-otter").waitFor();
    await trusted.getByText(REASON).waitFor();
    const agree = trusted.getByRole("button", { name: "Agree", exact: true });
    expect(await agree.isDisabled()).toBe(true);
    await trusted.getByLabel(/^I have compared this fingerprint/).check();
    await agree.click();
    await trusted.getByRole("button", { name: "Hand my share on?" }).click();
    await trusted.getByText("1 of 2: dr-crane").waitFor();
    await trusted.getByRole("button", { name: "Take my approval back" }).click();
    await trusted.getByText("0 of 2").waitFor();
    // Compared once, it is known.
    await trusted.getByText("The same that you compared before.").waitFor();
    await agree.click();
    await trusted.getByRole("button", { name: "Hand my share on?" }).click();
    await trusted.getByText("1 of 2: dr-crane").waitFor();
  });

  it("opens once two have agreed; the patient appears, marked, with the time left", async () => {
    const { session, keys } = second;
    const staff = createEmergencyStaff({ ...world.toolkit, session, keys });
    const [{ emergency, requesterFingerprint }] = (await staff.pending()) as [
      Awaited<ReturnType<typeof staff.pending>>[number],
    ];
    await staff.approve({ emergencyId: emergency.emergencyId, expectedFingerprint: requesterFingerprint });
    await asking.getByRole("button", { name: "Open the readings" }).waitFor();
    expect(await told()).toContain("emergency.opened dr-night");
    const card = asking.getByLabel("Fingerprint on the patient's card");
    await card.fill("0".repeat(64));
    await asking.getByRole("button", { name: "Open the readings" }).click();
    await asking.getByText("is not the one on the patient's card").waitFor();
    await card.fill(personFingerprint(patient.keys).replace(/(.{4})/g, "$1 "));
    await asking.getByRole("button", { name: "Open the readings" }).click();
    await asking.getByText("4 batches opened on this machine").waitFor();
    await asking.getByText(/EMERGENCY ACCESS, 5\d min left/).waitFor();
    await asking.getByRole("button", { name: "All patients" }).click();
    await asking
      .locator(".row")
      .getByText(/EMERGENCY ACCESS/)
      .waitFor();
  });

  it("has nothing that axe calls serious", async () => {
    for (const page of [asking, trusted]) {
      await page.locator(".bar").getByRole("link", { name: "Emergencies" }).click();
      await page.locator(".emergency-card").waitFor();
      await expectAccessible(page, "emergencies");
    }
  });

  it("ends when the requester ends it: the readings go from the page", async () => {
    await asking.getByRole("button", { name: "End it now" }).click();
    await asking.getByRole("button", { name: "End it for good?" }).click();
    await asking.locator(".bar").getByRole("link", { name: "Patients" }).click();
    await asking.getByText("Nobody shares readings with you yet").waitFor();
    expect(await told()).toContain("emergency.ended");
  });

  it("broke no rule of its policy; the only error is the refused card", () => {
    expect(complaints).toEqual([]);
  });
});
