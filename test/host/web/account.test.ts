import { readFile } from "node:fs/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { randomBytes, toHex } from "../../../host/base/index.ts";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import {
  createEmergencyStaff,
  createIdentity,
  createKdcClient,
  fetchBackup,
  openKeystore,
  readRecoveryCode,
  recoverAccount,
} from "../../../host/client/index.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { createPageWatch, expectAccessible } from "../../support/page.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const XSS = `<img src=x onerror="document.title='stolen'">`;
/** The browser's own words about answers that refuse. */
const REFUSED = /status of 4\d\d/;

describe.skipIf(!hasChromium("the account's page"))(
  "a patient's account, wearables and trustees, in a browser",
  () => {
    let world: DemoWorld;
    let browser: Browser;
    let context: BrowserContext;
    let page: Page;
    let password: string;
    const { complaints, open } = createPageWatch();

    const goTo = (view: string) => page.goto(`${world.addresses.kdc}/#/${view}`);
    const button = (name: string) => page.getByRole("button", { name, exact: true });
    const forgetRefusals = () => {
      complaints.splice(0, complaints.length, ...complaints.filter((text) => !REFUSED.test(text)));
    };
    const kdc = () => createKdcClient({ http: world.toolkit.http, url: world.addresses.kdc });

    beforeAll(async () => {
      world = await startDemoWorld({ freePorts: true, onStep: () => {} });
      password = world.logins.find(({ part }) => part === "patient")?.password as string;
      // Somebody logs in with a program whose name is an attack.
      await fetch(`${world.addresses.kdc}/v1/sessions`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "User-Agent": XSS },
        body: JSON.stringify({ handle: "quiet-otter", password }),
      });
      // A trustee beside those of the demo: who asks cannot agree.
      const { suite, clock } = world.toolkit;
      await kdc().register({
        invitation: (await (await world.signIn("operator")).session.invite("doctor")).code,
        ...{ handle: "dr-lark", password: toHex(randomBytes(12)) },
        identity: (await createIdentity(suite, clock)).statement,
      });
      browser = await launchChromium();
      context = await browser.newContext();
      page = await open(context);
      await page.goto(await world.pageOf("patient"));
      await page.click("button.primary");
      await page.locator(".bar").waitFor();
    });
    afterAll(async () => {
      await browser?.close();
      await world?.close();
    });

    it("chooses trustees by their fingerprints, and prints a card", async () => {
      await goTo("emergency");
      await page.getByText("You chose nobody").waitFor();
      await button("Choose trustees…").click();
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("trustee-handle");
      await page.fill("#trustee-handle", XSS);
      await button("Add").click();
      await page.locator(".terms .failure", { hasText: /./ }).waitFor();
      forgetRefusals();
      for (const handle of ["dr-lark", "watchful-jay"]) {
        await page.fill("#trustee-handle", handle);
        await button("Add").click();
        await page.getByText(`Is this really ${handle}?`).waitFor();
        await button("I compared it: the same").click();
        await page.locator(".people strong", { hasText: handle }).waitFor();
      }
      await button("Choose these").click();
      await page.getByText("Any 2 of these 2 together").waitFor();
      const person = await world.signIn("patient");
      await person.catchUpWithBackup();
      expect(person.contents.emergency?.trustees.map(({ handle }) => handle)).toEqual([
        "dr-lark",
        "watchful-jay",
      ]);
    });

    it("is told when somebody asks for an emergency, shows the reason as text, and ends it in two clicks", async () => {
      const { session, keys } = await world.signIn("doctor");
      const staff = createEmergencyStaff({ ...world.toolkit, session, keys });
      await staff.request({ patient: "quiet-otter", reason: XSS, minutes: 30 });
      await page.evaluate(() => dispatchEvent(new Event("focus")));
      const bell = page.getByRole("button", { name: "Notices: 1 new" });
      await bell.click();
      await page.locator(".notices").getByText("dr-heron asks your trustees").waitFor();
      await page.locator(".notices").getByText(`Reason given: “${XSS}”`).waitFor();
      await expectAccessible(page, "notices");
      await button("Mark as seen").click();
      await page.getByRole("button", { name: "Notices: 0 new" }).waitFor();
      await page.keyboard.press("Escape");
      await expect.poll(() => page.evaluate(() => document.activeElement?.className)).toContain("bell");
      await page.getByText("asked, not open").waitFor();
      expect(await page.locator("main img").count()).toBe(0);
      await expectAccessible(page, "emergency");
      await button("End it now").click();
      await button("Really end it?").click();
      await page.getByText("It has ended").waitFor();
      await goTo("trail");
      await button("Emergencies").click();
      await page.locator(".trail .grave", { hasText: "dr-heron (doctor)" }).first().waitFor();
      await page.getByText(`Reason: “${XSS}”`).waitFor();
    });

    it("ends a wearable in two clicks", async () => {
      await goTo("devices");
      await page.locator(".chip.is-paired").waitFor();
      await expectAccessible(page, "wearables");
      await button("End it").click();
      await button("End it now").click();
      await page.locator(".chip.is-revoked").waitFor();
      const { revocations } = await (await world.signIn("patient")).session.call(
        z.object({ revocations: z.array(z.string()) }),
        { method: "GET", path: "/devices" },
      );
      expect(revocations).toHaveLength(1);
    });

    it("ends other sessions, and shows what a program calls itself as text", async () => {
      await goTo("account");
      await page.locator(".agent", { hasText: XSS }).waitFor();
      expect(await page.locator("main img").count()).toBe(0);
      await expectAccessible(page, "account");
      const rows = page.locator("#sessions-title ~ .scroll tbody tr");
      const before = await rows.count();
      await rows.filter({ hasText: XSS }).getByRole("button").click();
      await rows.filter({ hasText: XSS }).getByRole("button", { name: "Really end it?" }).click();
      await expect.poll(() => rows.count()).toBe(before - 1);
    });

    it("changes the password, and ends every other session by it", async () => {
      await button("Change the password…").click();
      await page.fill("#password-change-password", password);
      await page.fill("#password-change-next", `${password}-2`);
      await page.fill("#password-change-repeat", `${password}-3`);
      await button("Change it").click();
      await page.getByText("The two are not the same.").waitFor();
      await page.fill("#password-change-repeat", `${password}-2`);
      await button("Change it").click();
      await page.getByText("The password is changed; all other sessions are over.").waitFor();
      password = `${password}-2`;
      await kdc().login("quiet-otter", password);
    });

    it("changes the passphrase, here and in the backup, for who knows the one in force", async () => {
      const passphraseFile = world.logins.find(({ part }) => part === "patient")?.passphraseFile as string;
      const passphrase = (await readFile(passphraseFile, "utf8")).trim();
      await button("Change the passphrase…").click();
      await page.fill("#passphrase-change-current", "another one");
      await page.fill("#passphrase-change-next", "quiet rivers at noon");
      await page.fill("#passphrase-change-repeat", "quiet rivers at noon");
      await button("Change it").click();
      await page.getByText("This is not the passphrase of your keys.").waitFor();
      await page.fill("#passphrase-change-current", passphrase);
      await button("Change it").click();
      await page.getByText("Your keys and their backup have the new passphrase.").waitFor();
      const { keystore } = await fetchBackup(await kdc().login("quiet-otter", password));
      expect((await openKeystore(keystore, "quiet rivers at noon")).contents.handle).toBe("quiet-otter");
      await expect(openKeystore(keystore, passphrase)).rejects.toMatchObject({ code: "KEYSTORE_PASSPHRASE" });
      // What this page locks with from now on is the new one.
      await button("Lock").click();
      await page.fill("#passphrase", "quiet rivers at noon");
      await button("Unlock").click();
      await page.locator(".bar").waitFor();
    });

    it("gives a recovery code for a password, once, on one sheet of paper; the code brings everything back", async () => {
      await button("Make a recovery code…").click();
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("recovery-password");
      // Nobody is asked for what they have not got, and no code is replaced where there is none.
      expect(await page.locator("#recovery-code").count()).toBe(0);
      expect(await page.getByText("replaces the earlier one").count()).toBe(0);
      await page.fill("#recovery-password", "not the password");
      await button("Make the code").click();
      await page.locator("#recovery-title ~ * .failure", { hasText: /./ }).waitFor();
      forgetRefusals();
      await page.fill("#recovery-password", password);
      await button("Make the code").click();
      const code = (await page.textContent(".paper .code")) as string;
      await expectAccessible(page, "recovery code");
      await page.emulateMedia({ media: "print" });
      const seen = await page.evaluate(() =>
        [...document.querySelectorAll("body *")]
          .filter((element) => getComputedStyle(element).visibility === "visible")
          .map((element) => element.closest(".paper") !== null),
      );
      expect(seen.length).toBeGreaterThan(3);
      expect(seen.every(Boolean)).toBe(true);
      await page.emulateMedia({ media: null });
      await button("I have it on paper").click();
      expect(await page.content()).not.toContain(code);
      await page.getByText("replaces the earlier one").waitFor();
      const { contents } = await recoverAccount(kdc(), {
        handle: "quiet-otter",
        code: readRecoveryCode(code),
        newPassword: `${password}-recovered`,
      });
      expect(contents.handle).toBe("quiet-otter");
    });

    it("broke no rule of its policy, met no error, and ran nothing of what it was given", async () => {
      expect(complaints).toEqual([]);
      expect(await page.title()).not.toContain("stolen");
    });
  },
);
