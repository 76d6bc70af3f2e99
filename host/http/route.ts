import type { Response } from "express";
import type { Bytes } from "../base/index.ts";

export type Method = "get" | "post" | "put" | "delete";

/** A route as a list shows it: the audit, the policy and the tests go by `action`. */
export interface Endpoint {
  readonly method: Method;
  /** Express path under `/v1`. */
  readonly path: string;
  readonly action: string;
  /** True when who may depends on what the request is about, not only on who asks. */
  readonly objectLevel: boolean;
  /** True when it reads a JSON body. */
  readonly takesJson: boolean;
}

/** What a route answers. Handlers return it, so that nothing leaves before the audit has its entry. */
export type Reply = { readonly status: number; readonly headers?: Readonly<Record<string, string>> } & (
  | { readonly json: unknown }
  | { readonly bytes: Bytes }
  | { readonly empty: true }
  /** Takes the response over: an event stream. */
  | { readonly stream: (response: Response) => void }
);

/** Sends a reply. */
export function sendReply(response: Response, reply: Reply): void {
  if ("stream" in reply) {
    reply.stream(response);
    return;
  }
  response.status(reply.status).set({ ...reply.headers });
  if ("json" in reply) {
    response.json(reply.json);
  } else if ("bytes" in reply) {
    response.send(Buffer.from(reply.bytes));
  } else {
    response.end();
  }
}
