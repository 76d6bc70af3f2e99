import type { Request, RequestHandler } from "express";
import type { MedcloudletError } from "../base/index.ts";

/** Who a caller proved to be: by a session, or by a ticket together with the key that it is bound to. */
export interface ProvenCaller {
  readonly account?: string;
  readonly device?: string;
  /** Another service, by its account. */
  readonly peer?: string;
  /** True where the request's own key was proven, and not a bearer token alone. */
  readonly byKey: boolean;
}

/**
 * What watches a service's requests and may hold some back: the intrusion detection. It fails open: where it cannot
 * judge, it says nothing.
 */
export interface RequestWatch {
  /** The first look: address, path, query and headers. It lets everything through; who is held back shows later. */
  readonly arrive: RequestHandler;
  /** For what no route took. @throws MedcloudletError what `held` gives */
  readonly unrouted: RequestHandler;
  /** A route took the request, by its action in the policy. */
  taken(request: Request, action: string, params: Readonly<Record<string, unknown>>): void;
  /** Why this request may not go on unless its caller proves to be somebody; null where nothing speaks against it. */
  held(request: Request): MedcloudletError | null;
  /**
   * The caller proved who they are: what is held against the place they come from does not hold for them.
   * @throws MedcloudletError where something is held against themselves
   */
  proven(request: Request, caller: ProvenCaller): void;
  /**
   * How the caller stands to what the request is about, once that is known.
   * @throws MedcloudletError what is held against the caller themselves, unless they act in an emergency
   */
  related(request: Request, relation: string): void;
  /** True where this account must show its key, beside the session, before it goes on. */
  challenged(request: Request, account: string): boolean;
  /** Looks at a parsed JSON body, before anything acts on it. */
  body(request: Request, body: unknown): void;
  /** What a handler found the request to be about. */
  about(request: Request, subject: { readonly owner?: string; readonly object?: string }): void;
}
