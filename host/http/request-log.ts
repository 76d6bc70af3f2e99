import { randomUUID } from "node:crypto";
import type { RequestHandler } from "express";
import type { Log } from "./log.ts";

declare global {
  namespace Express {
    interface Request {
      /** Names the request in logs and problem documents; given out as `X-Request-Id`. */
      id: string;
    }
  }
}

/** One line a request: method, route pattern, status, time. Never a URL, whose parameters are ids. */
export function requestLog(log: Log): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    request.id = randomUUID();
    response.setHeader("X-Request-Id", request.id);
    response.on("close", () => {
      const route = request.route as { path: string } | undefined;
      log.debug({
        event: "request",
        requestId: request.id,
        method: request.method,
        route: route === undefined ? undefined : request.baseUrl + route.path,
        status: response.statusCode,
        durationMs: Math.round(performance.now() - startedAt),
        code: response.locals.code,
      });
    });
    next();
  };
}
