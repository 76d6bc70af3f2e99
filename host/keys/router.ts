import { z } from "zod";
import { fromBase64Url, MedcloudletError } from "../base/index.ts";
import {
  type Accounts,
  type Devices,
  deviceKey,
  type ProofVerifier,
  type Routes,
  staffScope,
  type TicketIssuer,
} from "../identity/index.ts";
import { type Consent, idSchema, keyThumbprint, signingKeySchema } from "../sealing/index.ts";
import { addConsentRoutes } from "./consent-routes.ts";
import { addConsentUseRoute } from "./consent-use-route.ts";
import type { Consents } from "./consents.ts";
import type { Emergencies } from "./emergencies.ts";
import type { Epochs } from "./epochs.ts";
import type { OpenAccounts } from "./open-accounts.ts";
import type { Releases } from "./releases.ts";
import { consentMissing, createStreamAccess, requireAccountKey } from "./stream-access.ts";

const statementSchema = z.string().max(16_384);
const STATEMENT = z.strictObject({ statement: statementSchema });
const READ = z.strictObject({ streamId: idSchema, holder: signingKeySchema });
const UPLOAD = z.strictObject({ deviceId: idSchema });
const STAFF_TICKET = z.strictObject({ holder: signingKeySchema });
const FORWARD = z.strictObject({ cloudletId: idSchema });

const cloudletUnknown = () =>
  new MedcloudletError("CLOUDLET_UNKNOWN", "No cloudlet with this id and key is registered here.", {
    status: 403,
  });

/** Epochs, consents, what was granted to a reader, and all kinds of tickets, under `/v1` of the KDC. */
export function addKeysRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly devices: Devices;
    readonly proofs: ProofVerifier;
    readonly issuer: TicketIssuer;
    readonly epochs: Epochs;
    readonly consents: Consents;
    readonly emergencies: Emergencies;
    readonly releases: Releases;
    readonly open: OpenAccounts;
    readonly publicUrl: () => string;
    /** Hears of each consent once it stands. */
    readonly onGiven: (consent: Consent) => Promise<void>;
  },
): void {
  const access = createStreamAccess(rooms);
  const { accounts, devices, issuer, epochs, consents, releases, open, onGiven } = rooms;
  addConsentRoutes(routes, { accounts, devices, epochs, consents, releases, open, onGiven });
  addConsentUseRoute(routes, { consents, open });

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

  // The ticket is bound to a key that the reader made for it alone: by its holder the cloud could else tell which
  // streams one person reads, and so which belong together. That the request is the reader's own, the account's key proves.
  routes.session({
    method: "post",
    path: "/tickets/read",
    action: "ticket.read",
    body: READ,
    async relation({ account, body: { streamId }, concerning }) {
      const { relation, stream } = await access.relationTo(account, streamId);
      if (stream !== null) {
        concerning({ owner: stream.owner, object: streamId, details: { region: stream.region } });
      }
      return relation;
    },
    // An unknown stream and a stream without consent look alike, so that ids cannot be probed.
    refusal: consentMissing,
    async handle({ account, request, response, body: { streamId, holder } }) {
      await requireAccountKey(rooms, account, request);
      // What the first look found is asked again, now that a revocation or a closing waits for this answer.
      await open.begin(account, response);
      const stream = await epochs.stream(streamId);
      let until: number | undefined;
      if (stream?.owner !== account._id) {
        const allowed = stream === null ? null : await access.allowedUntil(account, stream);
        if (allowed === null) {
          throw consentMissing();
        }
        until = allowed;
      }
      const cnf = { jkt: await keyThumbprint(fromBase64Url(holder)) };
      return { status: 201, json: await issuer.issue({ scope: "read", stream: streamId, cnf }, until) };
    },
  });

  // For the services that know no accounts: which role it was is in the scope, whose in the ticket.
  routes.session({
    method: "post",
    path: "/tickets/staff",
    action: "ticket.staff",
    body: STAFF_TICKET,
    async handle({ account, request, response, body: { holder } }) {
      await requireAccountKey(rooms, account, request);
      await open.begin(account, response);
      const cnf = { jkt: await keyThumbprint(fromBase64Url(holder)) };
      const issued = await issuer.issue({ scope: staffScope(account.role), staff: account._id, cnf });
      return { status: 201, json: issued };
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
      new MedcloudletError(
        "DEVICE_KEY_MISMATCH",
        "This is not the key the device was enrolled with: pair the device again.",
        { status: 403 },
      ),
    async handle({ body: { deviceId }, key, response }) {
      releases.begin(deviceId, response);
      const { enrolment, owner } = await devices.active(deviceId);
      if (!(await open.isOpen(owner))) {
        throw new MedcloudletError(
          "DEVICE_OWNER_CLOSED",
          "The account of the device's owner is closed: keep what was measured until it is open again.",
          { status: 403 },
        );
      }
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
      if (account === null || account.role !== "cloudlet" || account.suspendedAt !== null) {
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
    refusal: cloudletUnknown,
    async handle({ body: { cloudletId }, key, response }) {
      releases.begin(cloudletId, response);
      if (!(await open.isOpen(cloudletId))) {
        throw cloudletUnknown();
      }
      const cnf = { jkt: key.thumbprint };
      return { status: 201, json: await issuer.issue({ scope: "forward", cloudlet: cloudletId, cnf }) };
    },
  });
}
