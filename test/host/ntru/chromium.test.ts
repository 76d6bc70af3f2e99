import type { Server } from "node:http";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../../host/base/index.ts";
import { NTRU_PARAMETERS, type NtruSetName } from "../../../host/ntru/index.ts";
import { hasChromium, launchChromium } from "../../support/chromium.ts";
import type { inPage as InPage } from "../../vectors/in-page.ts";
import { KNOWN_ANSWER_COUNT } from "../../vectors/known-answers.ts";
import { NistDrbg } from "../../vectors/nist-drbg.ts";
import { servePage } from "./chromium-page.ts";

/** In the page, not here. */
declare const inPage: typeof InPage;

const inBrowser = hasChromium("NTRU");
const NAMES = Object.keys(NTRU_PARAMETERS) as NtruSetName[];
/** The bytes that the harness draws for all answers of a set, in order: a browser has no synchronous AES. */
function drawAll(name: NtruSetName): string[][] {
  const { sampleFgBytes, sampleRmBytes } = NTRU_PARAMETERS[name];
  const seeds = new NistDrbg(Uint8Array.from({ length: 48 }, (_, i) => i));
  const entropies = Array.from({ length: KNOWN_ANSWER_COUNT }, () => seeds.next(48));
  const answers = entropies.map((entropy) => {
    const drbg = new NistDrbg(entropy);
    return [sampleFgBytes, 32, sampleRmBytes].map((length) => toHex(drbg.next(length)));
  });
  return [entropies.map(toHex), ...answers];
}

describe.skipIf(!inBrowser)("in Chromium", () => {
  let browser: Browser;
  let server: Server;
  let page: Page;

  beforeAll(async () => {
    const served = await servePage();
    server = served.server;
    browser = await launchChromium();
    page = await browser.newPage();
    await page.goto(served.url);
    await page.waitForFunction(() => "inPage" in globalThis);
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it.each(NAMES)("%s gives the official answers, the vectors and the accumulated hash", async (name) => {
    const checks = await page.evaluate(([set, drawn]) => inPage.check(set, drawn), [
      name,
      drawAll(name),
    ] as const);
    expect(checks).toBeGreaterThan(25);
  });

  it.each(NAMES)("%s makes a round trip with fresh randomness", async (name) => {
    expect(await page.evaluate((set) => inPage.roundTrip(set), name)).toBe(true);
  });
});
