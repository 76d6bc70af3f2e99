import type { Request } from "express";
import { type AuditLog, addAuditRoutes } from "../audit/index.ts";
import type { Bytes, Clock } from "../base/index.ts";
import { createHttpClient } from "../client/index.ts";
import {
  createServiceApp,
  errorFields,
  type Log,
  type PageOptions,
  type RateLimit,
  type Service,
} from "../http/index.ts";
import {
  type Account,
  addIdentityRoutes,
  addNoticeRoutes,
  createAccountRooms,
  createAccounts,
  createDevices,
  createInvitations,
  createLogin,
  createNotices,
  createProofVerifier,
  createRoutes,
  createSessions,
  createTicketGuard,
  createTicketIssuer,
  createTicketVerifier,
  type Invitations,
  type TicketKeyRing,
  turnTicketKeys,
} from "../identity/index.ts";
import type { IdsParts } from "../ids/live/index.ts";
import type { MeshSettings } from "../ids/mesh/index.ts";
import {
  addAccessRequestRoutes,
  addDeletionRoutes,
  addDeviceCallRoutes,
  addEmergencyRoutes,
  addKeysRoutes,
  addNoteTicketRoute,
  addRecordPartRoutes,
  createAccessRequests,
  createConsents,
  createDeletions,
  createDeviceCalls,
  createEmergencies,
  createEmergencyShares,
  createEpochs,
  createOpenAccounts,
  createRecordParts,
  createReleases,
  requireAccountKey,
} from "../keys/index.ts";
import type { Store } from "../store/index.ts";
import { createMeshedIds, type MeshedIds } from "./meshed-ids.ts";

/** How often ticket keys and ended emergencies are looked after: what is due then waits at most this long. */
const TURN_EVERY_MS = 10 * 60_000;

/** How soon after its end the log says of an emergency that it ended by itself. */
const EXPIRIES_EVERY_MS = 5_000;

/**
 * The key distribution centre: accounts, devices, epochs, consents, tickets. It sees public and wrapped keys, and
 * no ciphertext of a reading. `invitations` is for whoever starts it: the first operator needs a code from outside.
 */
export async function createKdcApp(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Keeps who did what; closed with the app. */
  readonly audit: AuditLog;
  /** Signs tickets. */
  readonly ticketKeys: TicketKeyRing;
  /** 32 bytes that second factors are kept under in the store. */
  readonly factorKey: Bytes;
  /** Told of every new account. */
  readonly onRegistered?: (account: Account) => Promise<void>;
  /** What people open in their browsers, where there is one. */
  readonly page?: PageOptions;
  readonly rateLimit: RateLimit;
  readonly trustProxies: number;
  /** The intrusion detection; off without a word, and its routes are there all the same. */
  readonly ids?: IdsParts;
  /** Its part in the mesh; without it the service decides alone. */
  readonly mesh?: MeshSettings | undefined;
  /** How often it looks for emergencies that have ended by themselves, ms; five seconds without a word. */
  readonly expiriesEveryMs?: number;
}): Promise<
  Service & { readonly ids: MeshedIds; readonly invitations: Invitations; hasOperator(): Promise<boolean> }
> {
  const { store, clock, log, audit } = options;
  let url = "";
  let turning: NodeJS.Timeout | undefined;
  let expiring: NodeJS.Timeout | undefined;
  let expiry: Promise<unknown> = Promise.resolve();
  const publicUrl = () => url;
  const accounts = await createAccounts(store, clock);
  const sessions = await createSessions(store, clock);
  const invitations = await createInvitations(store, clock);
  const devices = await createDevices(store, clock);
  const login = await createLogin(accounts, sessions);
  const ring = options.ticketKeys;
  const issuer = createTicketIssuer(ring, clock);
  const { factorKey, onRegistered = async () => {} } = options;
  const notices = await createNotices(store, clock);
  const own = await createAccountRooms({ store, clock, accounts, sessions, login, factorKey, notices });
  const epochs = await createEpochs(store);
  const consents = await createConsents(store, epochs, clock);
  const recordParts = await createRecordParts(store, epochs);
  const shares = await createEmergencyShares(store, { accounts, epochs }, clock);
  const emergencies = await createEmergencies(store, { accounts, shares, notices }, clock);
  const calls = await createDeviceCalls(store, { accounts, shares, notices, emergencies }, clock);
  const requests = await createAccessRequests({ store, clock, accounts, notices });
  const releases = createReleases();
  const open = createOpenAccounts({ accounts, devices, consents, releases, clock });
  const proofs = createProofVerifier(clock);
  const { settled } = open;
  const deletions = await createDeletions({ store, clock, accounts, epochs, consents, notices, settled });

  const http = createHttpClient({ clock });
  const ids = await createMeshedIds({ store, clock, log, http, ids: options.ids, mesh: options.mesh });
  // Its own tickets: a security officer watches the KDC with one as any other service.
  const ownKeys = async () => issuer.keys();
  const tickets = createTicketVerifier({ current: ownKeys, refresh: ownKeys }, clock);
  const guard = createTicketGuard({ tickets, proofs, publicUrl });

  const proveAccount = (account: Account, request: Request) =>
    requireAccountKey({ accounts, proofs, publicUrl }, account, request);

  const routes = createRoutes({
    ...{ login, proofs, guard, audit, publicUrl },
    watch: ids.watch,
    proveAccount,
  });
  addIdentityRoutes(routes, { accounts, invitations, devices, issuer, ring, onRegistered });
  own.addRoutes(routes, { settled: open.settled, proveAccount });
  addKeysRoutes(routes, {
    accounts,
    devices,
    proofs,
    issuer,
    epochs,
    consents,
    emergencies,
    releases,
    open,
    publicUrl,
    onGiven: requests.fulfilled,
  });
  addAccessRequestRoutes(routes, { accounts, requests });
  addEmergencyRoutes(routes, { accounts, devices, epochs, shares, emergencies, releases, open, clock });
  addDeviceCallRoutes(routes, { devices, calls, open });
  addRecordPartRoutes(routes, {
    accounts,
    proofs,
    issuer,
    epochs,
    consents,
    emergencies,
    recordParts,
    open,
    publicUrl,
  });
  addNoteTicketRoute(routes, { accounts, proofs, issuer, epochs, consents, emergencies, open, publicUrl });
  const { reauthenticate } = own;
  addDeletionRoutes(routes, {
    ...{ accounts, proofs, issuer, epochs, deletions, open, reauthenticate, publicUrl },
  });
  addNoticeRoutes(routes, { notices });
  addAuditRoutes(routes, audit);
  ids.addRoutes(routes);

  const { app, drain } = createServiceApp({
    log,
    probes: [{ name: "store", check: () => store.ping() }],
    rateLimit: options.rateLimit,
    trustProxies: options.trustProxies,
    routes,
    ...(options.page === undefined ? {} : { page: options.page }),
    watch: ids.watch,
    metrics: ids.metrics,
  });
  return {
    app,
    ids,
    endpoints: routes.endpoints,
    invitations,
    hasOperator: () => accounts.hasRole("operator"),
    async start(listeningAt) {
      url = listeningAt;
      await deletions.resume();
      ids.start();
      await turnTicketKeys(ring, audit);
      turning = setInterval(() => {
        turnTicketKeys(ring, audit).catch((error) => {
          log.error({ event: "ticket_key_turn_failed", ...errorFields(error) });
        });
        deletions.resume().catch((error) => {
          log.error({ event: "deletion_resume_failed", ...errorFields(error) });
        });
        emergencies.forget().catch((error) => {
          log.error({ event: "emergency_forget_failed", ...errorFields(error) });
        });
      }, TURN_EVERY_MS);
      turning.unref();
      const expire = () => {
        expiry = expiry
          .then(() => emergencies.writeExpiries(audit))
          .catch((error) => {
            log.error({ event: "emergency_expiry_failed", ...errorFields(error) });
          });
      };
      expire();
      expiring = setInterval(expire, options.expiriesEveryMs ?? EXPIRIES_EVERY_MS);
      expiring.unref();
    },
    drain() {
      drain();
      ids.drain();
    },
    async stop() {
      clearInterval(turning);
      clearInterval(expiring);
      await expiry;
      await ids.stop();
      await audit.close();
      await store.close();
    },
  };
}
