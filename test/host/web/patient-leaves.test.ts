import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { createAccessRequests, createKdcClient, createReader } from "../../../host/client/index.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { createPageWatch, expectAccessible } from "../../support/page.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const XSS = `<img src=x onerror="document.title='stolen'">`;

describe.skipIf(!hasChromium("asking for access, and leaving"))(
  "a patient who is asked, and who leaves",
  () => {
    let world: DemoWorld;
    let browser: Browser;
    let context: BrowserContext;
    let page: Page;
    let password: string;
    const { complaints, open } = createPageWatch();
    const button = (name: string) => page.getByRole("button", { name, exact: true });
    const kdc = () => createKdcClient({ http: world.toolkit.http, url: world.addresses.kdc });
    const goTo = (view: string) => page.goto(`${world.addresses.kdc}/#/${view}`);
    const sharedWithDoctor = async () => {
      const { session, keys, addresses } = await world.signIn("doctor");
      const reader = createReader({ ...world.toolkit, session, keys, cloudUrl: addresses.cloud });
      return (await reader.shared()).streams;
    };

    beforeAll(async () => {
      world = await startDemoWorld({ freePorts: true, onStep: () => {} });
      password = world.logins.find(({ part }) => part === "patient")?.password as string;
      const { session } = await world.signIn("doctor");
      await createAccessRequests(session).ask({
        ...{ handle: "quiet-otter", regions: ["profile", "medical"], purpose: "treatment", days: 3 },
        reason: XSS,
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

    it("sees who asks and why, compares, and shares what was asked for", async () => {
      await goTo("sharing");
      await page.getByText(`“${XSS}”`).waitFor();
      expect(await page.locator("main img").count()).toBe(0);
      await expectAccessible(page, "asked");
      await button("Look at it…").click();
      await button("I compared it: the same").click();
      expect(await page.isChecked("input[value=asked]")).toBe(true);
      await button("Share with dr-heron").click();
      await page.getByText(/dr-heron can read (Medical, Profile|Profile, Medical) until/).waitFor();
      await page.getByText("Who asks to read").waitFor({ state: "detached" });
      expect((await sharedWithDoctor()).some(({ region }) => region === "medical")).toBe(true);
    });

    it("announces leaving, takes it back, and refuses to hurry without the handle", async () => {
      await goTo("account");
      await button("Delete everything…").click();
      await page.fill("#deletion-password", password);
      await button("Announce it").click();
      await page.getByText("until then you can take it back").waitFor();
      await button("Take it back").click();
      await page.getByText("Taken back: nothing is deleted.").waitFor();
      await button("Delete everything…").click();
      await page.fill("#deletion-password", password);
      await button("Announce it").click();
      await button("Do not wait…").click();
      await page.fill("#deletion-now-handle", "another");
      await page.fill("#deletion-now-password", password);
      await button("Delete everything now").click();
      await page.locator("#deletion-title ~ * .failure", { hasText: /./ }).waitFor();
      complaints.splice(0, complaints.length, ...complaints.filter((text) => !/status of 4\d\d/.test(text)));
      await expectAccessible(page, "leaving");
      await kdc().login("quiet-otter", password);
    });

    it("deletes everything: no account, no stream, nothing for the doctor", async () => {
      await page.fill("#deletion-now-handle", "quiet-otter");
      await button("Delete everything now").click();
      await page.getByText("Everything is deleted, and this account with it.").waitFor();
      await expect(kdc().login("quiet-otter", password)).rejects.toMatchObject({ code: "LOGIN_FAILED" });
      expect(await sharedWithDoctor()).toEqual([]);
      await button("Log out").click();
      await page.locator("#password").waitFor();
      // What the bell asked for behind the account's end.
      complaints.splice(0, complaints.length, ...complaints.filter((text) => !/status of 4\d\d/.test(text)));
      expect(complaints).toEqual([]);
      expect(await page.title()).not.toContain("stolen");
    });
  },
);
