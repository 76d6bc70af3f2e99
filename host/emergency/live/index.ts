export {} from "./calls.ts";
export { addRelayRoutes } from "./cloud-routes.ts";
export {
  createGateway,
  type Gateway,
  type GatewayStatus,
  HELP_PLAN,
  type HelpPlan,
  type Judged,
} from "./gateway.ts";
export { createHelper, type Helper, type HelperRound, type HelperSelf } from "./helper.ts";
export { PRESENCE_MS } from "./presences.ts";
export { PERMIT_MS, SLOW_MS } from "./relay.ts";
export { createHelperRooms, type HelperRooms } from "./rooms.ts";
export {
  ACKNOWLEDGEMENT,
  type Acknowledgement,
  FORWARD_PERMIT,
  type ForwardPermit,
  HELPER_ANSWER,
  HELPER_CHOICE,
  requestDigest,
} from "./statements.ts";
