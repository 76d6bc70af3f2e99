export { type Consents, createConsents } from "./consents.ts";
export { createEpochs, type Epochs } from "./epochs.ts";
export { addKeysRoutes } from "./router.ts";
