import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { type MeshPage, startMeshPage } from "../../support/mesh-page.ts";
import { faultsOf, openWatchedPage } from "../../support/page.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

const ATTACKER = "203.0.113.66";
const ATTACK = "/v1/streams/1?q=1'%20UNION%20SELECT%20password%20FROM%20users--";

describe.skipIf(!hasChromium("a mesh on the officer's page"))("a mesh on the security officer's page", () => {
  let world: MeshPage;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  /** Attacks a cloudlet until it holds something against the attacker. @returns how many requests that took */
  const attack = async (
    cloudlet: number,
  ): Promise<{ readonly requests: number; readonly decision: string }> => {
    for (let requests = 1; requests <= 12; requests++) {
      const answer = await fetch(`${world.cloudlets[cloudlet]}${ATTACK}${requests}`, {
        headers: { "X-Forwarded-For": ATTACKER },
      });
      if (answer.status === 403 || answer.status === 429) {
        return { requests, decision: ((await answer.json()) as { decision: string }).decision };
      }
    }
    throw new Error("nothing was held against the attacker");
  };
  const go = (view: string) => page.evaluate((hash) => location.assign(hash), `#/${view}`);
  const row = (table: string, name: string) =>
    page
      .locator(`section[aria-label="${table}"] tbody tr`)
      .filter({ has: page.locator("th", { hasText: name }) });

  beforeAll(async () => {
    world = await startMeshPage();
    browser = await launchChromium();
    page = await openWatchedPage(await browser.newContext(), complaints);
    await page.goto(world.address);
    await page.click("button.primary");
    await page.locator(".services .here").nth(3).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  it("has both members on the map with the rates that the other measured, and no word between them yet", async () => {
    await go("network");
    await page.locator("svg.mesh .node.here").nth(3).waitFor();
    const rates = page.locator("svg.mesh .rates");
    await expect.poll(() => rates.count()).toBe(2);
    expect(await rates.allTextContents()).toEqual(new Array(2).fill("finds 67\u00a0%, false 5\u00a0%"));
    expect(await page.locator("svg.mesh .edge").count()).toBe(1);
    expect(await page.locator("svg.mesh .edge.live").count()).toBe(0);
    expect(await row("Members", "harbour-clinic").textContent()).toContain("never");
  });

  it("shows an alert arrive at the other, without anybody asking again", async () => {
    await go("network");
    const first = await attack(0);
    await page.locator("svg.mesh .edge.live").waitFor({ state: "attached" });
    await expect
      .poll(() => row("Members", "harbour-clinic").locator("[data-label='Alerts sent']").textContent())
      .toBe("1");
    expect(await faultsOf(page)).toEqual([]);
    // Who heard of it acts sooner: that is what a mesh is for.
    const second = await attack(1);
    expect(second.requests).toBeLessThan(first.requests);
    await go("watch");
    const link = page.locator(`a.decision[href$="${second.decision}"]`);
    expect(await link.textContent()).toContain("cloudlet 2");
    await link.click();
    await page.getByRole("heading", { name: /of an address/ }).waitFor();
    await page.locator("table").filter({ hasText: "operator-of-harbour-clinic" }).waitFor();
  });

  it("moves a member's rates when an officer says that the decision was right", async () => {
    await page.getByRole("button", { name: "Confirm: it was right" }).click();
    await page.getByRole("button", { name: "Confirm it?" }).click();
    await page.getByText("Confirmed.").first().waitFor();
    await go("network");
    const measured = row("Measured rates", "harbour-clinic");
    await expect
      .poll(async () => Number(await measured.locator("[data-label='Outcomes']").textContent()))
      .toBeGreaterThan(0);
    const finds = await measured.locator("[data-label='True positives']").textContent();
    expect(Number.parseFloat(finds ?? "")).toBeGreaterThan(67);
    expect(await page.locator("svg.mesh .rates").first().textContent()).toContain(`finds ${finds}`);
  });

  it("counts the requests of each service by what became of them, for an hour and for a day", async () => {
    await go("watch");
    const held = page.locator(".traffic tbody tr").filter({ hasText: "cloudlet 1" }).locator("td").nth(2);
    await expect.poll(async () => Number(await held.textContent())).toBeGreaterThan(0);
    expect(await page.locator(".traffic svg rect.held").count()).toBeGreaterThan(0);
    expect(await page.locator(".traffic svg").getAttribute("aria-label")).toMatch(
      /last hour: [\d,]+ requests answered, .* held back, /,
    );
    await page.getByRole("button", { name: "Day" }).click();
    await page.getByText("Requests in each quarter of an hour, last day").waitFor();
    expect(await page.getByRole("button", { name: "Day" }).getAttribute("aria-pressed")).toBe("true");
    expect(await page.locator(".traffic").textContent()).not.toMatch(/203\.0\.113|UNION|streams/);
    expect(await faultsOf(page)).toEqual([]);
  });

  it("draws how the detector does, reads it out by keyboard and by pointer, and says what it was measured on", async () => {
    await go("model");
    const kdc = page.locator("figure.curve").filter({ hasText: "ROC curve of KDC" });
    await kdc.locator("svg.roc polyline").waitFor();
    expect(await kdc.locator("svg.roc").getAttribute("aria-label")).toMatch(
      /area under it 0\.\d+\. Operating point: from a belief of 0\.50 on, \d+/,
    );
    expect(await kdc.textContent()).toMatch(
      /Measured on \d+ own requests? since .* built-in attacks of version 1/,
    );
    await page.getByText("Real attackers differ").waitFor();
    const said = kdc.locator(".said");
    expect(await said.textContent()).toMatch(
      /As it is set: from a belief of 0\.50 on, \d+\s% \(\d+\s% to \d+\s%\)/,
    );
    const slider = kdc.getByLabel("KDC: if alarms began elsewhere");
    await slider.focus();
    await page.keyboard.press("Home");
    expect(await said.textContent()).not.toContain("As it is set");
    expect(await slider.getAttribute("aria-valuetext")).toBe(await said.textContent());
    await page.keyboard.press("End");
    expect(await said.textContent()).toMatch(/100\s% \(.*\) of attacks found, 100\s%/);
    await kdc.locator("svg.roc").hover({ position: { x: 100, y: 60 } });
    await page.locator("h1").hover();
    expect(await said.textContent()).toContain("As it is set");
    await kdc.getByText("Found by kind of attack").click();
    expect(await kdc.locator("li").count()).toBe(10);
    expect(await faultsOf(page)).toEqual([]);
  });

  it("says what is due with keys and who does it, and shows turns that the verified log has", async () => {
    await go("keys");
    await page.getByText(/Nothing: the KDC makes the next key by itself on/).waitFor();
    await world.turnKeys();
    await page.getByRole("button", { name: "Verify the log and show them" }).click();
    const turn = page.locator("li").filter({ hasText: "ordered by operator" });
    await turn.waitFor();
    expect(await turn.locator("small").textContent()).toMatch(/^[\w-]{43}$/);
    expect(await page.getByRole("button", { name: /rotate|turn now/i }).count()).toBe(0);
    expect(await faultsOf(page)).toEqual([]);
  });

  it("keeps the keyboard where it was: at a button that works, at the decision that was looked at", async () => {
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    const verify = page.getByRole("button", { name: "Verify the log and show them" });
    await verify.press("Enter");
    await page.getByText("Verifying…").waitFor({ state: "detached" });
    expect(await focused()).toBe("Verify the log and show them");
    // A table that scrolls is a stop of its own, and is seen to be.
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)).toBe(
      "solid",
    );
    await go("watch");
    const link = page.locator("a.decision").first();
    const address = await link.getAttribute("href");
    await link.press("Enter");
    await page.getByRole("button", { name: "All decisions" }).press("Enter");
    await page.getByRole("heading", { name: "Watch" }).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("href"))).toBe(address);
  });

  it("broke no rule of its policy, and met no error of its own", () => {
    expect(complaints).toEqual([]);
  });
});
