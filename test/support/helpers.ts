import { type Bytes, fromHex, randomBytes, toBase64Url } from "../../host/base/index.ts";
import { createHttpClient, createKdcClient, type Fetch } from "../../host/client/index.ts";
import {
  createGateway,
  createHelper,
  type Gateway,
  type Helper,
  type HelperSelf,
} from "../../host/emergency/live/index.ts";
import { createTicketVerifier } from "../../host/identity/index.ts";
import { importSigningKey, type SigningKey, signStatement } from "../../host/sealing/index.ts";
import { ATTESTED_SET, blindSet, confirmedCode } from "../../host/trust/index.ts";
import type { Pairing } from "../../host/wearable/index.ts";
import type { Insider, Scene } from "../host/community/scene.ts";
import type { System } from "./system.ts";

/** Somebody who can help: a member with a set that the hospital confirmed. */
export interface TestHelper extends Insider {
  readonly self: HelperSelf;
  readonly helper: Helper;
  readonly codes: readonly string[];
}

/** The hospitals' key for confirmed codes in tests. */
export const CODE_KEY = randomBytes(32);
export const confirmed = (codes: readonly string[]) => codes.map((code) => confirmedCode(CODE_KEY, code));

/** What a hospital signs about a member's set. */
export async function attest(
  scene: Scene,
  insider: Insider,
  codes: readonly string[],
  by: SigningKey = scene.hospital,
  changes: Partial<(typeof ATTESTED_SET)["schema"]["_output"]> = {},
): Promise<{ set: string; seed: Bytes; points: Bytes }> {
  const seed = randomBytes(32);
  const points = blindSet(confirmed(codes), seed);
  const { issuer, community, pseudonym, signingKey, from, until } = insider.credential;
  const payload = {
    ...{ issuer, community, pseudonym, signingKey, from, until, points: toBase64Url(points) },
    ...changes,
  };
  return { set: await signStatement(ATTESTED_SET, payload, by), seed, points };
}

/** A helper's own program. */
export function helperOf(system: System, self: HelperSelf, fetch?: Fetch): Helper {
  const { clock } = system;
  const http = createHttpClient({ clock, ...(fetch === undefined ? {} : { fetch }) });
  const kdc = createKdcClient({ http: createHttpClient({ clock }), url: system.kdc.url });
  const keys = () => kdc.ticketKeys();
  return createHelper({
    self,
    http,
    clock,
    cloudletUrl: system.cloudlet.url,
    cloudUrl: system.cloud.url,
    tickets: createTicketVerifier({ current: keys, refresh: keys }, clock),
  });
}

/** Joins somebody as a helper. */
export async function createTestHelper(
  system: System,
  scene: Scene,
  codes: readonly string[],
  fetch?: Fetch,
): Promise<TestHelper> {
  const insider = await scene.member();
  const { set, seed } = await attest(scene, insider, codes);
  const { pseudonym, key } = insider;
  const self = { community: scene.community, pseudonym, key, set, seed };
  return { ...insider, self, helper: helperOf(system, self, fetch), codes };
}

/** The telephone that belongs to a paired wearable. */
export async function gatewayOf(
  system: System,
  pairing: Pairing,
  plan: { readonly community: string; readonly codes: readonly string[]; readonly threshold: number },
): Promise<Gateway> {
  const { clock } = system;
  const http = createHttpClient({ clock });
  return createGateway({
    deviceId: pairing.deviceId,
    key: await importSigningKey(fromHex(pairing.signingSeed)),
    plan: { format: "medcloudlet-help-plan-1", ...plan, codes: confirmed(plan.codes) },
    http,
    kdc: createKdcClient({ http, url: system.kdc.url }),
    clock,
    cloudletUrl: system.cloudlet.url,
  });
}

/** The cloudlet's line to the cloud, which can be cut; the KDC stays in reach. */
export function createLine(): { readonly fetch: Fetch; cut(cloudUrl: string): void; mend(): void } {
  let cutFrom: string | null = null;
  return {
    fetch: async (url, init) => {
      if (cutFrom !== null && url.startsWith(cutFrom)) {
        throw new TypeError("fetch failed: the line is cut");
      }
      return fetch(url, init);
    },
    cut(cloudUrl) {
      cutFrom = cloudUrl;
    },
    mend() {
      cutFrom = null;
    },
  };
}
