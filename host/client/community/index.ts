export {
  type Admission,
  admitMember,
  type IssuerSecrets,
  issuerSecrets,
} from "./admission.ts";
export { APPLICATION, applyTo, createMemberKeys, openMemberKeys, readApplication } from "./application.ts";
export { handCodeKey, takeCodeKey } from "./code-key.ts";
export type { Asked, CardMaker, Rated } from "./exchanging.ts";
export {
  type CommunityPlan,
  type Founded,
  foundCommunity,
  isIssuer,
  newestCommunity,
} from "./founding.ts";
export type { Closing } from "./gate.ts";
export { type IdentityCard, makeIdentityCard } from "./identity-card.ts";
export {
  type CommunityMember,
  createCommunityMember,
  joinCommunity,
  type Partner,
  type Visit,
} from "./member.ts";
export {
  type KeptExchange,
  MEMBER_STATE,
  type MemberMemory,
  type MemberState,
  type ModeratorAction,
  newMemberState,
} from "./member-state.ts";
export {
  createModerator,
  type Moderator,
  type ModeratorDecision,
  type ReportedMessage,
} from "./moderator.ts";
export { findByName, nameOf } from "./names.ts";
export { createRelay, type Relay, type StaffCredentials } from "./relay.ts";
export { shareWithPartner } from "./sharing.ts";
export type { KeptDecision } from "./trust-book.ts";
