export {
  type Account,
  type Accounts,
  createAccounts,
  type DirectoryEntry,
  handleSchema,
  passwordSchema,
  presentAccount,
  ROLES,
  type Role,
} from "./accounts.ts";
export { admitBatch } from "./admission.ts";
export { createDevices, type Device, type Devices, deviceKey } from "./devices.ts";
export { createTicketGuard, proveKey, type TicketGuard } from "./guard.ts";
export { createInvitations, type Invitations } from "./invitations.ts";
export { accountOf, createLogin, type Login } from "./login.ts";
export { createProofVerifier, type ProofVerifier } from "./proof-verifier.ts";
export { createIdentityRouter } from "./router.ts";
export { createSessions } from "./sessions.ts";
export { loadOrCreateSigningKey } from "./signing-key-file.ts";
export {
  createTicketIssuer,
  createTicketVerifier,
  type Grant,
  type Scope,
  type TicketIssuer,
  type TicketKeys,
  type TicketVerifier,
} from "./tickets.ts";
