import type { RequestHandler } from "express";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { MedcloudletError } from "../base/index.ts";
import { addressKey } from "./client-address.ts";

/** A budget of `points` in each `seconds` for every key. */
export interface RateLimit {
  readonly points: number;
  readonly seconds: number;
}

/** Counts attempts by key. @throws MedcloudletError `RATE_LIMITED` with `retryAfterSeconds` from `consume` */
export function createRateLimiter(limit: RateLimit): {
  consume(key: string): Promise<void>;
  reset(key: string): Promise<void>;
} {
  const limiter = new RateLimiterMemory({ points: limit.points, duration: limit.seconds });
  return {
    async consume(key) {
      try {
        await limiter.consume(key);
      } catch (rejected) {
        const waitMs = rejected instanceof RateLimiterRes ? rejected.msBeforeNext : 1000;
        const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
        throw new MedcloudletError("RATE_LIMITED", `Too many requests: wait ${retryAfterSeconds} s.`, {
          status: 429,
          details: { retryAfterSeconds },
        });
      }
    },
    async reset(key) {
      await limiter.delete(key);
    },
  };
}

/** Limits requests by client address. */
export function rateLimitByAddress(limit: RateLimit): RequestHandler {
  const limiter = createRateLimiter(limit);
  return async (request, _response, next) => {
    await limiter.consume(addressKey(request.ip));
    next();
  };
}
