import { Router } from "express";
import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { jsonBody, parseInput } from "../http/index.ts";
import {
  type Accounts,
  accountOf,
  type Devices,
  deviceKey,
  type Login,
  type ProofVerifier,
  presentAccount,
  proveKey,
  type TicketIssuer,
} from "../identity/index.ts";
import { idSchema, keyThumbprint } from "../sealing/index.ts";
import { type Consents, verifyConsent } from "./consents.ts";
import type { Epochs } from "./epochs.ts";

const statementSchema = z.string().max(16_384);
const STATEMENT = z.strictObject({ statement: statementSchema });
const GRANT = z.strictObject({ consent: statementSchema, wrappedKeys: z.array(statementSchema).max(100) });
const READ = z.strictObject({ streamId: idSchema });
const UPLOAD = z.strictObject({ deviceId: idSchema });
const FORWARD = z.strictObject({ cloudletId: idSchema });

/** Epochs, consents, what was granted to a reader, and all three kinds of tickets, under `/v1` of the KDC. */
export function createKeysRouter(rooms: {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly login: Login;
  readonly proofs: ProofVerifier;
  readonly issuer: TicketIssuer;
  readonly epochs: Epochs;
  readonly consents: Consents;
  readonly publicUrl: () => string;
}): Router {
  const { accounts, devices, login, proofs, issuer, epochs, consents, publicUrl } = rooms;
  const router = Router();

  router.post("/epochs", login.withSession("patient"), jsonBody, async (request, response) => {
    const owner = accountOf(request);
    const { statement } = parseInput(STATEMENT, request.body);
    const { signingKey } = await accounts.keysOf(owner);
    const { epochId, number } = await epochs.publish(owner._id, signingKey, statement);
    response.status(201).json({ epochId, number });
  });

  router.get("/epochs", login.withSession("patient"), async (request, response) => {
    const own = await epochs.ofOwner(accountOf(request)._id);
    response.json({ epochs: own.map(({ statement }) => statement) });
  });

  router.post("/consents", login.withSession("patient"), jsonBody, async (request, response) => {
    const owner = accountOf(request);
    const input = parseInput(GRANT, request.body);
    const { signingKey } = await accounts.keysOf(owner);
    const consent = await verifyConsent(input.consent, signingKey);
    await consents.grant({
      owner: owner._id,
      ownerKey: signingKey,
      reader: await accounts.byId(consent.reader),
      consent,
      statement: input.consent,
      wrappedKeys: input.wrappedKeys,
    });
    response.status(201).json({ consentId: consent.consentId });
  });

  router.get("/consents", login.withSession("patient"), async (request, response) => {
    const given = await consents.ofOwner(accountOf(request)._id);
    response.json({ consents: given.map(({ statement }) => statement) });
  });

  // Everything a reader needs to open and check what was shared with them, all of it signed by the owner.
  router.get("/grants", login.withSession("doctor"), async (request, response) => {
    const grants = [];
    for (const record of await consents.liveOfReader(accountOf(request)._id)) {
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
    response.json({ grants });
  });

  /** Until when somebody may read a stream: their own for ever, another's while consent lasts, else null. */
  const readableUntil = async (reader: string, streamId: string): Promise<number | null> => {
    const stream = await epochs.stream(streamId);
    if (stream === null) {
      return null;
    }
    return stream.owner === reader
      ? Number.POSITIVE_INFINITY
      : consents.allowedUntil(stream.owner, reader, stream.region);
  };

  router.post(
    "/tickets/read",
    login.withSession("patient", "doctor"),
    jsonBody,
    async (request, response) => {
      const reader = accountOf(request);
      const { streamId } = parseInput(READ, request.body);
      const until = await readableUntil(reader._id, streamId);
      // An unknown stream and a stream without consent look alike, so that ids cannot be probed.
      if (until === null) {
        throw new MedcloudletError(
          "CONSENT_MISSING",
          "There is no consent of the patient for this: ask the patient to share this region with you.",
          { status: 403 },
        );
      }
      const { signingKey } = await accounts.keysOf(reader);
      const cnf = { jkt: await keyThumbprint(signingKey) };
      response.status(201).json(await issuer.issue({ scope: "read", stream: streamId, cnf }, until));
    },
  );

  router.post("/tickets/upload", jsonBody, async (request, response) => {
    const { deviceId } = parseInput(UPLOAD, request.body);
    const proven = await proveKey(proofs, publicUrl, request);
    const { enrolment, owner } = await devices.active(deviceId);
    const stream = await epochs.stream(enrolment.streamId);
    if (proven.thumbprint !== (await keyThumbprint(deviceKey(enrolment)))) {
      throw new MedcloudletError("DEVICE_KEY_MISMATCH", "This is not the key the device was enrolled with.", {
        status: 403,
      });
    }
    if (stream === null || stream.owner !== owner || stream.region !== enrolment.region) {
      throw new MedcloudletError(
        "DEVICE_STREAM_MISMATCH",
        "The device is enrolled for a stream that is not its owner's.",
        {
          status: 403,
        },
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
        cnf: { jkt: proven.thumbprint },
      },
      enrolment.until,
    );
    response.status(201).json({ ...issued, epoch });
  });

  router.post("/tickets/forward", jsonBody, async (request, response) => {
    const { cloudletId } = parseInput(FORWARD, request.body);
    const proven = await proveKey(proofs, publicUrl, request);
    const account = await accounts.byId(cloudletId);
    const known = account?.role === "cloudlet" ? await accounts.keysOf(account) : null;
    if (known === null || (await keyThumbprint(known.signingKey)) !== proven.thumbprint) {
      throw new MedcloudletError("CLOUDLET_UNKNOWN", "No cloudlet with this id and key is registered here.", {
        status: 403,
      });
    }
    const cnf = { jkt: proven.thumbprint };
    response.status(201).json(await issuer.issue({ scope: "forward", cloudlet: cloudletId, cnf }));
  });

  return router;
}
