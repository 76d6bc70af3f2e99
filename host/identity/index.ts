export { createAccountRooms } from "./account-rooms.ts";
export {
  type Account,
  type Accounts,
  createAccounts,
  type DirectoryEntry,
  handleSchema,
  presentAccount,
  ROLES,
  type Role,
} from "./accounts.ts";
export { admitBatch } from "./admission.ts";
export { createDevices, type Device, type Devices, deviceKey } from "./devices.ts";
export { moveFactors } from "./factor-key.ts";
export { createTicketGuard, proveKey, type TicketGuard } from "./guard.ts";
export { createInvitations, type Invitations } from "./invitations.ts";
export { loadOrCreateSecret, loadOrCreateSigningKey } from "./key-file.ts";
export { createLogin, type Login } from "./login.ts";
export { addNoticeRoutes } from "./notice-routes.ts";
export { createNotices, type Notice, type Notices } from "./notices.ts";
export { type Action, type ActionBy, POLICY, type Relation, type Rule, relationsFor } from "./policy.ts";
export { createProofVerifier, type ProofVerifier } from "./proof-verifier.ts";
export { addIdentityRoutes } from "./router.ts";
export {
  type AuditSink,
  type Call,
  createRoutes,
  type ProofCaller,
  type RouteSpec,
  type Routes,
} from "./routes.ts";
export { codeSchema, knownPassword, type Reauthenticate } from "./session-routes.ts";
export { createSessions } from "./sessions.ts";
export { openTicketKeyRing, type TicketKeyRing, type TicketKeyState } from "./ticket-key-ring.ts";
export { turnTicketKeys } from "./ticket-key-turns.ts";
export {
  createTicketIssuer,
  createTicketVerifier,
  type Grant,
  type Scope,
  STAFF_SCOPES,
  type StaffScope,
  staffScope,
  type TicketIssuer,
  type TicketKeys,
  type TicketVerifier,
} from "./tickets.ts";
