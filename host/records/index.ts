export { addErasureRoute } from "./erasure-routes.ts";
export { createErasures, type Erasures } from "./erasures.ts";
export { addNoteRoutes } from "./note-routes.ts";
export { createNotes, NOTE_LIMITS, type NoteLimits, type Notes } from "./notes.ts";
export { addPartRoutes } from "./part-routes.ts";
export { createParts, type Parts } from "./parts.ts";
export { createRecords, type Records } from "./records.ts";
export { addRecordsRoutes } from "./router.ts";
export { createSubscriptions, type Subscriptions } from "./subscriptions.ts";
