import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { type Accounts, type Devices, presentAccount, type Routes } from "../identity/index.ts";
import { type Consent, idSchema, REVOCATION, verifyStatement } from "../sealing/index.ts";
import { type ConsentRecord, type Consents, verifyConsent } from "./consents.ts";
import type { Epochs } from "./epochs.ts";
import type { OpenAccounts } from "./open-accounts.ts";
import type { Releases } from "./releases.ts";

const statementSchema = z.string().max(16_384);
const STATEMENT = z.strictObject({ statement: statementSchema });
/** Fifty wrapped keys of 2.3 KB stay well below the limit of a JSON body. */
const KEYS = z.strictObject({ wrappedKeys: z.array(statementSchema).min(1).max(50) });
/** Pages go on behind an id; the first one begins behind none. */
const AFTER = z.strictObject({ after: z.union([z.literal(""), idSchema]).default("") });
const CONSENT_ID = z.strictObject({ consentId: idSchema });
const EPOCH_ID = z.strictObject({ epochId: idSchema });

/** Page lengths. Consents travel with an identity each (1.6 KB), keys with an epoch (1.5 KB), grants with devices. */
const CONSENTS_A_PAGE = 100;
const KEYS_A_PAGE = 50;
const GRANTS_A_PAGE = 20;

const consentUnknown = () =>
  new MedcloudletError(
    "CONSENT_UNKNOWN",
    "You gave no consent with this id: look it up in the list of your consents.",
    { status: 404 },
  );

/** Consents, their wrapped keys and their end; what was granted to a reader; the end of devices. */
export function addConsentRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly devices: Devices;
    readonly epochs: Epochs;
    readonly consents: Consents;
    readonly releases: Releases;
    readonly open: OpenAccounts;
    /** Hears of each consent once it stands. */
    readonly onGiven: (consent: Consent) => Promise<void>;
  },
): void {
  const { accounts, devices, epochs, consents, releases, open, onGiven } = rooms;

  /** A consent as its owner sees it. The reader's identity goes along, to check and to wrap to. */
  const present = async ({ statement, revocation, reader }: ConsentRecord) => {
    const account = await accounts.byId(reader);
    return { statement, revocation, reader: account === null ? null : presentAccount(account) };
  };
  const nextOf = (page: readonly { readonly _id: string }[], limit: number): string | null =>
    page.length < limit ? null : (page.at(-1)?._id ?? null);

  routes.session({
    method: "post",
    path: "/wrapped-keys",
    action: "key.store",
    body: KEYS,
    async handle({ account, body: { wrappedKeys }, concerning }) {
      concerning({ owner: account._id, details: { keys: wrappedKeys.length } });
      const { signingKey: ownerKey } = await accounts.keysOf(account);
      const stored = await consents.storeKeys({ owner: account._id, ownerKey, statements: wrappedKeys });
      return { status: 201, json: { stored } };
    },
  });

  routes.session({
    method: "post",
    path: "/consents",
    action: "consent.give",
    body: STATEMENT,
    async handle({ account, body: { statement }, concerning }) {
      concerning({ owner: account._id });
      const { signingKey } = await accounts.keysOf(account);
      const consent = await verifyConsent(statement, signingKey);
      const { consentId, reader, regions, until, purpose } = consent;
      concerning({ object: consentId, details: { reader, regions: regions.join(" "), until, purpose } });
      await consents.grant({
        owner: account._id,
        reader: await accounts.byId(reader),
        consent,
        statement,
      });
      await onGiven(consent);
      return { status: 201, json: { consentId } };
    },
  });

  routes.session({
    method: "get",
    path: "/consents",
    action: "consent.list",
    query: AFTER,
    async handle({ account, query: { after } }) {
      const given = await consents.ofOwner(account._id, { after, limit: CONSENTS_A_PAGE });
      return {
        status: 200,
        json: { consents: await Promise.all(given.map(present)), next: nextOf(given, CONSENTS_A_PAGE) },
      };
    },
  });

  routes.session({
    method: "get",
    path: "/consents/:consentId",
    action: "consent.show",
    params: CONSENT_ID,
    relation: async ({ account, params: { consentId } }) =>
      (await consents.given(consentId, account._id)) === null ? "other" : "own",
    refusal: consentUnknown,
    async handle({ account, params: { consentId } }) {
      const record = await consents.given(consentId, account._id);
      if (record === null) {
        throw consentUnknown();
      }
      return { status: 200, json: await present(record) };
    },
  });

  routes.session({
    method: "post",
    path: "/revocations",
    action: "consent.revoke",
    body: STATEMENT,
    async handle({ account, body: { statement }, concerning }) {
      concerning({ owner: account._id });
      const { signingKey } = await accounts.keysOf(account);
      const revocation = await verifyStatement(REVOCATION, statement, signingKey);
      concerning({ object: revocation.consentId });
      if (revocation.owner !== account._id) {
        throw new MedcloudletError(
          "CONSENT_OWNER_MISMATCH",
          "A consent is revoked by the owner of the data alone.",
          { status: 403 },
        );
      }
      const { consentId } = revocation;
      const { reader, revokedAt } = await consents.revoke(account._id, revocation, statement);
      concerning({ details: { reader } });
      await releases.settled(reader);
      return { status: 201, json: { consentId, revokedAt } };
    },
  });

  routes.session({
    method: "get",
    path: "/epochs/:epochId/missing-keys",
    action: "key.plan",
    params: EPOCH_ID,
    query: AFTER,
    async relation({ account, params: { epochId } }) {
      const epoch = (await epochs.withIds([epochId])).get(epochId);
      return epoch?.owner === account._id ? "own" : "other";
    },
    refusal: () => new MedcloudletError("EPOCH_UNKNOWN", "You have no epoch with this id.", { status: 404 }),
    async handle({ params: { epochId }, query: { after } }) {
      const epoch = (await epochs.withIds([epochId])).get(epochId);
      const { records, next } =
        epoch === undefined
          ? { records: [], next: null }
          : await consents.lacking(epoch, { after, limit: CONSENTS_A_PAGE });
      // Nothing is wrapped for a reader whose account is closed; where it opens again, the next catching up does it.
      const readers = await Promise.all(records.map(({ reader }) => open.isOpen(reader)));
      const missing = records.filter((_, i) => readers[i]);
      return { status: 200, json: { missing: await Promise.all(missing.map(present)), next } };
    },
  });

  // What is shared with the caller now. The keys are fetched for each consent, so that each patient's audit says who
  // took them; everything in it is signed by the patient.
  routes.session({
    method: "get",
    path: "/grants",
    action: "grant.list",
    query: AFTER,
    async handle({ account, query: { after }, response }) {
      await open.begin(account, response);
      const live = await consents.liveOfReader(account._id, { after, limit: GRANTS_A_PAGE });
      const grants = await Promise.all(
        live.map(async ({ _id: consentId, owner: ownerId, statement, consent }) => {
          const owner = await accounts.byId(ownerId);
          const shared = (await devices.ofOwner(ownerId)).filter(({ enrolment }) =>
            consent.regions.includes(enrolment.region),
          );
          return owner === null || owner.suspendedAt !== null
            ? []
            : {
                consentId,
                owner: presentAccount(owner),
                consent: statement,
                devices: shared.map((device) => device.statement),
                deviceRevocations: shared.flatMap(({ revocation }) => revocation ?? []),
              };
        }),
      );
      return { status: 200, json: { grants: grants.flat(), next: nextOf(live, GRANTS_A_PAGE) } };
    },
  });

  const notGranted = () =>
    new MedcloudletError(
      "CONSENT_MISSING",
      "There is no consent with this id that lets you read now: ask the patient to share with you.",
      { status: 403 },
    );

  routes.session({
    method: "get",
    path: "/consents/:consentId/keys",
    action: "key.release",
    params: CONSENT_ID,
    query: AFTER,
    relation: async ({ account, params: { consentId } }) =>
      (await consents.live(consentId, account._id)) === null ? "other" : "granted",
    // An unknown consent and somebody else's look alike, so that ids cannot be probed.
    refusal: notGranted,
    async handle({ account, params: { consentId }, query: { after }, response, concerning }) {
      await open.begin(account, response);
      const record = await consents.live(consentId, account._id);
      if (record === null || !(await open.isOpen(record.owner))) {
        throw notGranted();
      }
      concerning({ owner: record.owner, object: consentId });
      const { keys, next } = await consents.keysOf(record, { after, limit: KEYS_A_PAGE });
      const known = await epochs.withIds(keys.map(({ epochId }) => epochId));
      concerning({ details: { keys: keys.length } });
      return {
        status: 200,
        json: {
          keys: keys.map(({ epochId, statement }) => ({
            wrappedKey: statement,
            epoch: known.get(epochId)?.statement,
          })),
          next,
        },
      };
    },
  });

  routes.session({
    method: "post",
    path: "/device-revocations",
    action: "device.revoke",
    body: STATEMENT,
    async handle({ account, body: { statement }, concerning }) {
      concerning({ owner: account._id });
      const { signingKey } = await accounts.keysOf(account);
      const { deviceId } = await devices.revoke(account._id, signingKey, statement);
      concerning({ object: deviceId });
      await releases.settled(deviceId);
      return { status: 201, json: { deviceId } };
    },
  });
}
