export { createReleaseDesk, type ReleaseDesk, type ReleaseUse, type Source } from "./desk.ts";
export type { RequestState } from "./requests.ts";
export { addResearchRoutes, type ServiceAccount } from "./routes.ts";
export { parseStudy, readStudies, type Study } from "./studies.ts";
