export { createDeviceGrants, type DeviceGrants } from "./device-grant.ts";
export { addPartRoutes } from "./part-routes.ts";
export { createParts, type Parts } from "./parts.ts";
export { createRecords, type Records } from "./records.ts";
export { addRecordsRoutes } from "./router.ts";
export { createSubscriptions, type Subscriptions } from "./subscriptions.ts";
