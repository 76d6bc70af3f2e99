import { z } from "zod";
import { fromBase64Url } from "../base/index.ts";
import type { Accounts, ProofVerifier, Routes, TicketIssuer } from "../identity/index.ts";
import { idSchema, keyThumbprint, signingKeySchema } from "../sealing/index.ts";
import type { Consents } from "./consents.ts";
import type { Emergencies } from "./emergencies.ts";
import type { Epochs } from "./epochs.ts";
import type { OpenAccounts } from "./open-accounts.ts";
import { consentMissing, createStreamAccess, requireAccountKey } from "./stream-access.ts";

const WRITE_NOTE = z.strictObject({ streamId: idSchema, holder: signingKeySchema });

/** The ticket to leave a note beside a patient's medical stream, under `/v1` of the KDC. */
export function addNoteTicketRoute(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly proofs: ProofVerifier;
    readonly issuer: TicketIssuer;
    readonly epochs: Epochs;
    readonly consents: Consents;
    readonly emergencies: Emergencies;
    readonly open: OpenAccounts;
    readonly publicUrl: () => string;
  },
): void {
  const access = createStreamAccess(rooms);
  const { issuer, epochs, open } = rooms;

  // Bound to a key made for this ticket alone, as tickets to read are: the cloud learns that somebody who may leaves a
  // note, and not who. The newest epoch goes along, for an older one would be open to somebody whose consent has ended.
  routes.session({
    method: "post",
    path: "/tickets/note",
    action: "ticket.note",
    body: WRITE_NOTE,
    async relation({ account, body: { streamId }, concerning }) {
      const { relation, stream } = await access.relationTo(account, streamId);
      if (stream !== null) {
        concerning({ owner: stream.owner, object: streamId, details: { region: stream.region } });
      }
      return stream?.region === "medical" ? relation : "other";
    },
    // An unknown stream and a stream without consent look alike, so that ids cannot be probed.
    refusal: consentMissing,
    async handle({ account, request, response, body: { streamId, holder } }) {
      await requireAccountKey(rooms, account, request);
      await open.begin(account, response);
      // Asked again, now that a revocation waits for this answer.
      const { relation, stream } = await access.relationTo(account, streamId);
      if (stream === null || (relation !== "own" && relation !== "granted")) {
        throw consentMissing();
      }
      const { owner, region } = stream;
      const until = relation === "own" ? undefined : await access.allowedUntil(account, stream);
      if (until === null) {
        throw consentMissing();
      }
      const { statement: epoch } = await epochs.current(owner, region);
      const cnf = { jkt: await keyThumbprint(fromBase64Url(holder)) };
      const issued = await issuer.issue({ scope: "note", stream: streamId, region, cnf }, until);
      return { status: 201, json: { ...issued, epoch } };
    },
  });
}
