import cors from "cors";
import express, { type Express, type Request, type RequestHandler, type Router } from "express";
import helmet from "helmet";
import { MedcloudletError } from "../base/index.ts";
import type { Log } from "./log.ts";
import { type PageOptions, servePage } from "./page.ts";
import { notFound, problemHandler } from "./problem.ts";
import { type RateLimit, rateLimitByAddress } from "./rate-limit.ts";
import { requestLog } from "./request-log.ts";
import type { Endpoint } from "./route.ts";
import type { RequestWatch } from "./watch.ts";

/** Something a service cannot work without. Rejects when it is not there. */
export interface Probe {
  readonly name: string;
  check(): Promise<void>;
}

/** A composed Express app that does not listen yet. */
export interface Service {
  readonly app: Express;
  /** What it serves under `/v1`. */
  readonly endpoints: readonly Endpoint[];
  /** Starts background work. The URL is the one clients use. */
  start(url: string): Promise<void>;
  /** `/readyz` says 503 from now on, so that a load balancer sends no more work. */
  drain(): void;
  /** Stops background work and releases what the service opened. */
  stop(): Promise<void>;
}

const PROBE_TIMEOUT_MS = 2000;
/** Prometheus comes a few times a minute; who guesses its token does not get far. */
const METRICS_LIMIT: RateLimit = { points: 60, seconds: 60 };

async function withTimeout(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("timed out")), PROBE_TIMEOUT_MS);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function readiness(probes: readonly Probe[], draining: () => boolean, log: Log): RequestHandler {
  return async (_request, response) => {
    const checks: Record<string, "ok" | "failed"> = {};
    for (const probe of probes) {
      try {
        await withTimeout(probe.check());
        checks[probe.name] = "ok";
      } catch {
        checks[probe.name] = "failed";
        log.warn({ event: "probe_failed", probe: probe.name });
      }
    }
    const ready = !draining() && Object.values(checks).every((state) => state === "ok");
    const status = draining() ? "draining" : ready ? "ready" : "not ready";
    response.status(ready ? 200 : 503).json({ status, checks });
  };
}

/**
 * The Express app that every service shares: request id and log, security headers, rate limit, `/livez` and
 * `/readyz`, the service's own routes under `/v1`, problem documents for everything else.
 */
export function createServiceApp(options: {
  readonly log: Log;
  readonly probes: readonly Probe[];
  readonly rateLimit: RateLimit;
  /** The service's own routes, served under `/v1`. */
  readonly routes: { readonly router: Router };
  /** How many proxies in front to trust for the client's address; 0 on a bare machine. */
  readonly trustProxies?: number;
  /** Served at `/`. */
  readonly page?: PageOptions;
  /** The origin of the page that may use this service from a browser, where it is another than its own. */
  readonly pageOrigin?: string;
  /** Looks at every request, and may hold some back. */
  readonly watch?: RequestWatch | undefined;
  /** Answers `/metrics`, where that is asked for. */
  readonly metrics?: RequestHandler | undefined;
}): { app: Express; drain(): void } {
  const { log } = options;
  let draining = false;
  const app = express();
  app.disable("x-powered-by");
  app.set("trust proxy", options.trustProxies ?? 0);
  app.set("query parser", "simple");
  app.set("etag", false);
  app.use(requestLog(log));
  app.use(
    helmet({
      contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
      strictTransportSecurity: false,
    }),
  );
  app.use((_request, response, next) => {
    response.setHeader("Cache-Control", "no-store");
    next();
  });
  app.get("/livez", (_request, response) => {
    response.json({ status: "live" });
  });
  app.get(
    "/readyz",
    readiness(options.probes, () => draining, log),
  );
  if (options.metrics !== undefined) {
    app.get("/metrics", rateLimitByAddress(METRICS_LIMIT), options.metrics);
  }
  if (options.pageOrigin !== undefined) {
    // No cookies anywhere: a page can do no more here than who holds its tickets.
    app.use(
      "/v1",
      cors({
        origin: options.pageOrigin,
        methods: ["GET", "POST", "PUT", "DELETE"],
        allowedHeaders: ["Authorization", "DPoP", "Content-Type"],
        exposedHeaders: ["Medcloudlet-Cursor", "Medcloudlet-First", "Retry-After"],
        maxAge: 600,
      }),
    );
  }
  const isForeign = (request: Request): boolean =>
    request.get("Sec-Fetch-Site") === "cross-site" &&
    (options.pageOrigin === undefined || request.get("Origin") !== options.pageOrigin);
  const { watch } = options;
  if (watch !== undefined) {
    // What a page elsewhere has somebody's browser send speaks against that page, not against who looks at it. Nothing
    // is gained by saying so of oneself: such requests get no further than the page's own files.
    app.use((request, response, next) => {
      if (isForeign(request)) {
        next();
        return;
      }
      watch.arrive(request, response, next);
    });
  }
  app.use(rateLimitByAddress(options.rateLimit));
  app.use("/v1", (request, _response, next) => {
    if (isForeign(request)) {
      throw new MedcloudletError(
        "REQUEST_CROSS_SITE",
        "This request was made by a page of another site: use the page of this service, or a program of your own.",
        { status: 403 },
      );
    }
    next();
  });
  app.use("/v1", options.routes.router);
  if (options.page !== undefined) {
    app.use(servePage(options.page));
  }
  if (options.watch !== undefined) {
    app.use(options.watch.unrouted);
  }
  app.use(notFound);
  app.use(problemHandler(log));
  return {
    app,
    drain: () => {
      draining = true;
    },
  };
}
