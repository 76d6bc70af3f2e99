export { createRecords, type Records } from "./records.ts";
export { createRecordsRouter } from "./router.ts";
export { createSubscriptions, type Subscriptions } from "./subscriptions.ts";
