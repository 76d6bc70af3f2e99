import { z } from "zod";
import { bytesSchema } from "../sealing/index.ts";
import type { AccountEvents } from "./account-events.ts";
import { type Accounts, NOBODY, passwordSchema, presentAccount } from "./accounts.ts";
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

/** Backups of the keystore, and the way back in with a recovery code. */
export function addRecoveryRoutes(
  routes: Routes,
  rooms: {
    readonly accounts: Accounts;
    readonly backups: Backups;
    readonly recoveries: Recoveries;
    readonly events: AccountEvents;
    readonly reauthenticate: Reauthenticate;
  },
): void {
  const { accounts, backups, recoveries, events, reauthenticate } = rooms;
  const throttle = createThrottle();

  routes.session({
    method: "put",
    path: "/backup",
    action: "backup.keep",
    body: BACKUP,
    async handle({ account, body, concerning }) {
      concerning({ owner: account._id, details: { version: body.version } });
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
        await events.note(known?._id ?? NOBODY, "recovery-failed");
        throw error;
      });
      actingAs({ id: account._id, role: account.role });
      await forget();
      await events.note(account._id, "recovered");
      return { status: 201, json: { account: presentAccount(account), locked } };
    },
  });
}
