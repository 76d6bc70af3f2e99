import type { Bytes, Clock } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { createAccountEvents } from "./account-events.ts";
import type { Account, Accounts } from "./accounts.ts";
import { createBackups } from "./backups.ts";
import { deriveKey, factorBox } from "./factor-key.ts";
import { createFactorResets } from "./factor-resets.ts";
import { addGuardianRoutes } from "./guardian-routes.ts";
import { createGuardianSets } from "./guardian-sets.ts";
import { createKnownClients } from "./known-clients.ts";
import type { Login } from "./login.ts";
import type { Notices } from "./notices.ts";
import { createRecoveries } from "./recoveries.ts";
import { createRecoveryRequests } from "./recovery-requests.ts";
import { addRecoveryRoutes, type ProveAccount } from "./recovery-routes.ts";
import type { Routes } from "./routes.ts";
import { createSecondFactors } from "./second-factor.ts";
import { addSecondFactorRoutes } from "./second-factor-routes.ts";
import { addSessionRoutes, createReauthenticate, type Reauthenticate } from "./session-routes.ts";
import type { Sessions } from "./sessions.ts";
import { addSuspensionRoutes } from "./suspension-routes.ts";

/**
 * Everything that people do with their own accounts: logging in, sessions, second factors, backups, recovery.
 * Gives what adds their routes, once there is something to add them to.
 */
export async function createAccountRooms(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly login: Login;
  /** 32 bytes that second factors are kept under in the store, and ids of recovery requests made with. */
  readonly factorKey: Bytes;
  readonly notices: Notices;
}): Promise<{
  /** Asks for password and code once more. */
  readonly reauthenticate: Reauthenticate;
  addRoutes(
    routes: Routes,
    others: { readonly settled: (closed: Account) => Promise<void>; readonly proveAccount: ProveAccount },
  ): void;
}> {
  const { store, clock, accounts, sessions, login } = options;
  const box = await factorBox(options.factorKey);
  const factors = createSecondFactors({ accounts, box, clock });
  const clients = await createKnownClients(store, clock);
  const events = await createAccountEvents(store, clock, options.notices);
  const resets = await createFactorResets(store, clock, accounts);
  const backups = await createBackups(store, clock);
  const sets = await createGuardianSets(store, clock, accounts);
  const recoveries = await createRecoveries({ store, clock, accounts, sets });
  const requests = await createRecoveryRequests(
    store,
    clock,
    deriveKey(options.factorKey, "medcloudlet recovery request ids v1"),
  );
  const reauthenticate = createReauthenticate(login, factors);
  const common = { accounts, events, reauthenticate };
  return {
    reauthenticate,
    addRoutes(routes, { settled, proveAccount }) {
      addSessionRoutes(routes, { ...common, sessions, login, factors, clients });
      addSecondFactorRoutes(routes, { ...common, sessions, factors, resets });
      addSuspensionRoutes(routes, { accounts, events, clock, settled });
      addRecoveryRoutes(routes, { ...common, backups, recoveries, proveAccount });
      addGuardianRoutes(routes, { ...common, sets, requests });
    },
  };
}
