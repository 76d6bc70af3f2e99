export { type Consents, createConsents } from "./consents.ts";
export { createEpochs, type Epochs } from "./epochs.ts";
export { createKeysRouter } from "./router.ts";
