import express, { type RequestHandler, Router } from "express";
import helmet from "helmet";

/** A page that a service serves beside its routes. */
export interface PageOptions {
  /** Folder with `index.html` and `assets/`, whose files have their digest in their names. */
  readonly directory: string;
  /** What the page may ask of `/page.json` before anybody is logged in. Nothing secret. */
  readonly settings: Readonly<Record<string, string>>;
  /** Origins beside its own that the page talks to. */
  readonly connectTo: readonly string[];
}

const YEAR = "1y";

/**
 * Serves the page under a policy that lets it load nothing but its own files and run nothing inline; WebAssembly may be
 * compiled, which is not `eval` (Content Security Policy Level 3, section 6.1.11). Files with a digest in their names
 * may be kept for ever, the page itself is asked for each time.
 */
export function servePage({ directory, settings, connectTo }: PageOptions): RequestHandler {
  const router = Router();
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
    express.static(`${directory}/assets`, { immutable: true, maxAge: YEAR, index: false }),
  );
  router.use(express.static(directory, { index: "index.html", cacheControl: false }));
  return router;
}
