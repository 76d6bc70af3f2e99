import { readFile } from "node:fs/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { randomBytes } from "../../../host/base/index.ts";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import {
  admitMember,
  applyTo,
  type CommunityMember,
  createCommunityMember,
  createMemberKeys,
  createRelay,
  foundCommunity,
  issuerSecrets,
  joinCommunity,
  type MemberState,
  nameOf,
  newMemberState,
  openMemberKeys,
} from "../../../host/client/index.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { identityCardOf } from "../../support/community-card.ts";
import { faultsOf, openWatchedPage } from "../../support/page.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const QUESTION = "How do you sleep after a late meal?";
const XSS = `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script>`;

describe.skipIf(!hasChromium("communities in the page"))("communities, in a real browser", () => {
  let world: DemoWorld;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let id: string;
  let admit: (application: string, record: string, standing?: "patient" | "clinician") => Promise<string>;
  const complaints: string[] = [];
  const codes = ["44054006", "38341003"];

  /** Somebody whose programs run here. */
  const member = async (
    record: string,
    standing: "patient" | "clinician" = "patient",
  ): Promise<CommunityMember> => {
    const { suite, clock, http } = world.toolkit;
    const relay = createRelay({ http, cloudletUrl: world.addresses.cloudlet });
    const { secrets } = await createMemberKeys(suite, clock);
    const application = await applyTo(id, await openMemberKeys(suite, secrets), clock);
    let state = newMemberState(await relay.community(id), secrets);
    const memory = {
      keep: async (next: MemberState) => {
        state = next;
      },
    };
    const admission = await admit(application, record, standing);
    await joinCommunity({ suite, clock, relay, state, memory, admission });
    return createCommunityMember({ suite, clock, relay, state, memory });
  };

  beforeAll(async () => {
    world = await startDemoWorld({ freePorts: true, onStep: () => {} });
    const { suite, clock, http } = world.toolkit;
    const operator = await world.signIn("operator");
    const doctor = await world.signIn("doctor");
    const card = await identityCardOf(doctor, clock);
    const relay = createRelay({ http, cloudletUrl: world.addresses.cloudlet });
    const { community } = await foundCommunity({
      plan: {
        title: `Living with type 2 <img src=x onerror=alert(1)>`,
        issuers: [card],
        moderators: [card],
        openingQuestions: [QUESTION],
      },
      clock,
      relay,
      staff: await operator.session.staffTicket(operator.keys.signing),
      keepSeed: async () => {},
    });
    id = community.community;
    const secrets = issuerSecrets(randomBytes(32), id);
    admit = async (application, patient, standing = "patient") =>
      (
        await admitMember({
          ...{ suite, clock, community: id, application, patient, codes, standing, days: 365 },
          issuer: { id: card.accountId, key: doctor.keys.signing, secrets },
        })
      ).file;
    browser = await launchChromium();
    context = await browser.newContext();
    page = await openWatchedPage(context, complaints);
    await page.goto(await world.pageOf("patient"));
    await page.click("button.primary");
    await page.getByRole("link", { name: "Partners" }).click();
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  it("are found, applied to and joined with the doctor's admission", async () => {
    await page.getByRole("button", { name: "Apply" }).click();
    const application = await page.getByLabel("Hand this to your doctor").inputValue();
    expect(application).not.toContain("quiet-otter");
    await page.getByLabel("The admission that your doctor gave you").fill("no admission at all");
    await page.getByRole("button", { name: "Join", exact: true }).click();
    await expect
      .poll(() => page.locator(".failure").allTextContents())
      .toContainEqual(expect.stringMatching(/\S/));
    await page
      .getByLabel("The admission that your doctor gave you")
      .fill(await admit(application.trim(), "record 4711"));
    await page.getByRole("button", { name: "Join", exact: true }).click();
    await page.getByText(/^You are [a-z]+-[a-z]+-[0-9a-f]{4}\.$/).waitFor();
  });

  it("tell how alike others are, and keep the gate shut until trust has grown", async () => {
    const them = await member("record 4712");
    const [jay, wren] = [await member("staff 1", "clinician"), await member("staff 2", "clinician")];
    await page.getByRole("link", { name: "Open", exact: true }).click();
    const theirs = page.locator(".partner", { hasText: nameOf(them.pseudonym) });
    await theirs.getByRole("button", { name: "Compare conditions" }).click();
    await expect.poll(async () => (await them.visit()).changed).toBeGreaterThan(0);
    await login();
    await theirs.getByText("2 of your 2 and their 2 conditions in common").waitFor();
    await theirs.getByText("Not shared:").waitFor();

    await theirs.getByRole("button", { name: "Ask to get to know them" }).click();
    await theirs.getByRole("button", { name: "Send" }).click();
    await theirs.locator("form").waitFor({ state: "detached" });
    await expect.poll(async () => (await them.visit()).changed).toBeGreaterThan(0);
    const [asked] = them.exchanges();
    expect(asked?.question?.text).toBe(QUESTION);
    await them.answer(asked?.exchange ?? "", `Badly. ${XSS}`);
    // Clinicians met them as well, and say so.
    for (const clinician of [jay, wren]) {
      const exchange = await clinician.open(them.pseudonym, 0);
      await them.visit();
      await them.answer(exchange, "Badly, and I walk afterwards.");
      await clinician.visit();
      await clinician.rate(exchange, true);
    }
    await login();
    await page.getByText("Badly.").waitFor();
    await page.getByRole("button", { name: "Good answer" }).click();
    await page.getByText("Nothing waits for you.").waitFor();
    await theirs.getByRole("button", { name: "Why?" }).click();
    await theirs.getByText("Nothing yet: your gate decides").waitFor();
  });

  it("show words of others as words", async () => {
    await page.getByText("Earlier questions and answers").click();
    await page.getByText("onerror").first().waitFor();
    expect(await page.title()).not.toContain("broken");
    expect(await page.locator("main img, main script").count()).toBe(0);
  });

  it("keep a place that can be carried away and brought back by its owner alone", async () => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save a copy of my place" }).click(),
    ]);
    const file = await readFile(await download.path(), "utf8");
    expect(file).not.toContain("Living with");
    const other = await browser.newContext();
    const opened = await openWatchedPage(other, complaints);
    await opened.goto(await world.pageOf("patient"));
    await opened.click("button.primary");
    await opened.getByRole("link", { name: "Partners" }).click();
    await opened.getByText("Bring a place from elsewhere").click();
    const chooser = opened.locator("#bring-place");
    await chooser.setInputFiles({ name: "member", mimeType: "text/plain", buffer: Buffer.from("AAAA") });
    await opened.getByText("This is no place of yours in a community, or it is damaged").waitFor();
    await chooser.setInputFiles({ name: "member", mimeType: "text/plain", buffer: Buffer.from(file) });
    await opened.getByText(/^You are [a-z]+-[a-z]+-[0-9a-f]{4}\.$/).waitFor();
    await other.close();
  });

  it("have nothing that axe calls serious, and fit a telephone", async () => {
    expect(await faultsOf(page)).toEqual([]);
  });

  it("broke no rule of the policy, and met no error", () => {
    expect(complaints).toEqual([]);
  });

  /** A reload forgets everything: the address brings the login along again, and the route comes after. */
  async function login(): Promise<void> {
    await page.goto(await world.pageOf("patient"));
    await page.click("button.primary");
    await page.getByRole("link", { name: "Partners" }).click();
    await page.getByRole("link", { name: "Open", exact: true }).click();
  }
});
