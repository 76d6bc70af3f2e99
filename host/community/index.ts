export {
  type EnvelopeBinding,
  type EnvelopeKind,
  envelopeAad,
  envelopeInfo,
  plaintextSizes,
  sealedDigest,
  sealedSizes,
} from "./envelope.ts";
export { type CallLimit, createMemberRoutes } from "./member-route.ts";
export type { Member, Members } from "./members.ts";
export { type CommunityRooms, createCommunityRooms } from "./rooms.ts";
export {
  AGREEMENT,
  type Agreement,
  APPEAL,
  type Appeal,
  COMMUNITY,
  COMMUNITY_MESSAGE,
  type Community,
  type CommunityMessage,
  communityIdOf,
  MEMBER_KEY,
  type MemberKey,
  MODERATION,
  MODERATION_REASONS,
  type Moderation,
  OPENING,
  type Opening,
  REPORT,
  type Report,
  SIMILARITY_MESSAGE,
  type SimilarityStatement,
  statementDigest,
  verifyCommunity,
} from "./statements.ts";
