import type { Request } from "express";
import { MedcloudletError } from "../base/index.ts";
import type { ProofVerifier, ProvenKey } from "./proof-verifier.ts";
import type { Grant, Scope, TicketVerifier } from "./tickets.ts";

/** Lets a request through when it carries a ticket and proves the key that the ticket is bound to. */
export interface TicketGuard {
  /**
   * The request's ticket and what it grants.
   * @throws MedcloudletError `TICKET_MISSING`, `TICKET_INVALID`, `TICKET_EXPIRED`, `TICKET_SCOPE`,
   *   `TICKET_KEY_UNKNOWN`, `TICKET_HOLDER_MISMATCH`, `PROOF_INVALID`, `PROOF_REPLAYED`
   */
  authorise<S extends Scope>(request: Request, scope: S): Promise<{ ticket: string; grant: Grant<S> }>;
}

/** The URL that a proof must name: the service's public one with the request's path. */
function targetOf(request: Request, publicUrl: () => string): string {
  return publicUrl() + request.originalUrl.replace(/[?#].*$/s, "");
}

/** What was found of a request before: its proof counts once, and more than one place may ask for it. */
const found = new WeakMap<Request, Promise<ProvenKey>>();

/** Proves the key behind a request that carries no ticket: a device or cloudlet asking the KDC for one. */
export function proveKey(
  proofs: ProofVerifier,
  publicUrl: () => string,
  request: Request,
): Promise<ProvenKey> {
  let proven = found.get(request);
  if (proven === undefined) {
    proven = proofs.verify({
      proof: request.get("DPoP"),
      method: request.method,
      url: targetOf(request, publicUrl),
    });
    found.set(request, proven);
  }
  return proven;
}

export function createTicketGuard(options: {
  readonly tickets: TicketVerifier;
  readonly proofs: ProofVerifier;
  /** The URL that clients use; proofs name it. Known only once the service listens. */
  readonly publicUrl: () => string;
}): TicketGuard {
  return {
    async authorise(request, scope) {
      const ticket = /^DPoP ([\w.-]+)$/.exec(request.get("Authorization") ?? "")?.[1];
      if (ticket === undefined) {
        throw new MedcloudletError(
          "TICKET_MISSING",
          "Send a ticket of the KDC: Authorization: DPoP <ticket>.",
          { status: 401 },
        );
      }
      const grant = await options.tickets.verify(ticket, scope);
      const { thumbprint } = await options.proofs.verify({
        proof: request.get("DPoP"),
        method: request.method,
        url: targetOf(request, options.publicUrl),
        ticket,
      });
      if (thumbprint !== grant.cnf.jkt) {
        throw new MedcloudletError(
          "TICKET_HOLDER_MISMATCH",
          "This ticket belongs to the holder of another key: ask for one with your own.",
          { status: 403 },
        );
      }
      return { ticket, grant };
    },
  };
}
