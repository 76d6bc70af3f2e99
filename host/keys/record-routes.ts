import { z } from "zod";
import { fromBase64Url, MedcloudletError } from "../base/index.ts";
import {
  type Accounts,
  type ProofVerifier,
  presentAccount,
  type Routes,
  type TicketIssuer,
} from "../identity/index.ts";
import { idSchema, keyThumbprint, signingKeySchema } from "../sealing/index.ts";
import type { Consents } from "./consents.ts";
import type { Emergencies } from "./emergencies.ts";
import type { Epochs } from "./epochs.ts";
import type { OpenAccounts } from "./open-accounts.ts";
import type { RecordParts } from "./record-parts.ts";
import { consentMissing, createStreamAccess, ownersAlone, requireAccountKey } from "./stream-access.ts";

const STATEMENT = z.strictObject({ statement: z.string().max(16_384) });
const STREAM = z.strictObject({ streamId: idSchema });
const WRITE = z.strictObject({ streamId: idSchema, holder: signingKeySchema });

/** What owners sign about their records, and the tickets to store them, under `/v1` of the KDC. */
export function addRecordPartRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly proofs: ProofVerifier;
    readonly issuer: TicketIssuer;
    readonly epochs: Epochs;
    readonly consents: Consents;
    readonly emergencies: Emergencies;
    readonly recordParts: RecordParts;
    readonly open: OpenAccounts;
    readonly publicUrl: () => string;
  },
): void {
  const access = createStreamAccess(rooms);
  const { accounts, issuer, epochs, recordParts, open } = rooms;

  routes.session({
    method: "post",
    path: "/record-parts",
    action: "record.publish",
    body: STATEMENT,
    async handle({ account, body, concerning }) {
      concerning({ owner: account._id });
      const { signingKey } = await accounts.keysOf(account);
      const { part, status } = await recordParts.publish(account._id, signingKey, body.statement);
      const { region, version } = part;
      concerning({ object: part.streamId, details: { region, version } });
      return { status: status === "published" ? 201 : 200, json: { region, version } };
    },
  });

  routes.session({
    method: "get",
    path: "/record-parts",
    action: "record.list",
    async handle({ account }) {
      const own = await recordParts.newestOf(account._id);
      return { status: 200, json: { recordParts: own.map(({ statement }) => statement) } };
    },
  });

  // To whoever may read the stream, and of this one region alone: a statement of another would tell its stream's id.
  routes.session({
    method: "get",
    path: "/streams/:streamId/record-part",
    action: "record.show",
    params: STREAM,
    async relation({ account, params: { streamId }, concerning }) {
      const { relation, stream } = await access.relationTo(account, streamId);
      if (stream !== null) {
        concerning({ owner: stream.owner, object: streamId });
      }
      return relation;
    },
    // An unknown stream and a stream without consent look alike, so that ids cannot be probed.
    refusal: consentMissing,
    async handle({ params: { streamId } }) {
      const stream = await epochs.stream(streamId);
      const owner = stream === null ? null : await accounts.byId(stream.owner);
      if (stream === null || owner === null) {
        throw consentMissing();
      }
      const newest = await recordParts.newest(stream.owner, stream.region);
      return {
        status: 200,
        json: { owner: presentAccount(owner), statement: newest?.statement ?? null },
      };
    },
  });

  // Bound to a key made for this ticket alone, as tickets to read are: three streams of one patient show three keys.
  routes.session({
    method: "post",
    path: "/tickets/write",
    action: "ticket.write",
    body: WRITE,
    ...ownersAlone(epochs, "writes a stream's record"),
    async handle({ account, request, response, body: { streamId, holder } }) {
      await requireAccountKey(rooms, account, request);
      await open.begin(account, response);
      const stream = await epochs.stream(streamId);
      if (stream === null) {
        throw new MedcloudletError(
          "STREAM_NOT_OWN",
          "The stream is not known here any more: start an epoch of its region.",
          { status: 403 },
        );
      }
      const cnf = { jkt: await keyThumbprint(fromBase64Url(holder)) };
      const grant = { scope: "write" as const, stream: streamId, region: stream.region, cnf };
      return { status: 201, json: await issuer.issue(grant) };
    },
  });
}
