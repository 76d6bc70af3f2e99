import type { Request } from "express";
import type { MedcloudletError } from "../../base/index.ts";
import type { ProvenCaller } from "../../http/index.ts";
import type { Decision, SubjectKind } from "../engine/contract.ts";
import type { Address } from "./addresses.ts";
import type { NamedSubject } from "./pseudonyms.ts";

/** What is known of a request so far. */
export interface Seen {
  readonly address: Address;
  readonly source: NamedSubject;
  action: string | null;
  params: Readonly<Record<string, unknown>>;
  body: unknown;
  /** The handle of an account that a stranger tries to get into. */
  handle: NamedSubject | null;
  caller: ProvenCaller | null;
  owner: string | undefined;
  object: string | undefined;
  /** What is held against the place or the handle, looked up once. */
  held: MedcloudletError | null;
  /** What is held against the caller themselves, unless this turns out to be an emergency. */
  unlessEmergency: MedcloudletError | null;
  /** Throttles that let this request pass: it is looked at several times, and counts once. */
  readonly passed: Set<string>;
  /** What rules and model said of the request as a whole; null where they were not asked. */
  score: number | null;
  /** A simulated decision that would have held. */
  spared: Decision | null;
}

/** The pattern that took the request. */
export function routeOf(request: Request): string | undefined {
  const route = request.route as { path: string } | undefined;
  return route === undefined ? undefined : request.baseUrl + route.path;
}

/** The mesh's names of whom an event names, of this epoch and the one before. */
export function sharedOf(named: Readonly<Partial<Record<SubjectKind, NamedSubject | undefined>>>) {
  const shared: Partial<Record<SubjectKind, string>> = {};
  const sharedBefore: Partial<Record<SubjectKind, string>> = {};
  let both = false;
  for (const kind of ["source", "account", "device"] as const) {
    const subject = named[kind];
    if (subject !== undefined) {
      shared[kind] = subject.shared;
      const before = subject.sharedBefore;
      if (before !== undefined) {
        sharedBefore[kind] = before;
        both = true;
      }
    }
  }
  return both ? { shared, sharedBefore } : { shared };
}
