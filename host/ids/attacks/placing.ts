import type { InspectedRequest } from "../request.ts";

/** Where in a request an attack can stand. */
export type Target =
  | { readonly at: "json"; readonly path: readonly (string | number)[] }
  | { readonly at: "query"; readonly name: string }
  | { readonly at: "segment"; readonly index: number };

/** Of a body so many values are looked at, so deep. */
const MOST_LEAVES = 200;
const MOST_DEPTH = 16;
/** A parameter that no route has: where a request takes none, an attacker adds one. */
export const ADDED = "q";

function leavesOf(value: unknown, path: readonly (string | number)[], into: (string | number)[][]): void {
  if (into.length >= MOST_LEAVES || path.length > MOST_DEPTH) {
    return;
  }
  if (typeof value === "object" && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      leavesOf(item, [...path, Array.isArray(value) ? Number(name) : name], into);
    }
    return;
  }
  if (path.length > 0) {
    into.push([...path]);
  }
}

function jsonOf({ b }: InspectedRequest): unknown {
  try {
    return b === undefined ? undefined : JSON.parse(b);
  } catch {
    return undefined;
  }
}

function splitUrl(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = url.indexOf("?");
  return mark < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}

/** An id, a number or a name that the client chose, rather than a word of the route. */
const OWN_SEGMENT = /\d|^[\w-]{20,}$/;

/** Every place of a request that takes a value, and a parameter of one's own where there is none. */
export function targetsOf(request: InspectedRequest): readonly Target[] {
  const leaves: (string | number)[][] = [];
  leavesOf(jsonOf(request), [], leaves);
  const { path, query } = splitUrl(request.u);
  const targets: Target[] = [
    ...leaves.map((leaf): Target => ({ at: "json", path: leaf })),
    ...[...new Set(query.keys())].map((name): Target => ({ at: "query", name })),
    ...path
      .split("/")
      .flatMap((segment, index): Target[] =>
        index > 1 && OWN_SEGMENT.test(segment) ? [{ at: "segment", index }] : [],
      ),
  ];
  return targets.length > 0 ? targets : [{ at: "query", name: ADDED }];
}

/** @returns null where the path leads nowhere, which a body that was read a moment ago does not do */
function inJson(text: string, path: readonly (string | number)[], change: (before: unknown) => unknown) {
  const root: unknown = JSON.parse(text);
  let at = root as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) {
    at = at[step] as Record<string | number, unknown>;
  }
  const last = path[path.length - 1] as string | number;
  // A name as `__proto__` must stay a name.
  Object.defineProperty(at, last, {
    value: change(at[last]),
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return JSON.stringify(root);
}

/** The request with another value at one place. `change` is given what stands there, as text where it is no JSON. */
export function withValue(
  request: InspectedRequest,
  target: Target,
  change: (before: unknown) => unknown,
): InspectedRequest {
  if (target.at === "json") {
    return { ...request, b: inJson(request.b ?? "null", target.path, change) };
  }
  const { path, query } = splitUrl(request.u);
  if (target.at === "query") {
    query.set(target.name, String(change(query.get(target.name) ?? "")));
    return { ...request, u: `${path}?${query}` };
  }
  const segments = path.split("/");
  segments[target.index] = encodeURIComponent(String(change(segments[target.index] ?? "")));
  const rest = query.size === 0 ? "" : `?${query}`;
  return { ...request, u: segments.join("/") + rest };
}

/** The request with one parameter more, its name as it is given. */
export function withParameter(request: InspectedRequest, name: string, value: string): InspectedRequest {
  const join = request.u.includes("?") ? "&" : "?";
  return { ...request, u: `${request.u}${join}${encodeURIComponent(name)}=${encodeURIComponent(value)}` };
}
