import type { RequestHandler } from "express";
import { type Bytes, type Clock, randomBytes } from "../../base/index.ts";
import { errorFields, type Log, type RequestWatch } from "../../http/index.ts";
import type { Routes } from "../../identity/index.ts";
import type { Store } from "../../store/index.ts";
import type { AnomalyModel } from "../anomaly/model.ts";
import { createDetector } from "../detector.ts";
import type { Engine, EngineSettings, Observation, SharedAlert, Subject } from "../engine/contract.ts";
import { createEngine, DEFAULT_ENGINE_SETTINGS, logLine } from "../engine/index.ts";
import type { PeerStatus } from "../mesh/index.ts";
import type { InspectedRequest } from "../request.ts";
import { createAddresses } from "./addresses.ts";
import { createDesk } from "./desk.ts";
import { describeDetector } from "./detector-report.ts";
import { createFollowers } from "./followers.ts";
import { type Journal, noJournal } from "./journal.ts";
import { createMeasures } from "./measures.ts";
import { createMetrics, metricsHandler } from "./metrics.ts";
import { createPseudonyms, type SharedPseudonyms } from "./pseudonyms.ts";
import { addIdsRoutes } from "./routes.ts";
import { createSelfTest } from "./self-test.ts";
import { openSelfTestStore } from "./self-test-store.ts";
import { createIdsStore } from "./store.ts";
import { createTraffic } from "./traffic.ts";
import { createWatch } from "./watch.ts";

/** What a service's settings say about the intrusion detection. */
export interface IdsSettings {
  /** 32 bytes that pseudonyms are made under, in a file beside the database. */
  readonly key: Bytes;
  /** `simulate` decides and writes down, and lets everybody through; `off` watches nothing. */
  readonly mode: "enforce" | "simulate" | "off";
  /** Addresses and CIDR ranges that nothing is ever held against. */
  readonly exempt?: readonly string[];
  /** The same for loopback addresses; true without a word. */
  readonly exemptLoopback?: boolean;
  /** Days that alerts and decisions are kept. */
  readonly days?: number;
  /** What `ids train` made of benign traffic; without it rules alone judge. */
  readonly model?: AnomalyModel | undefined;
  /** SHA-256 of the model's file, hex. */
  readonly modelHash?: string | undefined;
  /** Without it there is no `/metrics`. */
  readonly metricsToken?: string | undefined;
  readonly engine?: Partial<Omit<EngineSettings, "mode">>;
}

/** The intrusion detection of one service. */
export interface Ids {
  /** What the service's app and routes ask; undefined where it is off. */
  readonly watch: RequestWatch | undefined;
  readonly metrics: RequestHandler | undefined;
  /** The officer's routes and the one to object by. */
  addRoutes(routes: Routes): void;
  /** Takes in what a peer told, a roster, or anything else that the engine must know. Never throws. */
  observe(observation: Observation): void;
  /** Nothing is held against this address from now on: a peer's. */
  exemptAddress(range: string): void;
  /** The engine's standing of members, for the mesh. */
  members: Engine["members"];
  /** Begins background work. */
  start(): void;
  /** Lets officers go who watch. */
  drain(): void;
  /** Deletes what was kept long enough; happens by itself every ten minutes. */
  sweep(): Promise<unknown>;
  /** Fulfils when everything so far is written down. */
  settled(): Promise<void>;
  /** Ends background work and writes what waits to be written. Before the store closes. */
  stop(): Promise<void>;
}

const SWEEP_EVERY_MS = 10 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
/** One fault is told once in this time: a broken disk must not fill the log. */
const TELL_FAULT_EVERY_MS = 10_000;
const FOLLOWERS = 100;
/** Requests and uploads alone are in the journal only: a store that keeps each would be busy with that. */
const EVERYDAY = new Set(["request", "upload", "login-ok", "record-read"]);
/** Exempt subjects that the engine was told of, at most; beyond it they are told again. */
const MOST_TOLD = 10_000;

/** What a service is given for its intrusion detection. */
export interface IdsParts {
  readonly settings: IdsSettings;
  /** Where observations go for a replay. */
  readonly journal?: Journal | undefined;
  /** The mesh's pseudonyms, and where alerts go that the peers shall hear. */
  readonly shared?: SharedPseudonyms | undefined;
  readonly onShare?: ((alert: SharedAlert) => void) | undefined;
  /** How far the exchange with each peer is. */
  readonly peers?: (() => Promise<readonly PeerStatus[]>) | undefined;
  /** Told of every request as a detector sees it, to train a model with. */
  readonly onRequest?: ((request: InspectedRequest) => void) | undefined;
  /** For tests of what happens when it breaks. */
  readonly engine?: Engine;
}

export interface IdsOptions extends IdsParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** For a service that watches nothing. */
export function idsOff(): IdsParts {
  return { settings: { key: randomBytes(32), mode: "off" } };
}

/**
 * Puts the intrusion detection into a service. It fails open: a fault of its own is logged, counted and told to who
 * watches, and the request goes on.
 * @throws MedcloudletError `CONFIG_INVALID` for a range that is none; the store's
 */
export async function createIds(options: IdsOptions): Promise<Ids> {
  const { store, clock, log, settings, journal = noJournal, onShare, onRequest } = options;
  const engine = options.engine ?? createEngine();
  const measures = createMeasures();
  const followers = createFollowers(FOLLOWERS);
  const addresses = createAddresses({
    exempt: settings.exempt ?? [],
    loopback: settings.exemptLoopback ?? true,
  });
  const pseudonyms = createPseudonyms(settings.key, options.shared);
  const metrics = createMetrics({
    inForce: () => measures.count(clock.now()),
    followers: () => followers.count,
    members: () => engine.members(),
  });

  const lastTold = new Map<string, { at: number; more: number }>();
  const onFault = (what: string, error: unknown): void => {
    metrics.fault(what);
    const now = clock.now();
    const before = lastTold.get(what);
    if (before !== undefined && now - before.at < TELL_FAULT_EVERY_MS) {
      before.more++;
      return;
    }
    lastTold.set(what, { at: now, more: 0 });
    log.error(
      { event: "ids_failed", reason: what, count: 1 + (before?.more ?? 0), ...errorFields(error) },
      "the intrusion detection failed; requests go on without it",
    );
    followers.publish("fault", { at: now, what });
  };
  const safely = <T>(what: string, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      onFault(what, error);
      return undefined;
    }
  };

  /** Alerts that each member sent since the start. */
  const heardFrom = new Map<string, number>();
  const kept = await createIdsStore({ store, clock, days: settings.days ?? 30, onFault });

  const observe = (observation: Observation): void => {
    safely("engine", () => {
      const followed = engine.observe(observation);
      journal.append(logLine(observation, followed));
      if (observation.kind === "event") {
        metrics.event(observation.event.kind);
        if (!EVERYDAY.has(observation.event.kind)) {
          kept.note(observation);
        }
      } else if (observation.kind === "heard") {
        metrics.heard();
        const { member } = observation.alert;
        heardFrom.set(member, 1 + (heardFrom.get(member) ?? 0));
      }
      const { alerts, decisions, ended, share } = followed;
      if (alerts.length + decisions.length + ended.length + share.length === 0) {
        return;
      }
      for (const id of ended) {
        measures.end(id);
      }
      for (const decision of decisions) {
        measures.put(decision);
        metrics.decision(decision.measure, decision.origin, decision.simulated);
        log.warn({
          event: decision.simulated ? "ids_would_decide" : "ids_decision",
          code: decision.measure,
          reason: decision.rules[0] ?? decision.origin,
        });
      }
      for (const alert of alerts) {
        metrics.alert(alert.rule);
      }
      kept.keep(followed);
      // Whoever is told of something and asks for it finds it.
      void kept.written().then(() => {
        ended.forEach((id) => void followers.publish("ended", { decision: id }));
        decisions.forEach((decision) => void followers.publish("decision", decision));
        alerts.forEach((alert) => void followers.publish("alert", alert));
      });
      for (const alert of share) {
        onShare?.(alert);
      }
    });
  };

  const exempt = (subject: Subject, until: number): void => {
    measures.exempt(subject, until);
    const { kind, local, shared } = subject;
    observe({ kind: "exempt", at: clock.now(), subject: { kind, local, shared }, until });
  };
  const told = new Map<string, number>();
  /** Exempt by address or by key: the engine hears of it when it first meets the subject, and once a day. */
  const exemptOnSight = (subject: Subject): void => {
    const now = clock.now();
    if ((told.get(subject.local) ?? 0) > now) {
      return;
    }
    if (told.size >= MOST_TOLD) {
      told.clear();
    }
    told.set(subject.local, now + DAY_MS);
    exempt(subject, now + 2 * DAY_MS);
  };

  const rules = createDetector();
  const model = settings.model === undefined ? null : createDetector({ model: settings.model });
  const traffic = createTraffic({ clock, counting: settings.mode !== "off" });
  const named = settings.model === undefined || settings.modelHash !== undefined;
  const scores = await openSelfTestStore(
    store,
    named ? `${rules.rulesHash} ${settings.modelHash ?? "rules alone"}` : null,
  );
  const selfTest =
    settings.mode === "off"
      ? null
      : createSelfTest({
          ...{ detector: model ?? rules, clock, kept: scores.kept },
          later: (work) => void setImmediate(() => safely("self-test", work)),
        });
  const keepScores = async (): Promise<void> => {
    if (selfTest !== null) {
      await scores.keep(selfTest.counts()).catch((error) => onFault("self-test", error));
    }
  };

  const desk = createDesk({
    ...{ clock, kept, measures, pseudonyms, addresses, followers, metrics, observe, exempt },
    members: () => engine.members(),
    peers: options.peers ?? (async () => []),
    alertsFrom: (member) => heardFrom.get(member) ?? 0,
    detector: () => describeDetector(settings, selfTest?.report() ?? null),
    traffic: traffic.report,
  });

  const begin = async (): Promise<void> => {
    const mode = settings.mode === "simulate" ? "simulate" : "enforce";
    const at = clock.now();
    observe({
      kind: "settings",
      at,
      settings: { ...DEFAULT_ENGINE_SETTINGS, ...settings.engine, mode },
    });
    // What was decided before the restart holds on, where the mode is still the same.
    const running = await kept.decisions.find(
      { until: { $gt: at }, endedAt: { $eq: null } },
      { sort: { at: 1 } },
    );
    for (const { decision } of running) {
      measures.put(mode === "simulate" ? { ...decision, simulated: true } : decision);
    }
    const exemptions = await kept.exemptions.find({ until: { $gt: at } });
    for (const { kind, local, shared, until } of exemptions) {
      exempt({ kind, local, shared }, until);
    }
  };
  await begin();

  const site = pseudonyms.other("site", "self");
  const watch =
    settings.mode === "off"
      ? undefined
      : createWatch({
          ...{ clock, addresses, pseudonyms, measures, site, observe, safely, onRequest, rules, model },
          exempt: exemptOnSight,
          onHeld: metrics.held,
          onAnswered: traffic.count,
          onHonest: selfTest?.took,
        });

  const settled = async (): Promise<void> => {
    await kept.settled();
    await journal.settled();
  };
  let sweeping: NodeJS.Timeout | undefined;
  return {
    watch,
    metrics: settings.metricsToken === undefined ? undefined : metricsHandler(metrics, settings.metricsToken),
    addRoutes: (routes) => addIdsRoutes(routes, { desk, kept, followers, clock }),
    observe,
    exemptAddress: (range) => void safely("exempt", () => addresses.exempt(range)),
    members: () => engine.members(),
    start() {
      if (settings.mode === "off") {
        log.warn({ event: "ids_off" }, "the intrusion detection is off");
      }
      sweeping = setInterval(() => {
        kept.sweep().catch((error) => onFault("sweep", error));
        void keepScores();
      }, SWEEP_EVERY_MS);
      sweeping.unref();
    },
    drain: () => followers.close(),
    sweep: kept.sweep,
    settled,
    async stop() {
      clearInterval(sweeping);
      followers.close();
      await keepScores();
      await settled();
    },
  };
}
