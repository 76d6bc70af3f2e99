import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import type { PersonAtWork } from "../../../host/cli/home.ts";
import {
  armRecovery,
  createKdcClient,
  fetchBackup,
  newRecoveryCode,
  openKeystore,
  personFingerprint,
  printRecoveryCode,
  readRecoveryCode,
  recoverAccount,
} from "../../../host/client/index.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { identityCardOf } from "../../support/community-card.ts";
import { createPageWatch, expectAccessible, newcomerAt } from "../../support/page.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const XSS = `<img src=x onerror="document.title='stolen'">`;
/** The browser's own words about answers that refuse. */
const REFUSED = /status of 4\d\d/;
const NEW_PASSWORD = "seven otters under one bridge";
const NEW_PASSPHRASE = "quiet rivers at noon";

describe.skipIf(!hasChromium("guardians"))("guardians, in browsers", () => {
  let world: DemoWorld;
  let browser: Browser;
  /** The owner, a doctor and another patient who guard them, and somebody who lost everything. */
  let owner: Page;
  let doctor: Page;
  let friend: Page;
  let lost: Page;
  let password: string;
  let card: string;
  let friendAtWork: PersonAtWork;
  let friendFingerprint: string;
  let asking: string;
  const { complaints, open } = createPageWatch();

  const button = (on: Page, name: string) => on.getByRole("button", { name, exact: true });
  const forgetRefusals = () => {
    complaints.splice(0, complaints.length, ...complaints.filter((text) => !REFUSED.test(text)));
  };
  const enter = async (address: string): Promise<Page> => {
    const page = await open(await browser.newContext());
    await page.goto(address);
    await page.click("button.primary");
    await page.locator(".bar").waitFor();
    await page.goto(`${world.addresses.kdc}/#/account`);
    return page;
  };
  const give = async (guardian: Page, fingerprint: string): Promise<void> => {
    await guardian.evaluate(() => dispatchEvent(new Event("focus")));
    await guardian.getByText("quiet-otter asks for your share").waitFor();
    await button(guardian, "Look at it…").click();
    await guardian.fill("#typed-fingerprint", fingerprint);
    await button(guardian, "Compare for me").click();
    await button(guardian, "Give my share").click();
    await button(guardian, "Give it now").click();
    await guardian.getByText("Your share is given to quiet-otter").waitFor();
  };

  beforeAll(async () => {
    world = await startDemoWorld({ freePorts: true, onStep: () => {} });
    password = world.logins.find(({ part }) => part === "patient")?.password as string;
    const newcomer = await newcomerAt(world, "patient", "kind-owl", "A. Friend");
    friendAtWork = newcomer.person;
    friendFingerprint = personFingerprint(friendAtWork.keys);
    browser = await launchChromium();
    [owner, doctor, friend] = await Promise.all([
      enter(await world.pageOf("patient")),
      enter(await world.pageOf("doctor")),
      enter(newcomer.address),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  it("gives a contact card, in which nothing is secret", async () => {
    await button(friend, "Show my contact card").click();
    card = await friend.getByRole("textbox", { name: "Your contact card" }).inputValue();
    expect(Object.keys(JSON.parse(card)).sort()).toEqual(["accountId", "handle", "identity"]);
    const [saved] = await Promise.all([
      friend.waitForEvent("download"),
      button(friend, "Save as a file").click(),
    ]);
    expect(saved.suggestedFilename()).toBe("contact-card.json");
    await expectAccessible(friend, "a guardian's account");
  });

  it("names nobody by a card that is none, a handle that nobody has, or a fingerprint that differs", async () => {
    await button(owner, "Name guardians…").click();
    const failure = owner.locator("#guardians-title ~ * .failure", { hasText: /./ });
    for (const wrong of [
      XSS,
      `{"handle":${JSON.stringify(XSS)}}`,
      card.replace(/"identity":"...../, '"identity":"AAAAA'),
    ]) {
      await owner.fill("#guardian-given", wrong);
      await button(owner, "Add").click();
      await failure.waitFor();
      expect(await owner.locator(".compare, .people").count()).toBe(0);
    }
    for (const handle of [XSS, "dr-heron\n", "dr-heron\u202e"]) {
      await owner.fill("#guardian-given", "");
      await owner.fill("#guardian-given", JSON.stringify({ ...JSON.parse(card), handle }));
      await button(owner, "Add").click();
      await failure.waitFor();
      expect(await owner.locator(".compare, .people, main img").count()).toBe(0);
    }
    await owner.fill("#guardian-given", card);
    await button(owner, "Add").click();
    await owner.getByText("Is this really kind-owl?").waitFor();
    await button(owner, "It is different").click();
    await owner.getByText("Nobody was named.").waitFor();
    await button(owner, "Cancel").click();
    forgetRefusals();
  });

  it("names them by card and by handle, each compared, for the password", async () => {
    await owner.setInputFiles("#guardian-file", {
      ...{ name: "contact-card.json", mimeType: "application/json" },
      buffer: Buffer.from(card),
    });
    await owner.getByText("Is this really kind-owl?").waitFor();
    await expectAccessible(owner, "comparing a guardian");
    await owner.fill("#typed-fingerprint", friendFingerprint);
    await button(owner, "Compare for me").click();
    await owner.locator(".people strong", { hasText: "kind-owl" }).waitFor();
    await owner.fill("#guardian-given", "dr-heron");
    await button(owner, "Add").click();
    await owner.getByText("Is this really dr-heron?").waitFor();
    await button(owner, "I compared it: the same").click();
    await owner.locator(".people strong", { hasText: "dr-heron" }).waitFor();
    await expectAccessible(owner, "naming guardians");
    await owner.fill("#guardians-password", "not the password");
    await button(owner, "Name these").click();
    await owner.locator("#guardians-title ~ * .failure", { hasText: /./ }).waitFor();
    forgetRefusals();
    await owner.fill("#guardians-password", password);
    await button(owner, "Name these").click();
    await owner.getByText("Any 2 of these 2, chosen").waitFor();
    await owner.locator(".people strong", { hasText: "kind-owl" }).waitFor();
  });

  it("does without them for the password, and names them anew", async () => {
    await button(owner, "Do without…").click();
    await owner.fill("#withdraw-password", password);
    await button(owner, "Do without guardians").click();
    await owner.getByText("You named none.").waitFor();
    await button(owner, "Name guardians…").click();
    for (const given of [card, "dr-heron"]) {
      await owner.fill("#guardian-given", given);
      await button(owner, "Add").click();
      // Compared before: not asked for again.
      await expect.poll(() => owner.inputValue("#guardian-given")).toBe("");
    }
    await owner.fill("#guardians-password", password);
    await button(owner, "Name these").click();
    await owner.getByText("Any 2 of these 2, chosen").waitFor();
  });

  it("asks them for who lost everything, who reads a fingerprint to them", async () => {
    lost = await open(await browser.newContext());
    await lost.goto(world.addresses.kdc);
    await button(lost, "Lost your password, your passphrase, or everything?").click();
    await lost.fill("#recover-handle", XSS.slice(0, 40));
    await button(lost, "Ask my guardians").click();
    await lost.locator(".fingerprint").waitFor();
    await lost.fill("#recover-handle", "quiet-otter");
    expect(await lost.locator(".fingerprint").count()).toBe(0);
    await button(lost, "Ask my guardians").click();
    asking = (await lost.locator(".fingerprint").innerText()).replace(/\s/g, "");
    await expectAccessible(lost, "recovering");
    await owner.evaluate(() => dispatchEvent(new Event("focus")));
  });

  it("gives no share to a fingerprint that the person did not read out", async () => {
    await doctor.evaluate(() => dispatchEvent(new Event("focus")));
    await doctor.getByRole("button", { name: /^Notices/ }).click();
    await doctor.getByText("quiet-otter, whose guardian you are, asks for your share.").waitFor();
    await doctor.keyboard.press("Escape");
    await button(doctor, "Look at it…").click();
    await doctor.getByText("Is it really quiet-otter who asks?").waitFor();
    await expectAccessible(doctor, "a guardian who is asked");
    await doctor.fill(
      "#typed-fingerprint",
      asking.replace(/^./, (digit) => (digit === "0" ? "1" : "0")),
    );
    await button(doctor, "Compare for me").click();
    await doctor.getByText("These are not the letters of this request.").waitFor();
    expect(await button(doctor, "Give my share").count()).toBe(0);
    await button(doctor, "Cancel").click();
  });

  it("gives no share to a key that came in the place of the one that was compared", async () => {
    const { identity } = await identityCardOf(friendAtWork, world.toolkit.clock);
    let swaps = false;
    const looked = async () => {
      const answer = doctor.waitForResponse((response) => response.url().endsWith("/v1/recovery-requests"));
      await doctor.evaluate(() => dispatchEvent(new Event("focus")));
      await answer;
    };
    const context = doctor.context();
    await context.route("**/v1/recovery-requests", async (route) => {
      const response = await route.fetch();
      const json = (await response.json()) as { toAnswer: object[] };
      const toAnswer = swaps
        ? json.toAnswer.map((one) => ({ ...one, identity, fingerprint: friendFingerprint }))
        : json.toAnswer;
      await route.fulfill({ response, json: { ...json, toAnswer } });
    });
    // While comparing: what was shown first is gone, and no click stands for what came.
    await button(doctor, "Look at it…").click();
    await doctor.locator(".fingerprint").waitFor();
    swaps = true;
    await looked();
    await doctor.getByText("while you compared, another key came").waitFor();
    expect(await button(doctor, "I compared it: the same").count()).toBe(0);
    swaps = false;
    await looked();
    // After comparing, before giving.
    await button(doctor, "I compared it: the same").click();
    await button(doctor, "Give my share").click();
    await button(doctor, "Give it now").waitFor();
    swaps = true;
    await looked();
    await doctor.getByText("has another key than the one you compared").waitFor();
    expect(await doctor.getByRole("button", { name: /^Give / }).count()).toBe(0);
    await button(doctor, "Cancel").click();
    await context.unrouteAll();
    await looked();
    await button(doctor, "Look at it…").waitFor();
  });

  it("brings account and keys back with enough shares, and says how many are missing before", async () => {
    await give(doctor, asking);
    for (const id of ["password", "passphrase"]) {
      const secret = id === "password" ? NEW_PASSWORD : NEW_PASSPHRASE;
      await lost.fill(`#recover-${id}`, secret);
      await lost.fill(`#recover-${id}-again`, id === "password" ? `${secret}?` : secret);
    }
    await button(lost, "Bring everything back").click();
    await lost.getByText("The two are not the same.").waitFor();
    await lost.fill("#recover-password-again", NEW_PASSWORD);
    await button(lost, "Bring everything back").click();
    await lost.getByText("1 of the 2 shares that are needed are there").waitFor();
    await give(friend, asking);
    await button(lost, "Bring everything back").click();
    await lost.locator(".bar").getByText("Ada Quillfeather").waitFor();
    forgetRefusals();
    const session = await createKdcClient({ http: world.toolkit.http, url: world.addresses.kdc }).login(
      "quiet-otter",
      NEW_PASSWORD,
    );
    const { contents } = await openKeystore((await fetchBackup(session)).keystore, NEW_PASSPHRASE);
    expect(contents.epochs.length).toBeGreaterThan(0);
  });

  it("brings them back with the code on paper as well, which is good once", async () => {
    const code = newRecoveryCode();
    const printed = printRecoveryCode(code);
    await armRecovery(friendAtWork.session, code, friendAtWork.contents, {
      password: "a password of one test",
    });
    lost = await open(await browser.newContext());
    await lost.goto(world.addresses.kdc);
    await button(lost, "Lost your password, your passphrase, or everything?").click();
    await lost.fill("#recover-handle", "kind-owl");
    await lost.getByText("my recovery code on paper").click();
    await lost.fill("#recover-code", XSS);
    for (const id of ["password", "passphrase"]) {
      for (const field of [`#recover-${id}`, `#recover-${id}-again`]) {
        await lost.fill(field, id === "password" ? NEW_PASSWORD : NEW_PASSPHRASE);
      }
    }
    await button(lost, "Bring everything back").click();
    await lost.locator(".failure", { hasText: /./ }).waitFor();
    await lost.fill("#recover-code", printed);
    await button(lost, "Bring everything back").click();
    await lost.locator(".bar").getByText("A. Friend").waitFor();
    await expect(
      recoverAccount(createKdcClient({ http: world.toolkit.http, url: world.addresses.kdc }), {
        ...{ handle: "kind-owl", code: readRecoveryCode(printed), newPassword: `${NEW_PASSWORD} again` },
      }),
    ).rejects.toMatchObject({ code: "RECOVERY_CODE_USED" });
  });

  it("broke no rule of its policy, met no error, and ran nothing of what it was given", async () => {
    // The owner's old session is over by then.
    forgetRefusals();
    expect(complaints).toEqual([]);
    expect(await owner.title()).not.toContain("stolen");
  });
});
