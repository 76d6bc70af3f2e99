import compression from "compression";
import express, { type RequestHandler, Router } from "express";
import helmet from "helmet";
import { z } from "zod";
import type { Log } from "./log.ts";
import { rateLimitByAddress } from "./rate-limit.ts";

/** A page that a service serves beside its routes. */
export interface PageOptions {
  /** Folder with `index.html` and `assets/`, whose files have their digest in their names. */
  readonly directory: string;
  /** What the page may ask of `/page.json` before anybody is logged in. Nothing secret. */
  readonly settings: Readonly<Record<string, string | readonly string[]>>;
  /** Origins beside its own that the page talks to. */
  readonly connectTo: readonly string[];
  /** Hears of breaches of the policy that browsers report. */
  readonly log: Pick<Log, "warn">;
}

const YEAR = "1y";
const REPORTS_PATH = "/csp-reports";
/** One page that is attacked reports a lot; a lie costs nothing: a few are enough to see that something is wrong. */
const REPORTS_LIMIT = { points: 20, seconds: 60 };
const REPORT_BYTES = "8kb";

/** Content Security Policy Level 3, section 5.3: what a browser sends to `report-uri`. */
const REPORT = z.object({
  "csp-report": z.object({
    "effective-directive": z.string().max(60),
    "blocked-uri": z.string().max(2000),
  }),
});

/** What of a blocked address may be written down: where it leads, and nothing that it carries along. */
function originOf(blocked: string): string {
  return URL.canParse(blocked) ? new URL(blocked).origin : blocked.replace(/[^a-z-]/g, "").slice(0, 40);
}

/** Takes browsers' reports. They are anybody's word, so that nothing follows from them but a line in the log. */
function takeReports(log: PageOptions["log"]): RequestHandler[] {
  return [
    rateLimitByAddress(REPORTS_LIMIT),
    express.json({ type: "application/csp-report", limit: REPORT_BYTES }),
    (request, response) => {
      const report = REPORT.safeParse(request.body);
      if (report.success) {
        const { "effective-directive": directive, "blocked-uri": blocked } = report.data["csp-report"];
        log.warn({
          event: "csp_violation",
          directive: directive.replace(/[^a-z-]/g, ""),
          origin: originOf(blocked),
        });
      }
      response.status(204).end();
    },
  ];
}

/**
 * Serves the page under a policy that lets it load nothing but its own files and run nothing inline; WebAssembly may be
 * compiled, which is not `eval` (Content Security Policy Level 3, section 6.1.11). Files with a digest in their names
 * may be kept for ever, the page itself is asked for each time. Breaches of the policy are reported to `/csp-reports`.
 */
export function servePage({ directory, settings, connectTo, log }: PageOptions): RequestHandler {
  const router = Router();
  router.post(REPORTS_PATH, takeReports(log));
  router.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
          workerSrc: ["'self'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'"],
          connectSrc: ["'self'", ...connectTo],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
          // No attribute and no sink of the DOM takes text as code (Trusted Types).
          requireTrustedTypesFor: ["'script'"],
          trustedTypes: ["medcloudlet"],
          reportUri: [REPORTS_PATH],
        },
      },
      crossOriginOpenerPolicy: { policy: "same-origin" },
      referrerPolicy: { policy: "no-referrer" },
      strictTransportSecurity: false,
    }),
  );
  router.get("/page.json", (_request, response) => {
    response.json(settings);
  });
  router.use(
    "/assets",
    // The same for everybody: what is compressed together with a secret tells of it (BREACH), and these hold none.
    compression(),
    // No ranges: of a compressed answer they would be said of what was before.
    express.static(`${directory}/assets`, {
      immutable: true,
      maxAge: YEAR,
      index: false,
      acceptRanges: false,
    }),
  );
  router.use(express.static(directory, { index: "index.html", cacheControl: false }));
  return router;
}
