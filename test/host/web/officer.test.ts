import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type AuditEntry, entryHash } from "../../../host/audit/index.ts";
import { type DemoWorld, startDemoWorld } from "../../../host/cli/demo-world.ts";
import { createAccountClient } from "../../../host/client/index.ts";
import { createTrainer, encodeModel } from "../../../host/ids/index.ts";
import { openStore, type Store } from "../../../host/store/index.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import { faultsOf, openWatchedPage } from "../../support/page.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

const XSS = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;
const ATTACK = "/v1/streams/1?q=1'%20UNION%20SELECT%20password%20FROM%20users--";

describe.skipIf(!hasChromium("the security officer's page"))("the security officer's page", () => {
  let world: DemoWorld;
  let folder: string;
  let browser: Browser;
  let page: Page;
  let store: Store;
  const complaints: string[] = [];

  /** A request from an address, by the word of the proxy in front. */
  const ask = (
    service: "kdc" | "cloud" | "cloudlet",
    address: string,
    path: string,
    init: RequestInit = {},
  ) =>
    fetch(`${world.addresses[service]}${path}`, {
      ...init,
      headers: { ...(init.headers as object), "X-Forwarded-For": address },
    });
  /** Attacks until something is held against the address. @returns the decision's number */
  const attack = async (service: "kdc" | "cloud" | "cloudlet", address: string): Promise<string> => {
    for (let i = 0; i < 12; i++) {
      const path = `${ATTACK}${i}&${encodeURIComponent(XSS)}=${encodeURIComponent(XSS)}`;
      const answer = await ask(service, address, path, { headers: { "User-Agent": XSS } });
      if (answer.status === 403 || answer.status === 429) {
        return ((await answer.json()) as { decision: string }).decision;
      }
    }
    throw new Error("nothing was held against the attacker");
  };
  const isHeld = async (service: "kdc" | "cloud" | "cloudlet", address: string): Promise<boolean> => {
    const { code } = (await (await ask(service, address, "/v1/nowhere")).json()) as { code: string };
    return code.startsWith("IDS_");
  };
  const go = (view: string) => page.evaluate((hash) => location.assign(hash), `#/${view}`);
  const entriesOf = () => store.collection<AuditEntry & { _id: string }>({ name: "audit", indexes: [] });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "medcloudlet-officer-"));
    const trainer = createTrainer();
    for (let i = 0; i < 100; i++) {
      trainer.add({ m: "GET", u: `/v1/streams/${(i * 7919) % 100_000}/batches?after=${i}` });
    }
    await writeFile(join(folder, "model.ids"), encodeModel(trainer.finish()));
    vi.stubEnv("MEDCLOUDLET_TRUST_PROXIES", "1");
    vi.stubEnv("MEDCLOUDLET_IDS_MODEL", join(folder, "model.ids"));
    world = await startDemoWorld({ folder, freePorts: true, onStep: () => {} });
    const { databasePrefix } = JSON.parse(await readFile(join(folder, "demo.json"), "utf8"));
    // Whoever can write to the KDC's database needs no KDC for it.
    store = await openStore({
      mongodbUrl: process.env.MONGODB_URL,
      database: `${databasePrefix}_kdc`,
      directory: join(folder, "kdc"),
    });
    browser = await launchChromium();
    page = await openWatchedPage(await browser.newContext({ acceptDownloads: true }), complaints);
    await page.goto(await world.pageOf("officer"));
    await page.click("button.primary");
    await page.locator(".services .here").nth(2).waitFor();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await browser?.close();
    await store?.close();
    await world?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("shows an attack as it happens, says why, and takes it back in two clicks", async () => {
    await page.getByText("Nothing is held against anybody.").waitFor();
    await attack("kdc", "203.0.113.7");
    const group = page.locator(".item summary").first();
    await group.waitFor();
    expect(await group.textContent()).toMatch(/severe.*attacks-from-one-place.*KDC.*address/);
    await page.locator("a.decision").click();
    await page.getByRole("heading", { name: /of an address/ }).waitFor();
    expect(await page.locator(".proof").first().textContent()).toContain("sql-union in query q");
    await page.fill("#ruling-reason", XSS);
    expect(await isHeld("kdc", "203.0.113.7")).toBe(true);
    await page.getByRole("button", { name: "Lift: it was wrong" }).click();
    await page.getByRole("button", { name: "Lift it now?" }).click();
    await page.getByText("Lifted: nothing is held any more by this decision.").first().waitFor();
    expect(await page.locator("q").textContent()).toBe(XSS);
    expect(await isHeld("kdc", "203.0.113.7")).toBe(false);
    await page.getByRole("button", { name: "All decisions" }).click();
    await page.getByText("1 decision of before").waitFor();
  });

  it("groups who comes again, at whichever service, and confirms", async () => {
    const decision = await attack("cloudlet", "203.0.113.9");
    const link = page.locator(`a.decision[href$="${decision}"]`);
    await link.waitFor();
    expect(await page.locator(".item summary").filter({ hasText: "cloudlet" }).count()).toBe(1);
    expect(await page.locator(".item summary").first().textContent()).toMatch(/\d+ alerts/);
    await link.click();
    await page.getByRole("button", { name: "Confirm: it was right" }).click();
    await page.getByRole("button", { name: "Confirm it?" }).click();
    await page.getByText("Confirmed.").first().waitFor();
    await page.getByText("An attack, judged by the officer.").waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await go("watch");
  });

  it("shows objections as what they are: text; and exempts an address everywhere, until that ends", async () => {
    const decision = await attack("cloud", "203.0.113.8");
    const sent = await ask("cloud", "203.0.113.8", "/v1/ids/appeals", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ decision, appeal: `I am a nurse. ${XSS}` }),
    });
    expect(sent.status).toBe(202);
    await page.getByText(`I am a nurse. ${XSS}`).waitFor();
    await page.getByRole("button", { name: "Exempt an address" }).click();
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("exempt-address");
    await page.fill("#exempt-address", "not an address");
    await page.fill("#exempt-reason", XSS);
    await page.getByRole("button", { name: "Exempt", exact: true }).click();
    await page.getByText(/expected an IPv4 or IPv6 address/).waitFor();
    await page.fill("#exempt-address", "203.0.113.8");
    await page.getByRole("button", { name: "Exempt", exact: true }).click();
    await page.getByText("Exempt at KDC, cloud, cloudlet.").waitFor();
    expect(await isHeld("cloud", "203.0.113.8")).toBe(false);
    const exemption = page.locator(".exemption").filter({ hasText: "cloud ·" });
    expect(await exemption.textContent()).toContain(XSS);
    expect(await faultsOf(page)).toEqual([]);
    await exemption.getByRole("button", { name: "End" }).click();
    await exemption.getByRole("button", { name: "End it?" }).click();
    await exemption.waitFor({ state: "detached" });
  });

  it("says who is away and shows the others all the same; whoever comes back is there again", async () => {
    const before = complaints.length;
    await world.withoutCloud(async () => {
      await page.locator(".services .away").waitFor();
      await page.locator(".banner").filter({ hasText: "cloud" }).waitFor();
      const decision = await attack("cloudlet", "203.0.113.21");
      await page.locator(`a.decision[href$="${decision}"]`).waitFor();
      await go("network");
      await page.locator("th[scope=row]").filter({ hasText: "cloudlet" }).waitFor();
      expect(await page.locator(".badge", { hasText: "away" }).count()).toBe(1);
      expect(await page.locator(".badge", { hasText: "answers" }).count()).toBe(2);
      await go("model");
      await page.getByText(/^cloud is away/).waitFor();
      await page.getByRole("heading", { name: "At KDC, cloudlet" }).waitFor();
      await go("watch");
    });
    await page.locator(".services .away").waitFor({ state: "detached" });
    // The browser itself writes down that nobody answered; nothing else did.
    const meanwhile = complaints.splice(before);
    expect(meanwhile.filter((complaint) => !complaint.includes("net::ERR_"))).toEqual([]);
  });

  it("draws who is there, and says that there is no mesh and how to have one", async () => {
    await go("network");
    await page.getByText("No service here has a mesh").waitFor();
    expect(await page.locator("svg.mesh .node.here").count()).toBe(3);
    expect(await page.locator("tbody tr").count()).toBe(3);
    expect(await faultsOf(page)).toEqual([]);
  });

  it("shows where the alarm is set, what training measured, and how the detector does on the service's own requests", async () => {
    await go("model");
    await page.getByRole("heading", { name: "At KDC, cloud, cloudlet" }).waitFor();
    await page.getByText(/measured on 100 requests held out in turn/).waitFor();
    await page.getByText(/an alarm from strangeness alone at \d+\.\d bits/).waitFor();
    await page.locator("figure.curve").filter({ hasText: "ROC curve of KDC" }).locator("polyline").waitFor();
    await page.getByText("Real attackers differ").waitFor();
    expect(await faultsOf(page)).toEqual([]);
  });

  it("verifies the log, holds the KDC to what it saw, searches and exports", async () => {
    await go("audit");
    await page.getByRole("button", { name: "Verify the whole log" }).click();
    await page.getByText(/The log is whole: every one of \d+ entries fits/).waitFor();
    await page.getByText(/none yet: the newest is kept from now on/).waitFor();
    await page.getByRole("button", { name: "Verify the whole log" }).click();
    await page.getByText("1 head, all compared").waitFor();
    await page.fill("#audit-account", "quiet-otter");
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByText("The directory tells nobody the handles of patients").waitFor();
    await page.fill("#audit-account", "watchful-jay");
    await page.fill("#audit-action", "ids.rule");
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByText("1 entry fits").waitFor();
    // The reason of the ruling, as it was typed.
    expect(await page.locator(".entries tbody").textContent()).toContain(XSS);
    expect(await faultsOf(page)).toEqual([]);
    const downloaded = async (button: string) => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: button }).click(),
      ]);
      return readFile(await download.path(), "utf8");
    };
    const csv = await downloaded("CSV of what is found");
    expect(csv.split("\r\n")).toHaveLength(3);
    expect(csv).toContain("ids.rule,success");
    const lines = (await downloaded("Whole log (NDJSON)")).trim().split("\n");
    expect(JSON.parse(lines[0] as string)).toMatchObject({ kind: "log" });
    expect(lines.filter((line) => line.startsWith('{"kind":"entry"')).length).toBeGreaterThan(20);
  });

  it("turns red at an entry that somebody changed in the KDC's store, with or without a new hash", async () => {
    const entries = await entriesOf();
    const { _id, ...fifth } = (await entries.find({ sequence: { $eq: 5 } }))[0] as AuditEntry & {
      _id: string;
    };
    const verify = () => page.getByRole("button", { name: "Verify the whole log" }).click();

    await entries.updateOne({ _id: { $eq: _id } }, { $set: { action: "account.suspend" } });
    await verify();
    await page.getByText("Entry 5 was edited: its contents do not fit its hash.").waitFor();
    expect(await page.locator(".wrong").count()).toBe(1);
    expect(await page.locator(".wrong").textContent()).toMatch(/^5was edited/);
    expect(await faultsOf(page)).toEqual([]);

    const { writer: _, ...entry } = fifth as AuditEntry & { writer?: string };
    const forged = entryHash({ ...entry, action: "account.suspend" });
    await entries.updateOne({ _id: { $eq: _id } }, { $set: { hash: forged } });
    await verify();
    await page.getByText(/Entry 5 was edited and its hash made anew/).waitFor();
    expect(await page.locator(".wrong").textContent()).toMatch(/^6does not follow/);

    const { action, hash } = entry;
    await entries.updateOne({ _id: { $eq: _id } }, { $set: { action, hash } });
    await verify();
    await page.getByText(/The log is whole/).waitFor();
  });

  it("confirms that somebody's second factor goes, as an operator asked", async () => {
    const { session } = await world.signIn("operator");
    await createAccountClient(session).requestFactorReset("dr-heron");
    await go("keys");
    const reset = page.locator(".exemption").filter({ hasText: "dr-heron" });
    await reset.getByRole("button", { name: "Confirm" }).click();
    await reset.getByRole("button", { name: "Take the factor away?" }).click();
    await page.getByText("dr-heron enrols a new factor at the next login.").waitFor();
    await reset.waitFor({ state: "detached" });
    await go("watch");
  });

  it("shows how old the ticket keys are, closes an account and opens it again", async () => {
    await go("keys");
    await page.locator(".badge", { hasText: "signs now" }).waitFor();
    await page.getByText("There is no mesh, so there are no keys of one.").waitFor();
    await page.getByText("Nothing goes on.").waitFor();
    await page.fill("#suspend-handle", "dr-heron");
    await page.getByRole("button", { name: "Suspend" }).click();
    await page.getByRole("button", { name: "Suspend this account?" }).click();
    await page.getByText("dr-heron is suspended: its sessions have ended.").waitFor();
    expect(await faultsOf(page)).toEqual([]);
    await page.getByRole("button", { name: "Reopen" }).click();
    await page.getByRole("button", { name: "Open it again?" }).click();
    await page.getByText("dr-heron is open again.").waitFor();
    await page.fill("#suspend-handle", XSS.slice(0, 40));
    await page.getByRole("button", { name: "Suspend" }).click();
    await page.getByRole("button", { name: "Suspend this account?" }).click();
    await page.locator(".failure").filter({ hasText: /\w/ }).first().waitFor();
  });

  it("broke no rule of its policy, and met no error of its own", () => {
    // Chromium writes down answers of 4xx: what was refused above was refused in words.
    expect(complaints.filter((complaint) => !/status of 4\d\d/.test(complaint))).toEqual([]);
  });
});
