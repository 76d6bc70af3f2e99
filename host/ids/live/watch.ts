import type { Request, RequestHandler, Response } from "express";
import type { Clock, MedcloudletError } from "../../base/index.ts";
import type { RequestWatch } from "../../http/index.ts";
import type { Detector } from "../detector.ts";
import type { Decision, Observation, Subject } from "../engine/contract.ts";
import type { InspectedRequest } from "../request.ts";
import type { IdsEvent } from "../scenarios/event.ts";
import type { Addresses } from "./addresses.ts";
import { type EventKind, kindOf } from "./answers.ts";
import { createInspection } from "./inspection.ts";
import type { Measures, Pace } from "./measures.ts";
import type { NamedSubject, Pseudonyms } from "./pseudonyms.ts";
import { redactHits } from "./redaction.ts";
import { refusalOf } from "./refusal.ts";
import { routeOf, type Seen, sharedOf } from "./seen.ts";
import type { SelfTest } from "./self-test.ts";
import { type Outcome, outcomeOf } from "./traffic.ts";

/** Answers of the watch itself are no events, or a measure would feed itself. */
const OWN_CODES = new Set(["IDS_BANNED", "IDS_CHALLENGED", "IDS_THROTTLED"]);

/** Nothing is held against these: objecting, and what machines check tickets with. */
const ALWAYS_OPEN = new Set(["ids.appeal", "ticket-keys.list"]);

/**
 * What an account that is held may still do: end what a thief does in its name, read its notices, and break-glass, which
 * has guards of its own and where a machine's mistake could cost a life. Officers can lift whatever holds.
 */
const ACCOUNT_STILL_MAY =
  /^(?:session\.(?:close|end|end-others|list)|account\.(?:show|password|events)|notice\..*|emergency\..*|ticket\.staff|ids\..*)$/;

/** What an opened emergency is read by. Whether there is one shows by the relation only. */
const READS_IN_EMERGENCY = new Set(["ticket.read", "record.show"]);

/** Routes on which a stranger names an account by its handle. */
const BY_HANDLE = new Set(["session.open", "recovery.use", "recovery-request.open"]);

/** How fast a throttled place, account or device may go on, and strangers who try the passwords of one handle. */
const REQUESTS: Pace = { burst: 5, everyMs: 1000 };
const TRIES: Pace = { burst: 3, everyMs: 30_000 };

/** A forwarded batch tells where a device is only while it is fresh: what waited in a cloudlet tells where it was. */
const FRESH_MS = 60_000;

export interface WatchRooms {
  readonly clock: Clock;
  /** Rules alone: what is looked at before anything is done. */
  readonly rules: Detector;
  /** Rules and a model of benign traffic, which judges requests as a whole. */
  readonly model: Detector | null;
  readonly addresses: Addresses;
  readonly pseudonyms: Pseudonyms;
  readonly measures: Measures;
  /** This service's own pseudonym as a place where devices arrive. */
  readonly site: string;
  /** Takes an observation in. Never throws. */
  readonly observe: (observation: Observation) => void;
  /** Told of an address that nothing may be held against. */
  readonly exempt: (subject: Subject) => void;
  /** Runs what must not keep a request from being answered; `undefined` when it failed. */
  readonly safely: <T>(what: string, work: () => T) => T | undefined;
  /** Counts what was held back, by its code, and what only would have been. */
  readonly onHeld: (what: string) => void;
  /** Counts what became of a request. */
  readonly onAnswered?: ((outcome: Outcome) => void) | undefined;
  /**
   * Told of requests that callers who had proved who they are got an answer to; not of an officer's who watches, or a
   * quiet service would be measured on that alone.
   */
  readonly onHonest?: SelfTest["took"] | undefined;
  /** Told of every request as a detector sees it, to train a model with; absent where nobody asked for that. */
  readonly onRequest?: ((request: InspectedRequest) => void) | undefined;
}

/** The watch of one service. */
export function createWatch(rooms: WatchRooms): RequestWatch {
  const { clock, addresses, pseudonyms, measures, safely } = rooms;
  const seenOf = new WeakMap<Request, Seen>();

  /** The refusal that a decision means now, or null: simulated, or throttled and not too fast. */
  const refusal = (
    seen: Seen,
    decision: Decision | null,
    now: number,
    pace: Pace = REQUESTS,
  ): MedcloudletError | null => {
    if (decision === null) {
      return null;
    }
    if (decision.simulated) {
      seen.spared = decision;
      return null;
    }
    if (decision.measure !== "throttle") {
      return refusalOf(decision, now, 0);
    }
    if (seen.passed.has(decision.id)) {
      return null;
    }
    const waitMs = measures.waitFor(decision, now, pace);
    if (waitMs > 0) {
      return refusalOf(decision, now, waitMs);
    }
    seen.passed.add(decision.id);
    return null;
  };
  /** Against a handle no more than a throttle ever holds: who fails logins on purpose must not lock its owner out. */
  const mildly = (decision: Decision | null): Decision | null =>
    decision === null ? null : { ...decision, measure: "throttle" };

  const look = (seen: Seen): void => {
    if (seen.address.exempt || (seen.action !== null && ALWAYS_OPEN.has(seen.action))) {
      seen.held = null;
      return;
    }
    const now = clock.now();
    seen.held ??= refusal(seen, measures.strictest(seen.source, now), now);
    if (seen.handle !== null) {
      seen.held ??= refusal(seen, mildly(measures.strictest(seen.handle, now)), now, TRIES);
    }
  };

  const observe = (
    seen: Seen,
    kind: EventKind,
    more: Omit<Partial<IdsEvent>, "device"> & { readonly device?: NamedSubject },
    found: Partial<Extract<Observation, { kind: "event" }>> = {},
  ): void => {
    const at = clock.now();
    const { account, peer } = seen.caller ?? {};
    const { device = wearableOf(seen, at), ...rest } = more;
    // A service that proved its key is that service, whatever address others reach us from beside it.
    const source = peer === undefined ? seen.source : pseudonyms.subject("source", `peer:${peer}`, at);
    const actor =
      account === undefined ? (seen.handle ?? undefined) : pseudonyms.subject("account", account, at);
    if (seen.address.exempt || peer !== undefined) {
      rooms.exempt(source);
    }
    rooms.observe({
      kind: "event",
      at,
      event: {
        at,
        kind,
        source: source.local,
        ...(actor === undefined ? {} : { account: actor.local }),
        ...(device === undefined ? {} : { device: device.local }),
        ...rest,
      },
      ...sharedOf({ source, account: actor, device }),
      ...found,
    });
  };
  const wearableOf = ({ caller }: Seen, at: number): NamedSubject | undefined =>
    caller?.device === undefined ? undefined : pseudonyms.subject("device", caller.device, at);

  const inspection = createInspection({
    ...rooms,
    onFound(seen, route, { score, hits }) {
      const evidence = redactHits(hits);
      observe(seen, "attack-found", route === undefined ? {} : { route }, { score, evidence });
      // What was decided upon this very request holds for it.
      look(seen);
    },
  });

  const targetOf = (seen: Seen): string | undefined => {
    const { owner, object, params } = seen;
    const fromBody = seen.body as Readonly<Record<string, unknown>> | null | undefined;
    const named = [
      owner,
      object,
      ...Object.values(params),
      fromBody?.streamId,
      fromBody?.deviceId,
      fromBody?.cloudletId,
    ].find((value) => typeof value === "string" && value !== "");
    return named === undefined ? undefined : pseudonyms.other("target", (named as string).slice(0, 256));
  };

  /** What the answer tells, once it is out. */
  const settle = (seen: Seen, request: Request, response: Response): void => {
    const code = typeof response.locals.code === "string" ? response.locals.code : null;
    const isHeld = code !== null && OWN_CODES.has(code);
    if (response.headersSent) {
      rooms.onAnswered?.(outcomeOf(response.statusCode, isHeld));
    }
    if (isHeld) {
      rooms.onHeld(code);
      return;
    }
    if (seen.spared !== null && seen.caller === null) {
      rooms.onHeld("simulated");
    }
    if (seen.body === null) {
      inspection.whole(seen, request);
    }
    const route = routeOf(request);
    const isOfficers = seen.action?.startsWith("ids.") === true;
    if (
      !isOfficers &&
      seen.caller !== null &&
      route !== undefined &&
      response.writableFinished &&
      response.statusCode < 400
    ) {
      rooms.onHonest?.(() => inspection.taken(seen, request), route, seen.score);
    }
    const kind = kindOf({ action: seen.action, code, status: response.statusCode });
    const target = targetOf(seen);
    const upload = kind === "upload" ? uploadOf(seen, request) : {};
    observe(seen, kind, {
      status: response.statusCode,
      // A path that no route has is the client's own text.
      route: route ?? `?${pseudonyms.other("path", request.path)}`,
      ...(target === undefined ? {} : { target }),
      ...upload,
    });
  };

  const uploadOf = (seen: Seen, request: Request) => {
    // How many readings are in a sealed batch nobody here can tell, and its size says little: no amount is given.
    if (seen.caller?.peer === undefined) {
      return { site: rooms.site };
    }
    // At the cloud a device shows by what its batch was found to be about.
    const device =
      seen.object === undefined ? {} : { device: pseudonyms.subject("device", seen.object, clock.now()) };
    const fresh = clock.now() - Number(request.headers["received-at"]) < FRESH_MS;
    return { ...device, ...(fresh ? { site: pseudonyms.other("site", seen.caller.peer) } : {}) };
  };

  const arrive: RequestHandler = (request, response, next) => {
    safely("arrive", () => {
      const address = addresses.parse(request.ip);
      const seen: Seen = {
        address,
        source: pseudonyms.subject("source", address.text, clock.now()),
        action: null,
        params: {},
        body: null,
        handle: null,
        caller: null,
        owner: undefined,
        object: undefined,
        held: null,
        unlessEmergency: null,
        passed: new Set(),
        score: null,
        spared: null,
      };
      seenOf.set(request, seen);
      let settled = false;
      const once = () => {
        if (!settled) {
          settled = true;
          safely("settle", () => settle(seen, request, response));
        }
      };
      response.on("finish", once);
      response.on("close", once);
      look(seen);
      if (seen.held === null) {
        inspection.first(seen, request);
      }
    });
    next();
  };

  return {
    arrive,
    unrouted(request, _response, next) {
      const seen = seenOf.get(request);
      if (seen !== undefined && seen.held !== null) {
        throw seen.held;
      }
      next();
    },
    taken(request, action, params) {
      const seen = seenOf.get(request);
      if (seen !== undefined) {
        seen.action = action;
        seen.params = params;
        if (ALWAYS_OPEN.has(action)) {
          seen.held = null;
        }
      }
    },
    held(request) {
      const seen = seenOf.get(request);
      if (seen === undefined || seen.caller !== null || seen.held === null) {
        return null;
      }
      return seen.held;
    },
    proven(request, caller) {
      const seen = seenOf.get(request);
      if (seen === undefined) {
        return;
      }
      seen.caller = caller;
      const refused = safely("proven", () => {
        const now = clock.now();
        const { account, device, byKey } = caller;
        if (account !== undefined && ACCOUNT_STILL_MAY.test(seen.action ?? "")) {
          return null;
        }
        for (const [kind, id] of [
          ["account", account],
          ["device", device],
        ] as const) {
          const decision =
            id === undefined ? null : measures.strictest(pseudonyms.subject(kind, id, now), now);
          // A challenge asks for a key, and here one was proven.
          if (decision !== null && !(decision.measure === "challenge" && byKey)) {
            return refusal(seen, decision, now);
          }
        }
        return null;
      });
      if (refused !== null && refused !== undefined) {
        if (!READS_IN_EMERGENCY.has(seen.action ?? "")) {
          throw refused;
        }
        seen.unlessEmergency = refused;
      }
    },
    related(request, relation) {
      const refused = seenOf.get(request)?.unlessEmergency ?? null;
      if (refused !== null && relation !== "emergency") {
        throw refused;
      }
    },
    challenged(request, account) {
      const seen = seenOf.get(request);
      return (
        safely("challenged", () => {
          if (seen === undefined || ACCOUNT_STILL_MAY.test(seen.action ?? "")) {
            return false;
          }
          const now = clock.now();
          const decision = measures.strictest(pseudonyms.subject("account", account, now), now);
          return (
            decision !== null &&
            decision.measure === "challenge" &&
            !decision.simulated &&
            request.get("DPoP") !== undefined
          );
        }) ?? false
      );
    },
    body(request, body) {
      const seen = seenOf.get(request);
      if (seen === undefined) {
        return;
      }
      safely("body", () => {
        seen.body = body;
        const { handle } = (body ?? {}) as { handle?: unknown };
        if (seen.caller === null && BY_HANDLE.has(seen.action ?? "") && typeof handle === "string") {
          seen.handle = pseudonyms.handle(handle.slice(0, 64), clock.now());
          look(seen);
        }
        if (seen.held !== null) {
          return;
        }
        inspection.body(seen, request, body);
      });
    },
    about(request, { owner, object }) {
      const seen = seenOf.get(request);
      if (seen !== undefined) {
        seen.owner = owner ?? seen.owner;
        seen.object = object ?? seen.object;
      }
    },
  };
}
