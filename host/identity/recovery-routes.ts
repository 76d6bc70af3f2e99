import type { Request } from "express";
import { z } from "zod";
import { bytesSchema } from "../sealing/index.ts";
import type { AccountEvents } from "./account-events.ts";
import { type Account, type Accounts, NOBODY, passwordSchema, presentAccount } from "./accounts.ts";
import type { Backups } from "./backups.ts";
import type { Recoveries } from "./recoveries.ts";
import type { Routes } from "./routes.ts";
import { codeSchema, type Reauthenticate } from "./session-routes.ts";
import { createThrottle } from "./throttle.ts";

const ENC_BYTES = 962;
/** What a JSON body has room for beside its other fields. */
const MOST_KEYSTORE_CHARACTERS = 192 * 1024;

const BACKUP = z.strictObject({
  version: z.number().int().positive(),
  keystore: z.string().min(1).max(MOST_KEYSTORE_CHARACTERS),
  escrow: z.strictObject({ enc: bytesSchema(ENC_BYTES), ciphertext: bytesSchema(48) }),
});
/** What a recovery code is checked with and opens; of guardians' codes too. */
export const ARMED = {
  verifier: bytesSchema(32),
  locked: z.string().min(1).max(MOST_KEYSTORE_CHARACTERS),
};
const ARMING = z.strictObject({
  password: z.string().min(1).max(256),
  code: codeSchema.optional(),
  ...ARMED,
});
const RECOVERY = z.strictObject({
  handle: z.string().min(1).max(40),
  proof: bytesSchema(32),
  newPassword: passwordSchema,
});

/** Wants a proof of the account's own key beside the session. @throws MedcloudletError `PROOF_*` */
export type ProveAccount = (account: Account, request: Request) => Promise<void>;

/** Backups of the keystore, and the way back in with a recovery code. */
export function addRecoveryRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly backups: Backups;
    readonly recoveries: Recoveries;
    readonly events: AccountEvents;
    readonly reauthenticate: Reauthenticate;
    readonly proveAccount: ProveAccount;
  },
): void {
  const { accounts, backups, recoveries, events, reauthenticate, proveAccount } = rooms;
  const throttle = createThrottle();

  routes.session({
    method: "put",
    path: "/backup",
    action: "backup.keep",
    body: BACKUP,
    async handle({ account, request, body, concerning }) {
      concerning({ owner: account._id, details: { version: body.version } });
      // Whoever stole a session, or guessed a password, must not put rubbish in the place of the only copy of the keys.
      await proveAccount(account, request);
      await backups.keep(account._id, body);
      return { status: 200, json: { version: body.version } };
    },
  });

  routes.session({
    method: "get",
    path: "/backup",
    action: "backup.fetch",
    async handle({ account, concerning }) {
      concerning({ owner: account._id });
      const { version, keystore, escrow, keptAt } = await backups.fetch(account._id);
      return { status: 200, json: { version, keystore, escrow, keptAt } };
    },
  });

  // Password and code once more: whoever sets the code can come back with it.
  routes.session({
    method: "put",
    path: "/recovery",
    action: "recovery.arm",
    body: ARMING,
    async handle({ account, body: { verifier, locked, ...given }, concerning }) {
      concerning({ owner: account._id });
      await reauthenticate(account, given);
      await recoveries.arm(account._id, { verifier, locked });
      await events.note(account._id, "recovery-code-set");
      return { status: 204, empty: true };
    },
  });

  routes.open({
    method: "post",
    path: "/recoveries",
    action: "recovery.use",
    body: RECOVERY,
    async handle({ request, body: { handle, proof, newPassword }, actingAs, concerning }) {
      const forget = await throttle.attempt({ handle, address: request.ip });
      const known = await accounts.byHandle(handle);
      if (known !== null) {
        concerning({ owner: known._id });
      }
      const { account, locked } = await recoveries.use(known, proof, newPassword).catch(async (error) => {
        // For nobody too: a write more or less would tell who has an account.
        const about = known === null || known.deletedAt !== undefined ? NOBODY : known._id;
        await events.note(about, "recovery-failed");
        throw error;
      });
      actingAs({ id: account._id, role: account.role });
      await forget();
      await events.note(account._id, "recovered");
      return { status: 201, json: { account: presentAccount(account), locked } };
    },
  });
}
