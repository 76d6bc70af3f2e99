export type { Member } from "../engine/contract.ts";
export { ALERT_LIVES_MS } from "./admission.ts";
export type { PeerStatus } from "./exchange.ts";
export { createMesh, type Mesh, type MeshSettings } from "./mesh.ts";
export { createMeshPseudonyms, isCurrentEpoch, type MeshPseudonyms } from "./pseudonyms.ts";
export { addMeshRoutes } from "./routes.ts";
export {
  MESH_ALERT,
  type Roster,
  type SignedAlert,
  signAlert,
  signRoster,
  verifyRoster,
} from "./statements.ts";
