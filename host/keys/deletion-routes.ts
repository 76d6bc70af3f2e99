import { z } from "zod";
import { fromBase64Url, MedcloudletError } from "../base/index.ts";
import {
  type Accounts,
  codeSchema,
  knownPassword,
  type ProofVerifier,
  type Reauthenticate,
  type Routes,
  type TicketIssuer,
} from "../identity/index.ts";
import { idSchema, keyThumbprint, signingKeySchema } from "../sealing/index.ts";
import type { Deletions } from "./deletions.ts";
import type { Epochs } from "./epochs.ts";
import type { OpenAccounts } from "./open-accounts.ts";
import { ownersAlone, requireAccountKey } from "./stream-access.ts";

const AGAIN = { password: knownPassword, code: codeSchema.optional() };
const ANNOUNCE = z.strictObject(AGAIN);
/** Null once the time has come; before that password and handle, once more. */
const BEGIN = z.strictObject({
  confirm: z.strictObject({ ...AGAIN, handle: z.string().max(40) }).nullable(),
});
const FINISH = z.strictObject({ streams: z.array(idSchema).max(16) });
const ERASE = z.strictObject({ streamId: idSchema, holder: signingKeySchema });

/** A patient deletes everything, under `/v1` of the KDC. */
export function addDeletionRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly proofs: ProofVerifier;
    readonly issuer: TicketIssuer;
    readonly epochs: Epochs;
    readonly deletions: Deletions;
    readonly open: OpenAccounts;
    readonly reauthenticate: Reauthenticate;
    readonly publicUrl: () => string;
  },
): void {
  const { issuer, epochs, deletions, open, reauthenticate } = rooms;

  routes.session({
    method: "post",
    path: "/deletion",
    action: "deletion.announce",
    body: ANNOUNCE,
    async handle({ account, body, concerning }) {
      concerning({ owner: account._id });
      await reauthenticate(account, body);
      const { state, dueAt } = await deletions.announce(account);
      return { status: 201, json: { state, dueAt } };
    },
  });

  routes.session({
    method: "get",
    path: "/deletion",
    action: "deletion.show",
    async handle({ account }) {
      const deletion = await deletions.of(account._id);
      return { status: 200, json: { state: deletion?.state ?? "none", dueAt: deletion?.dueAt ?? null } };
    },
  });

  routes.session({
    method: "delete",
    path: "/deletion",
    action: "deletion.withdraw",
    async handle({ account, concerning }) {
      concerning({ owner: account._id });
      await deletions.withdraw(account);
      return { status: 204, empty: true };
    },
  });

  // With the account's own key: neither a stolen session nor a guessed password deletes anything.
  routes.session({
    method: "post",
    path: "/deletion/begin",
    action: "deletion.begin",
    body: BEGIN,
    async handle({ account, request, body: { confirm }, concerning }) {
      concerning({ owner: account._id, details: { confirmed: String(confirm !== null) } });
      await requireAccountKey(rooms, account, request);
      if (confirm !== null) {
        if (confirm.handle !== account.handle) {
          throw new MedcloudletError(
            "DELETION_UNCONFIRMED",
            "The handle is not yours: write it out to confirm that everything shall be deleted.",
            { status: 409 },
          );
        }
        await reauthenticate(account, confirm);
      }
      const { state, dueAt } = await deletions.begin(account, confirm !== null);
      return { status: 200, json: { state, dueAt } };
    },
  });

  routes.session({
    method: "post",
    path: "/tickets/erase",
    action: "ticket.erase",
    body: ERASE,
    ...ownersAlone(epochs, "deletes a stream"),
    async handle({ account, request, response, body: { streamId, holder } }) {
      await requireAccountKey(rooms, account, request);
      await deletions.requireBegun(account._id);
      await open.begin(account, response);
      const cnf = { jkt: await keyThumbprint(fromBase64Url(holder)) };
      return { status: 201, json: await issuer.issue({ scope: "erase", stream: streamId, cnf }) };
    },
  });

  routes.session({
    method: "post",
    path: "/deletion/finish",
    action: "deletion.finish",
    body: FINISH,
    async handle({ account, request, body: { streams }, concerning }) {
      concerning({ owner: account._id });
      await requireAccountKey(rooms, account, request);
      await deletions.finish(account, streams);
      return { status: 200, json: { state: "done" } };
    },
  });
}
