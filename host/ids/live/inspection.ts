import type { Request } from "express";
import type { Detector, Verdict } from "../detector.ts";
import type { InspectedRequest } from "../request.ts";
import { redactBody, redactHeaders } from "./redaction.ts";
import { routeOf, type Seen } from "./seen.ts";

/** Requests that are remembered as harmless: with a kilobyte each, four megabytes at most. */
const MOST_HARMLESS = 4096;
const LONGEST_KEY = 1024;

const JSON_TYPE = { "content-type": "application/json" };

/** A request given to the detectors, piece by piece as it becomes known, its secrets taken out. */
export interface Inspection {
  /**
   * Method, path, query and headers by the rules. Machines send the very same ones with every request: what was found
   * harmless once is not taken apart again.
   */
  first(seen: Seen, request: Request): void;
  /** The body: by the rules, or with a model the request as a whole. */
  body(seen: Seen, request: Request, body: unknown): void;
  /** With a model, and for the log that one is trained on: the request as a whole. */
  whole(seen: Seen, request: Request): void;
  /** The request as a detector sees all of it, its secrets taken out. */
  taken(seen: Seen, request: Request): InspectedRequest;
}

export function createInspection(rooms: {
  /** Rules alone: what is looked at before anything is done. */
  readonly rules: Detector;
  /** Rules and a model of benign traffic, which judges requests as a whole. */
  readonly model: Detector | null;
  readonly onRequest?: ((request: InspectedRequest) => void) | undefined;
  /** Told of what looks like an attack; `route` where the request has one already. */
  readonly onFound: (seen: Seen, route: string | undefined, verdict: Verdict) => void;
}): Inspection {
  const { rules, model, onRequest } = rooms;
  const harmless = new Set<string>();

  const inspect = (
    seen: Seen,
    detector: Detector,
    seenAs: InspectedRequest,
    route: string | undefined,
  ): Verdict => {
    const verdict = detector.judge(seenAs);
    if (verdict.alarm) {
      rooms.onFound(seen, route, verdict);
    }
    return verdict;
  };

  const taken = (seen: Seen, request: Request): InspectedRequest => {
    const { method: m, originalUrl: u } = request;
    const b = seen.body === null ? {} : { b: JSON.stringify(redactBody(seen.body)) };
    return { m, u, ...b, headers: redactHeaders(request.headers) };
  };

  const whole = (seen: Seen, request: Request): void => {
    if (model === null && onRequest === undefined) {
      return;
    }
    const whole = taken(seen, request);
    onRequest?.(whole);
    if (model !== null) {
      seen.score = inspect(seen, model, whole, routeOf(request)).score;
    }
  };

  return {
    first(seen, request) {
      const { method: m, originalUrl: u } = request;
      const headers = redactHeaders(request.headers);
      let key = `${m} ${u}`;
      for (const name in headers) {
        key += `\n${name}:${headers[name]}`;
      }
      if (harmless.has(key)) {
        return;
      }
      const isHarmless = !inspect(seen, rules, { m, u, headers }, undefined).alarm;
      if (isHarmless && key.length <= LONGEST_KEY) {
        if (harmless.size >= MOST_HARMLESS) {
          harmless.clear();
        }
        harmless.add(key);
      }
    },
    body(seen, request, body) {
      if (model === null) {
        const { method: m, originalUrl } = request;
        const b = JSON.stringify(redactBody(body));
        const u = originalUrl.replace(/[?#].*$/s, "");
        inspect(seen, rules, { m, u, b, headers: JSON_TYPE }, routeOf(request));
      }
      whole(seen, request);
    },
    whole,
    taken,
  };
}
