import type { Bytes, Clock } from "../base/index.ts";
import { createServiceApp, type Log, type RateLimit, type Service } from "../http/index.ts";
import {
  type Account,
  addIdentityRoutes,
  createAccountRooms,
  createAccounts,
  createDevices,
  createInvitations,
  createLogin,
  createProofVerifier,
  createRoutes,
  createSessions,
  createTicketIssuer,
  type Invitations,
  type Notify,
} from "../identity/index.ts";
import { addKeysRoutes, createConsents, createEpochs } from "../keys/index.ts";
import type { SigningKey } from "../sealing/index.ts";
import type { Store } from "../store/index.ts";

/**
 * The key distribution centre: accounts, devices, epochs, consents, tickets. It sees public and wrapped keys, and
 * no ciphertext of a reading. `invitations` is for whoever starts it: the first operator needs a code from outside.
 */
export async function createKdcApp(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Signs tickets. */
  readonly ticketKey: SigningKey;
  /** 32 bytes that second factors are kept under in the store. */
  readonly factorKey: Bytes;
  /** Takes messages to account owners. */
  readonly notify?: Notify;
  /** Told of every new account. */
  readonly onRegistered?: (account: Account) => Promise<void>;
  readonly rateLimit: RateLimit;
  readonly trustProxies: number;
}): Promise<Service & { readonly invitations: Invitations; hasOperator(): Promise<boolean> }> {
  const { store, clock, log } = options;
  let url = "";
  const publicUrl = () => url;
  const accounts = await createAccounts(store, clock);
  const sessions = await createSessions(store, clock);
  const invitations = await createInvitations(store, clock);
  const devices = await createDevices(store, clock);
  const login = await createLogin(accounts, sessions);
  const { factorKey, notify = async () => {}, onRegistered = async () => {} } = options;
  const own = await createAccountRooms({ store, clock, accounts, sessions, login, factorKey, notify });
  const issuer = await createTicketIssuer(options.ticketKey, clock);
  const epochs = await createEpochs(store);
  const consents = await createConsents(store, epochs, clock);
  const proofs = createProofVerifier(clock);

  const routes = createRoutes({ login, proofs, publicUrl });
  addIdentityRoutes(routes, { accounts, invitations, devices, issuer, onRegistered });
  own.addRoutes(routes);
  addKeysRoutes(routes, { accounts, devices, proofs, issuer, epochs, consents, publicUrl });

  const { app, drain } = createServiceApp({
    log,
    probes: [{ name: "store", check: () => store.ping() }],
    rateLimit: options.rateLimit,
    trustProxies: options.trustProxies,
    routes,
  });
  return {
    app,
    endpoints: routes.endpoints,
    invitations,
    hasOperator: () => accounts.hasRole("operator"),
    async start(listeningAt) {
      url = listeningAt;
    },
    drain,
    stop: () => store.close(),
  };
}
