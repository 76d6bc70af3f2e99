import type { Fetch } from "../../host/client/index.ts";

/**
 * A line that lets so many requests through; the next is lost, or done and its answer lost; then it is dead.
 * @param lost what of the request at which it breaks
 */
export function lineThatBreaks(lost: "request" | "answer") {
  let left = Number.POSITIVE_INFINITY;
  let broke = false;
  const fetchOver: Fetch = async (url, init) => {
    if (left-- > 0) {
      return fetch(url, init);
    }
    if (!broke && lost === "answer") {
      await fetch(url, init);
    }
    broke = true;
    throw new Error("the line is cut");
  };
  return {
    fetch: fetchOver,
    broke: () => broke,
    breakAfter(requests: number) {
      left = requests;
      broke = false;
    },
  };
}
