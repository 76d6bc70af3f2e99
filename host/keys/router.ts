import { z } from "zod";
import { fromBase64Url, MedcloudletError } from "../base/index.ts";
import {
  type Accounts,
  type Devices,
  deviceKey,
  type ProofVerifier,
  presentAccount,
  proveKey,
  type Routes,
  type TicketIssuer,
} from "../identity/index.ts";
import { idSchema, keyThumbprint, signingKeySchema } from "../sealing/index.ts";
import { type Consents, verifyConsent } from "./consents.ts";
import type { Epochs } from "./epochs.ts";

const statementSchema = z.string().max(16_384);
const STATEMENT = z.strictObject({ statement: statementSchema });
const GRANT = z.strictObject({ consent: statementSchema, wrappedKeys: z.array(statementSchema).max(100) });
const READ = z.strictObject({ streamId: idSchema, holder: signingKeySchema });
const UPLOAD = z.strictObject({ deviceId: idSchema });
const FORWARD = z.strictObject({ cloudletId: idSchema });

/** Epochs, consents, what was granted to a reader, and all three kinds of tickets, under `/v1` of the KDC. */
export function addKeysRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly devices: Devices;
    readonly proofs: ProofVerifier;
    readonly issuer: TicketIssuer;
    readonly epochs: Epochs;
    readonly consents: Consents;
    readonly publicUrl: () => string;
  },
): void {
  const { accounts, devices, proofs, issuer, epochs, consents, publicUrl } = rooms;

  routes.session({
    method: "post",
    path: "/epochs",
    action: "epoch.publish",
    body: STATEMENT,
    async handle({ account, body, concerning }) {
      concerning({ owner: account._id });
      const { signingKey } = await accounts.keysOf(account);
      const { epochId, number, region } = await epochs.publish(account._id, signingKey, body.statement);
      concerning({ object: epochId, details: { region, number } });
      return { status: 201, json: { epochId, number } };
    },
  });

  routes.session({
    method: "get",
    path: "/epochs",
    action: "epoch.list",
    async handle({ account }) {
      const own = await epochs.ofOwner(account._id);
      return { status: 200, json: { epochs: own.map(({ statement }) => statement) } };
    },
  });

  routes.session({
    method: "post",
    path: "/consents",
    action: "consent.give",
    body: GRANT,
    async handle({ account, body, concerning }) {
      concerning({ owner: account._id });
      const { signingKey } = await accounts.keysOf(account);
      const consent = await verifyConsent(body.consent, signingKey);
      const { consentId, reader, regions, until } = consent;
      concerning({ object: consentId, details: { reader, regions: regions.join(" "), until } });
      await consents.grant({
        owner: account._id,
        ownerKey: signingKey,
        reader: await accounts.byId(reader),
        consent,
        statement: body.consent,
        wrappedKeys: body.wrappedKeys,
      });
      return { status: 201, json: { consentId } };
    },
  });

  routes.session({
    method: "get",
    path: "/consents",
    action: "consent.list",
    async handle({ account }) {
      const given = await consents.ofOwner(account._id);
      return { status: 200, json: { consents: given.map(({ statement }) => statement) } };
    },
  });

  // Everything a reader needs to open and check what was shared with them, all of it signed by the owner.
  routes.session({
    method: "get",
    path: "/grants",
    action: "key.release",
    async handle({ account, concerning }) {
      const grants = [];
      for (const record of await consents.liveOfReader(account._id)) {
        const owner = await accounts.byId(record.owner);
        if (owner === null) {
          continue;
        }
        const shared = (region: string) => (record.consent.regions as readonly string[]).includes(region);
        const ownerEpochs = await epochs.ofOwner(record.owner);
        const ownerDevices = await devices.ofOwner(record.owner);
        grants.push({
          owner: presentAccount(owner),
          consent: record.statement,
          wrappedKeys: record.wrappedKeys.map(({ statement }) => statement),
          epochs: ownerEpochs.filter(({ region }) => shared(region)).map(({ statement }) => statement),
          devices: ownerDevices
            .filter(({ enrolment }) => shared(enrolment.region))
            .map(({ statement }) => statement),
        });
      }
      concerning({ details: { consents: grants.length } });
      return { status: 200, json: { grants } };
    },
  });

  // The ticket is bound to a key that the reader made for it alone: by its holder the cloud could else tell which
  // streams one person reads, and so which belong together. That the request is the reader's own, the account's key proves.
  routes.session({
    method: "post",
    path: "/tickets/read",
    action: "ticket.read",
    body: READ,
    async relation({ account, body: { streamId }, concerning }) {
      const stream = await epochs.stream(streamId);
      if (stream === null) {
        return "other";
      }
      concerning({ owner: stream.owner, object: streamId, details: { region: stream.region } });
      if (stream.owner === account._id) {
        return "own";
      }
      const until = await consents.allowedUntil(stream.owner, account._id, stream.region);
      return until === null ? "other" : "granted";
    },
    // An unknown stream and a stream without consent look alike, so that ids cannot be probed.
    refusal: () =>
      new MedcloudletError(
        "CONSENT_MISSING",
        "There is no consent of the patient for this: ask the patient to share this region with you.",
        { status: 403 },
      ),
    async handle({ account, request, body: { streamId, holder } }) {
      const proven = await proveKey(proofs, publicUrl, request);
      const { signingKey } = await accounts.keysOf(account);
      if (proven.thumbprint !== (await keyThumbprint(signingKey))) {
        throw new MedcloudletError(
          "PROOF_KEY_MISMATCH",
          "The request is signed with another key than the account's.",
          {
            status: 403,
          },
        );
      }
      const stream = await epochs.stream(streamId);
      const until =
        stream === null || stream.owner === account._id
          ? undefined
          : ((await consents.allowedUntil(stream.owner, account._id, stream.region)) ?? 0);
      const cnf = { jkt: await keyThumbprint(fromBase64Url(holder)) };
      return { status: 201, json: await issuer.issue({ scope: "read", stream: streamId, cnf }, until) };
    },
  });

  routes.proof({
    method: "post",
    path: "/tickets/upload",
    action: "ticket.upload",
    body: UPLOAD,
    async relation({ body: { deviceId }, key, actingAs, concerning }) {
      const { enrolment, owner } = await devices.active(deviceId);
      concerning({ owner, object: deviceId });
      if (key.thumbprint !== (await keyThumbprint(deviceKey(enrolment)))) {
        return "other";
      }
      actingAs({ id: deviceId, role: "device" });
      return "own";
    },
    refusal: () =>
      new MedcloudletError("DEVICE_KEY_MISMATCH", "This is not the key the device was enrolled with.", {
        status: 403,
      }),
    async handle({ body: { deviceId }, key }) {
      const { enrolment, owner } = await devices.active(deviceId);
      const stream = await epochs.stream(enrolment.streamId);
      if (stream === null || stream.owner !== owner || stream.region !== enrolment.region) {
        throw new MedcloudletError(
          "DEVICE_STREAM_MISMATCH",
          "The device is enrolled for a stream that is not its owner's.",
          { status: 403 },
        );
      }
      const { statement: epoch } = await epochs.current(owner, enrolment.region);
      const issued = await issuer.issue(
        {
          scope: "upload",
          device: deviceId,
          stream: enrolment.streamId,
          region: enrolment.region,
          deviceKey: enrolment.signingKey,
          cnf: { jkt: key.thumbprint },
        },
        enrolment.until,
      );
      return { status: 201, json: { ...issued, epoch } };
    },
  });

  routes.proof({
    method: "post",
    path: "/tickets/forward",
    action: "ticket.forward",
    body: FORWARD,
    async relation({ body: { cloudletId }, key, actingAs, concerning }) {
      const account = await accounts.byId(cloudletId);
      if (account === null || account.role !== "cloudlet") {
        return "other";
      }
      concerning({ object: cloudletId });
      const { signingKey } = await accounts.keysOf(account);
      if ((await keyThumbprint(signingKey)) !== key.thumbprint) {
        return "other";
      }
      actingAs({ id: cloudletId, role: "cloudlet" });
      return "own";
    },
    refusal: () =>
      new MedcloudletError("CLOUDLET_UNKNOWN", "No cloudlet with this id and key is registered here.", {
        status: 403,
      }),
    async handle({ body: { cloudletId }, key }) {
      const cnf = { jkt: key.thumbprint };
      return { status: 201, json: await issuer.issue({ scope: "forward", cloudlet: cloudletId, cnf }) };
    },
  });
}
