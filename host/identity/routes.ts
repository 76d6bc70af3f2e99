import { setTimeout } from "node:timers/promises";
import { type Request, type Response, Router } from "express";
import type { z } from "zod";
import type { AuditEvent } from "../audit/index.ts";
import { isMedcloudletError, MedcloudletError } from "../base/index.ts";
import {
  type Endpoint,
  type Method,
  type ProvenCaller,
  parseInput,
  parseJsonBody,
  type Reply,
  type RequestWatch,
  sendReply,
} from "../http/index.ts";
import { type Account, secondFactorState } from "./accounts.ts";
import { proveKey, type TicketGuard } from "./guard.ts";
import type { Login } from "./login.ts";
import {
  type Action,
  type ActionBy,
  callersOf,
  POLICY,
  type Relation,
  type Rule,
  relationsFor,
} from "./policy.ts";
import type { ProofVerifier, ProvenKey } from "./proof-verifier.ts";
import type { Grant, Scope } from "./tickets.ts";

/** What a request turned out to be about, for the audit. Never a secret, never a reading, never a name. */
export interface Subject {
  /** Account whose data it is about. */
  readonly owner?: string;
  /** Id of the device, consent, stream … it is about. */
  readonly object?: string;
  readonly details?: Readonly<Record<string, string | number>>;
}

/** Where audited requests go. Fulfils once the entry is on disk. */
export interface AuditSink {
  append(event: AuditEvent): Promise<unknown>;
}

/** What every handler gets, beside who calls. */
export interface Call<P, Q, B> {
  readonly request: Request;
  readonly response: Response;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Says who acts, where that shows only in the handler: a login, a machine that proved its key. */
  actingAs(actor: { readonly id: string; readonly role: string }): void;
  /** Says what the request is about; later words add to earlier ones. */
  concerning(subject: Subject): void;
}

export interface SessionCaller {
  readonly account: Account;
  /** The session's token. */
  readonly token: string;
}
export interface ProofCaller {
  readonly key: ProvenKey;
}
export interface TicketCaller<S extends Scope> {
  readonly ticket: string;
  readonly grant: Grant<S>;
}

/** One route. */
export interface RouteSpec<A extends Action, C, P, Q, B> {
  readonly method: Method;
  readonly path: string;
  readonly action: A;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  /** Schema of the JSON body. Without one the body is not read. */
  readonly body?: z.ZodType<B>;
  /** How the caller stands to what the request is about; without it the route serves the caller's own alone. */
  readonly relation?: (call: C & Call<P, Q, B>) => Promise<Relation> | Relation;
  /** The error where the policy does not allow the relation; `NOT_PERMITTED` without it. */
  readonly refusal?: () => MedcloudletError;
  /**
   * For open routes: whether something other than a session or a key tells that this caller was here before, so that
   * what is held against the place they come from does not lock them out.
   */
  readonly recognises?: (call: C & Call<P, Q, B>) => Promise<boolean>;
  readonly handle: (call: C & Call<P, Q, B>) => Promise<Reply> | Reply;
}

/** Declares routes; who may use each is for the policy to say. */
export interface Routes {
  readonly router: Router;
  /** Every route declared so far. */
  readonly endpoints: readonly Endpoint[];
  open<P, Q, B>(spec: RouteSpec<ActionBy<"anyone">, unknown, P, Q, B>): void;
  session<P, Q, B>(spec: RouteSpec<ActionBy<"session">, SessionCaller, P, Q, B>): void;
  proof<P, Q, B>(spec: RouteSpec<ActionBy<"proof">, ProofCaller, P, Q, B>): void;
  ticket<S extends Scope, P, Q, B>(
    scope: S,
    spec: RouteSpec<ActionBy<"ticket">, TicketCaller<S>, P, Q, B>,
  ): void;
}

/** Refusals that say something about who may do what. The rest (malformed, too large, too often) goes to the log. */
const AUDITED_STATUS = [401, 403, 404, 409, 410];

/**
 * Refusals of callers who showed nothing that anybody gave them: only these learn of a measure instead. Who has a ticket
 * that ran out must hear that, or an honest device would wait for the end of a measure that does not hold for it.
 */
const SHOWED_NOTHING = ["SESSION_INVALID", "TICKET_HOLDER_MISMATCH", "TICKET_INVALID", "TICKET_MISSING"];

/**
 * Strangers are answered at multiples of this alone: a request about a known handle has an entry and notices to wait
 * for, one about nobody has not, and whoever measured the time would learn which handles there are.
 */
const STRANGERS_STEP_MS = 100;

interface Authenticated<C> {
  /** Role, machine or scope as the policy names it. */
  readonly caller: string;
  readonly actor: string | null;
  readonly as: C;
  /** Staff without a second factor: few actions are for them. */
  readonly limited?: boolean;
  /** Who the caller proved to be, for the watch; null where anybody could have sent the same. */
  readonly proved: ProvenCaller | null;
}

async function relationOf<A extends Action, C, P, Q, B>(
  { relation }: RouteSpec<A, C, P, Q, B>,
  call: C & Call<P, Q, B>,
): Promise<Relation> {
  return relation === undefined ? "own" : relation(call);
}

/** Whom a ticket names. A reader's, a writer's and a note's author's name nobody. */
function namedIn(grant: Grant<Scope>): Omit<ProvenCaller, "byKey"> {
  switch (grant.scope) {
    case "upload":
      return { device: grant.device };
    case "forward":
      return { peer: grant.cloudlet };
    case "read":
    case "write":
    case "note":
    case "erase":
      return {};
    default:
      return { account: grant.staff };
  }
}

function missing(what: string): never {
  throw new Error(`a route needs ${what}, which this service was not given`);
}

/**
 * Makes the routes of one service. A service gives the ways of authentication that it has: the KDC `login` and
 * `proofs`, cloud and cloudlet `guard`.
 */
export function createRoutes(service: {
  readonly login?: Login;
  readonly proofs?: ProofVerifier;
  readonly guard?: TicketGuard;
  readonly audit?: AuditSink;
  readonly watch?: RequestWatch | undefined;
  /** Shows that a request is signed with an account's own key. @throws MedcloudletError `PROOF_*` */
  readonly proveAccount?: ((account: Account, request: Request) => Promise<void>) | undefined;
  /** The URL that proofs must name. */
  readonly publicUrl: () => string;
}): Routes {
  const { login, proofs, guard, audit, watch, proveAccount, publicUrl } = service;
  const router = Router();
  const endpoints: Endpoint[] = [];

  const add = <A extends Action, C, P, Q, B>(
    spec: RouteSpec<A, C, P, Q, B>,
    by: Rule["by"],
    authenticate: (request: Request, response: Response) => Promise<Authenticated<C>>,
  ): void => {
    const { method, path, action } = spec;
    const rule: Rule = POLICY[action];
    if (rule.by !== by) {
      throw new Error(`the policy knows ${action} by ${rule.by}, the route ${method} ${path} is by ${by}`);
    }
    endpoints.push({
      method,
      path,
      action,
      objectLevel: spec.relation !== undefined,
      takesJson: spec.body !== undefined,
    });

    router[method](path, async (request, response) => {
      let actor: string | null = null;
      let actorRole: string | null = null;
      let subject: Subject = {};
      const startedAt = performance.now();
      const levelTime = async (): Promise<void> => {
        if (rule.by === "anyone" && rule.audit) {
          await setTimeout(STRANGERS_STEP_MS - ((performance.now() - startedAt) % STRANGERS_STEP_MS));
        }
      };
      const record = async (outcome: "success" | "refused", code: string | null) => {
        if (rule.audit) {
          const { owner = null, object = null, details = {} } = subject;
          const requestId = request.id;
          await audit?.append({
            action,
            actor,
            actorRole,
            owner,
            object,
            outcome,
            code,
            requestId,
            details: { ...details },
          });
        }
      };

      const answer = async (): Promise<Reply> => {
        watch?.taken(request, action, request.params);
        const authenticated = await authenticate(request, response).catch((error) => {
          const isStranger = isMedcloudletError(error) && SHOWED_NOTHING.includes(error.code);
          throw (isStranger ? watch?.held(request) : null) ?? error;
        });
        if (authenticated.proved !== null) {
          watch?.proven(request, authenticated.proved);
        }
        actor = authenticated.actor;
        actorRole = actor === null ? null : authenticated.caller;
        if (authenticated.limited === true && rule.by === "session" && rule.beforeSecondFactor !== true) {
          throw new MedcloudletError(
            "SECOND_FACTOR_MISSING",
            "Staff need a second factor before anything else: enrol one with `medcloudlet account second-factor`.",
            { status: 403 },
          );
        }
        const relations = relationsFor(action, authenticated.caller);
        if (relations === undefined) {
          throw new MedcloudletError(
            "ROLE_FORBIDDEN",
            `This needs the role ${callersOf(action).join(" or ")}.`,
            { status: 403 },
          );
        }
        if (spec.body !== undefined) {
          await parseJsonBody(request, response);
          watch?.body(request, request.body);
        }
        const call = {
          ...authenticated.as,
          request,
          response,
          params: (spec.params === undefined ? undefined : parseInput(spec.params, request.params)) as P,
          query: (spec.query === undefined ? undefined : parseInput(spec.query, request.query)) as Q,
          body: (spec.body === undefined ? undefined : parseInput(spec.body, request.body)) as B,
          actingAs: ({ id, role }: { readonly id: string; readonly role: string }) => {
            actor = id;
            actorRole = role;
          },
          concerning: (more: Subject) => {
            watch?.about(request, more);
            subject = { ...subject, ...more, details: { ...subject.details, ...more.details } };
          },
        };
        const held = watch?.held(request) ?? null;
        if (held !== null && rule.by === "anyone" && (await spec.recognises?.(call)) !== true) {
          throw held;
        }
        // A key of one's own making proves nothing: only by the relation it is known whether it is anybody's.
        const keyless = rule.by === "proof" ? held : null;
        const relation = await relationOf(spec, call).catch((error) => {
          throw isMedcloudletError(error) && error.status < 500 ? (keyless ?? error) : error;
        });
        if (keyless !== null && !relations.includes(relation)) {
          throw keyless;
        }
        watch?.related(request, relation);
        if (!relations.includes(relation)) {
          throw (
            spec.refusal?.() ??
            new MedcloudletError("NOT_PERMITTED", "There is nothing here that you may do this with.", {
              status: 403,
            })
          );
        }
        return spec.handle(call);
      };

      let reply: Reply;
      try {
        reply = await answer();
      } catch (error) {
        // Of strangers who knock there is no entry: they could fill the log. Their errors are in the log lines.
        const named = actor !== null || subject.owner !== undefined;
        if (named && isMedcloudletError(error) && AUDITED_STATUS.includes(error.status)) {
          await record("refused", error.code);
        }
        await levelTime();
        throw error;
      }
      await record("success", null);
      await levelTime();
      sendReply(response, reply);
    });
  };

  return {
    router,
    endpoints,
    open: (spec) =>
      add(spec, "anyone", async () => ({ caller: "anyone", actor: null, as: {}, proved: null })),
    session: (spec) => {
      const { session } = login ?? missing("logins");
      add(spec, "session", async (request, response) => {
        const { account, token } = await session(request, response);
        const limited = secondFactorState(account) === "missing";
        const challenged = watch?.challenged(request, account._id) ?? false;
        if (challenged && proveAccount !== undefined) {
          await proveAccount(account, request);
        }
        const proved = { account: account._id, byKey: challenged };
        return { caller: account.role, actor: account._id, as: { account, token }, limited, proved };
      });
    },
    proof: (spec) => {
      const verifier = proofs ?? missing("proofs");
      // A proof says which key, not whose: the action has one kind of machine, the route's relation finds which.
      const [machine = ""] = callersOf(spec.action);
      add(spec, "proof", async (request) => ({
        caller: machine,
        actor: null,
        as: { key: await proveKey(verifier, publicUrl, request) },
        proved: null,
      }));
    },
    ticket: (scope, spec) => {
      const { authorise } = guard ?? missing("tickets");
      add(spec, "ticket", async (request) => {
        const as = await authorise(request, scope);
        return { caller: scope, actor: null, as, proved: { ...namedIn(as.grant), byKey: true } };
      });
    },
  };
}
