export { addIngestRoutes } from "./router.ts";
export { createSpool, type Receipt, type Spool } from "./spool.ts";
export { createUplink, type Uplink } from "./uplink.ts";
