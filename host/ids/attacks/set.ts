import { createDraw } from "../evaluation/metrics.ts";
import type { InspectedRequest } from "../request.ts";
import { type AttackKind, HEADERS, NESTINGS, OPERATORS, PLACES, VALUES } from "./payloads.ts";
import { targetsOf, withParameter, withValue } from "./placing.ts";

/** The same set and the same places in the same request, wherever it runs. */
const SEED = 20_261_123;

/** One attack of the set: what it makes of an honest request. */
export interface Attack {
  /** Its kind and number, such as `sql-3`. */
  readonly id: string;
  readonly kind: AttackKind;
  /** The same request as an attacker would send it. The request given is not changed. */
  apply(request: InspectedRequest): InspectedRequest;
}

/** Values of forms and paths are often encoded once more by who wants to slip through. */
function recoded(payload: string, draw: () => number): string {
  const roll = draw();
  if (roll < 0.7) {
    return payload;
  }
  if (roll < 0.85) {
    return encodeURIComponent(payload);
  }
  return [...payload].map((character) => (draw() < 0.5 ? character.toUpperCase() : character)).join("");
}

function inValue(payload: string, seed: number): Attack["apply"] {
  return (request) => {
    const draw = createDraw(seed);
    const text = recoded(payload, draw);
    const targets = targetsOf(request);
    const target = targets[Math.floor(draw() * targets.length)] as (typeof targets)[number];
    // Half of them come behind what a person would have written there.
    const behind = draw() < 0.5;
    return withValue(request, target, (before) =>
      behind && (typeof before === "string" || typeof before === "number") ? `${before}${text}` : text,
    );
  };
}

function operator(name: string, value: unknown, seed: number): Attack["apply"] {
  return (request) => {
    const draw = createDraw(seed);
    const targets = targetsOf(request);
    const json = targets.filter(({ at }) => at === "json");
    const target = json[Math.floor(draw() * json.length)];
    if (target !== undefined) {
      return withValue(request, target, () =>
        JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`),
      );
    }
    const named = targets.find((one) => one.at === "query");
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return withParameter(request, `${named?.at === "query" ? named.name : "filter"}[${name}]`, text);
  };
}

function nesting(depth: number, by: "list" | "object" | "name", seed: number): Attack["apply"] {
  return (request) => {
    const draw = createDraw(seed);
    const json = targetsOf(request).filter(({ at }) => at === "json");
    const target = json[Math.floor(draw() * json.length)];
    if (by === "name" || target === undefined) {
      return withParameter(request, `a${"[b]".repeat(depth)}`, "1");
    }
    const [open, close] = by === "list" ? ["[", "]"] : ['{"a":', "}"];
    return withValue(request, target, () => JSON.parse(`${open.repeat(depth)}1${close.repeat(depth)}`));
  };
}

/** A place asked for by its own: no body, and the headers that the client sends anyway. */
function place(path: string): Attack["apply"] {
  return ({ headers }) => {
    const { "content-type": _, ...rest } = headers ?? {};
    return { m: "GET", u: path, headers: rest };
  };
}

function header(name: string, value: string): Attack["apply"] {
  return (request) => ({ ...request, headers: { ...request.headers, [name]: value } });
}

/**
 * The attacks that a service measures its detector with, in an order in which kinds alternate: a few in a row are of
 * several kinds. Made for this project, and always the same; `ATTACK_SET_VERSION` says which.
 */
export function attackSet(): readonly Attack[] {
  const attacks: { readonly kind: AttackKind; readonly apply: Attack["apply"] }[] = [];
  const seed = () => SEED + attacks.length;
  for (const kind of Object.keys(VALUES) as (keyof typeof VALUES)[]) {
    for (const payload of VALUES[kind]) {
      attacks.push({ kind, apply: inValue(payload, seed()) });
    }
  }
  for (const [name, value] of OPERATORS) {
    attacks.push({ kind: "nosql", apply: operator(name, value, seed()) });
  }
  for (const path of PLACES) {
    attacks.push({ kind: "scanner", apply: place(path) });
  }
  for (const [name, value] of HEADERS) {
    attacks.push({ kind: "header", apply: header(name, value) });
  }
  for (const [depth, by] of NESTINGS) {
    attacks.push({ kind: "nesting", apply: nesting(depth, by, seed()) });
  }
  const numbers = new Map<AttackKind, number>();
  const named = attacks.map(({ kind, apply }): Attack => {
    const number = (numbers.get(kind) ?? 0) + 1;
    numbers.set(kind, number);
    return { id: `${kind}-${number}`, kind, apply };
  });
  // Fisher and Yates, with the seed.
  const draw = createDraw(SEED);
  for (let i = named.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [named[i], named[j]] = [named[j] as Attack, named[i] as Attack];
  }
  return named;
}
