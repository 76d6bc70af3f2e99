export { ANSWERS_MOST } from "./calls.ts";
export { addRelayRoutes, RELAYED_BATCH_MOST } from "./cloud-routes.ts";
export {
  createGateway,
  type Gateway,
  type GatewayStatus,
  HELP_PLAN,
  type HelpPlan,
  type Judged,
} from "./gateway.ts";
export { ANSWERS_AN_HOUR, createHelper, type Helper, type HelperRound, type HelperSelf } from "./helper.ts";
export { PRESENCE_MS } from "./presences.ts";
export { PERMIT_MS, REDUNDANCY, SLOW_MS } from "./relay.ts";
export { createHelperRooms, type HelperRooms } from "./rooms.ts";
export {
  ACKNOWLEDGEMENT,
  type Acknowledgement,
  FORWARD_PERMIT,
  type ForwardPermit,
  HELPER_ANSWER,
  HELPER_CHOICE,
  HELPERS_MOST,
  requestDigest,
} from "./statements.ts";
