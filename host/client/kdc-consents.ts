import { z } from "zod";
import { isMedcloudletError, MedcloudletError } from "../base/index.ts";
import { idSchema } from "../sealing/index.ts";
import type { KdcSession } from "./kdc-client.ts";
import { ACCOUNT } from "./known-account.ts";

/** The part of a session that these requests are made with. */
export type Call = KdcSession["call"];

const nextSchema = idSchema.nullable();
const CONSENT = z.object({
  statement: z.string(),
  revocation: z.string().nullable(),
  reader: ACCOUNT.nullable(),
});
const CONSENTS = z.object({ consents: z.array(CONSENT), next: nextSchema });
const MISSING = z.object({ missing: z.array(CONSENT), next: nextSchema });
const DEVICES = z.object({ devices: z.array(z.string()), revocations: z.array(z.string()) });
const GRANT = z.object({
  owner: ACCOUNT,
  consent: z.string(),
  devices: z.array(z.string()),
  deviceRevocations: z.array(z.string()).optional(),
});
const GRANTS = z.object({ grants: z.array(GRANT.extend({ consentId: idSchema })), next: nextSchema });
const KEYS = z.object({
  keys: z.array(z.object({ wrappedKey: z.string(), epoch: z.string() })),
  next: nextSchema,
});
const ANYTHING = z.unknown();

/** A consent as the KDC tells its owner of it; every string is a statement still to be verified. */
export type UnverifiedConsent = z.infer<typeof CONSENT>;

/** What the KDC hands a reader for one consent; every string in it is a statement still to be verified. */
export type UnverifiedGrant = z.infer<typeof GRANT> & {
  readonly wrappedKeys: string[];
  readonly epochs: string[];
};

/** What the KDC takes in one request. */
export const KEYS_A_REQUEST = 50;
/** How many grants' keys are fetched at once. */
const GRANTS_AT_ONCE = 4;

/** Everything of a paged list. A page that does not lead on would be asked for for ever. */
async function* pages<T extends { readonly next: string | null }>(
  page: (after: string) => Promise<T>,
): AsyncGenerator<T> {
  for (let after = ""; ; ) {
    const found = await page(after);
    yield found;
    if (found.next === null) {
      return;
    }
    if (found.next <= after) {
      throw new MedcloudletError(
        "SERVICE_RESPONSE",
        "The KDC's list does not come to an end: tell its operator.",
        { status: 502 },
      );
    }
    after = found.next;
  }
}

/** Stores wrapped keys, fifty a request. Storing one again is harmless. */
export async function storeWrappedKeys(call: Call, wrappedKeys: readonly string[]): Promise<void> {
  for (let i = 0; i < wrappedKeys.length; i += KEYS_A_REQUEST) {
    const json = { wrappedKeys: wrappedKeys.slice(i, i + KEYS_A_REQUEST) };
    await call(ANYTHING, { method: "POST", path: "/wrapped-keys", json });
  }
}

/** Stores the keys of a consent and then the consent: cut off in between, nothing is shared. */
export async function giveConsent(
  call: Call,
  statement: string,
  wrappedKeys: readonly string[],
): Promise<void> {
  await storeWrappedKeys(call, wrappedKeys);
  await call(ANYTHING, { method: "POST", path: "/consents", json: { statement } });
}

/** Ends a consent. @throws MedcloudletError `CONSENT_UNKNOWN` */
export async function revokeConsent(call: Call, statement: string): Promise<void> {
  await call(ANYTHING, { method: "POST", path: "/revocations", json: { statement } });
}

/** Ends a device. @throws MedcloudletError `DEVICE_NOT_FOUND` */
export async function revokeDevice(call: Call, statement: string): Promise<void> {
  await call(ANYTHING, { method: "POST", path: "/device-revocations", json: { statement } });
}

/** One consent that the caller gave. @throws MedcloudletError `CONSENT_UNKNOWN` */
export function fetchConsent(call: Call, consentId: string): Promise<UnverifiedConsent> {
  return call(CONSENT, { method: "GET", path: `/consents/${encodeURIComponent(consentId)}` });
}

/** All consents that the caller gave. */
export async function fetchConsents(call: Call): Promise<UnverifiedConsent[]> {
  const all = [];
  for await (const { consents } of pages((after) =>
    call(CONSENTS, { method: "GET", path: `/consents?after=${after}` }),
  )) {
    all.push(...consents);
  }
  return all;
}

/** The caller's devices and their revocations. */
export function fetchDevices(call: Call): Promise<{ devices: string[]; revocations: string[] }> {
  return call(DEVICES, { method: "GET", path: "/devices" });
}

/** Consents that lack an epoch's key, page by page. */
export async function* fetchMissing(call: Call, epochId: string): AsyncGenerator<UnverifiedConsent[]> {
  for await (const { missing } of pages((after) =>
    call(MISSING, { method: "GET", path: `/epochs/${epochId}/missing-keys?after=${after}` }),
  )) {
    yield missing;
  }
}

/** The wrapped keys of a consent in force and their epochs. @throws MedcloudletError `CONSENT_MISSING` */
export async function fetchKeys(
  call: Call,
  consentId: string,
): Promise<Pick<UnverifiedGrant, "wrappedKeys" | "epochs">> {
  const wrappedKeys: string[] = [];
  const epochs: string[] = [];
  for await (const { keys } of pages((after) =>
    call(KEYS, { method: "GET", path: `/consents/${consentId}/keys?after=${after}` }),
  )) {
    wrappedKeys.push(...keys.map(({ wrappedKey }) => wrappedKey));
    epochs.push(...keys.map(({ epoch }) => epoch));
  }
  return { wrappedKeys, epochs };
}

/**
 * One consent given to the caller, as it stands now, with the owner's devices and without keys: keys taken have an
 * entry in the owner's log. One request, for the list is in the order of ids and begins behind the one it is given.
 * @returns null where the consent is not in force
 */
export async function fetchGrant(
  call: Call,
  consentId: string,
): Promise<Omit<UnverifiedGrant, "wrappedKeys" | "epochs"> | null> {
  const before = BigInt(`0x${consentId}`) - 1n;
  const after = before < 0n ? "" : before.toString(16).padStart(consentId.length, "0");
  const { grants } = await call(GRANTS, { method: "GET", path: `/grants?after=${after}` });
  return grants.find((grant) => grant.consentId === consentId) ?? null;
}

/** All that is shared with the caller now, with the keys. A consent that ends meanwhile is left out. */
export async function fetchGrants(call: Call): Promise<UnverifiedGrant[]> {
  const all: UnverifiedGrant[] = [];
  for await (const { grants } of pages((after) =>
    call(GRANTS, { method: "GET", path: `/grants?after=${after}` }),
  )) {
    for (let i = 0; i < grants.length; i += GRANTS_AT_ONCE) {
      const withKeys = await Promise.all(
        grants
          .slice(i, i + GRANTS_AT_ONCE)
          .map(async ({ consentId, ...grant }): Promise<UnverifiedGrant[]> => {
            try {
              return [{ ...grant, ...(await fetchKeys(call, consentId)) }];
            } catch (error) {
              if (isMedcloudletError(error, "CONSENT_MISSING")) {
                return [];
              }
              throw error;
            }
          }),
      );
      all.push(...withKeys.flat());
    }
  }
  return all;
}
