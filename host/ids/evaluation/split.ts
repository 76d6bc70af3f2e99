import { isJudged } from "../anomaly/evidence.ts";
import { hashText } from "../anomaly/hash.ts";
import { type InspectedRequest, parseRequest } from "../request.ts";

/** What a request says, wherever it says it: a GET and a POST with the same values are twins. */
function contentOf(request: InspectedRequest): string {
  const { path, parts } = parseRequest(request);
  const pairs = parts.filter(isJudged).map(({ name, value }) => `${name}=${value}`);
  return `${path}\n${pairs.sort().join("\n")}`;
}

/**
 * Deals benign requests out to members and to the test, so that no test request has a twin in training. What comes
 * again and again (at least `USUAL` times) is seen by every member, as it is in life, and so never tested.
 */
export interface Split {
  /** Member from 0 that trains on it; "all" for the usual; "test" for the held-out share. */
  place(request: InspectedRequest): number | "all" | "test";
}

const USUAL = 25;

/** @param holdout share of contents that is kept for the test, 0 to 1 */
export function createSplit(
  requests: readonly InspectedRequest[],
  options: { readonly holdout: number; readonly members: number; readonly seed?: number },
): Split {
  const times = new Map<string, number>();
  for (const request of requests) {
    const content = contentOf(request);
    times.set(content, (times.get(content) ?? 0) + 1);
  }
  const seed = options.seed ?? 1;
  return {
    place(request) {
      const content = contentOf(request);
      if ((times.get(content) ?? 0) >= USUAL) {
        return "all";
      }
      if (hashText(content, seed) / 2 ** 32 < options.holdout) {
        return "test";
      }
      return hashText(content, seed + 1000) % options.members;
    },
  };
}
