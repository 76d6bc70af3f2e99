export { type Consents, createConsents } from "./consents.ts";
export { createEmergencies, type Emergencies } from "./emergencies.ts";
export { addEmergencyRoutes } from "./emergency-routes.ts";
export { createEmergencyShares, type EmergencyShares } from "./emergency-shares.ts";
export { createEpochs, type Epochs } from "./epochs.ts";
export { createRecordParts, type RecordParts } from "./record-parts.ts";
export { addRecordPartRoutes } from "./record-routes.ts";
export { createReleases } from "./releases.ts";
export { addKeysRoutes } from "./router.ts";
