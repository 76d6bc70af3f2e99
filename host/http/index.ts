export { type BinaryReader, createBinaryReader, parseInput, parseJsonBody } from "./input.ts";
export { listen, type RunningService } from "./listen.ts";
export { allowedFields, createLog, errorFields, type Log } from "./log.ts";
export type { PageOptions } from "./page.ts";
export { PROBLEM_TYPE } from "./problem.ts";
export { createRateLimiter, type RateLimit, rateLimitByAddress } from "./rate-limit.ts";
export { type Endpoint, type Method, type Reply, sendReply } from "./route.ts";
export { createServiceApp, type Probe, type Service } from "./service.ts";
export type { ProvenCaller, RequestWatch } from "./watch.ts";
