import {
  createEngine,
  DEFAULT_ENGINE_SETTINGS,
  type Engine,
  type EngineSettings,
  type IdsEvent,
  type Member,
  type Observation,
  SCENARIOS,
  type SharedAlert,
  scenarioHash,
} from "../../../host/ids/index.ts";

export const START = Date.UTC(2026, 0, 5, 8);
export const MINUTE = 60_000;
export const SECOND = 1000;

/** Some Ed25519 public keys of full order; nobody signs with them here. */
const KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

export function member(i: number, operator = `clinic-${i}`): Member {
  return { id: `cloudlet-${i}`, operator, url: `http://127.0.0.1:${5000 + i}`, signingKey: KEY };
}

/** 22 characters that stand for somebody in the mesh. */
export function shared(name: string): string {
  return name
    .replace(/[^A-Za-z0-9]/g, "_")
    .padEnd(22, "_")
    .slice(0, 22);
}

const HASHES = new Map(SCENARIOS.map((scenario) => [scenario.id, scenarioHash(scenario)]));

export function hashOf(id: string): string {
  const hash = HASHES.get(id);
  if (hash === undefined) {
    throw new Error(`no scenario ${id}`);
  }
  return hash;
}

let serial = 0;
export function alert(from: number, about: string, more: Partial<SharedAlert> = {}): SharedAlert {
  serial++;
  const rule = more.rule ?? "password-guessing";
  return {
    id: serial.toString(16).padStart(32, "0"),
    member: `cloudlet-${from}`,
    epoch: Math.floor(START / 86_400_000),
    subject: { kind: "source", shared: shared(about) },
    rule,
    ruleHash: hashOf(rule),
    score: 0.85,
    count: 9,
    from: START - MINUTE,
    to: START,
    ...more,
  };
}

export const heard = (at: number, one: SharedAlert): Observation => ({ kind: "heard", at, alert: one });

/** Somebody does something; their local pseudonym is their name. */
export function event(at: number, source: string, more: Partial<IdsEvent> = {}): Observation {
  const made: IdsEvent = { at, kind: "request", source, status: 200, ...more };
  const known = Object.fromEntries(
    (["source", "account", "device"] as const)
      .filter((kind) => made[kind] !== undefined)
      .map((kind) => [kind, shared(made[kind] as string)]),
  );
  return { kind: "event", at, event: made, shared: known };
}

export const failedLogins = (at: number, source: string, count: number): Observation[] =>
  Array.from({ length: count }, (_, i) =>
    event(at + i * SECOND, source, { kind: "login-failed", target: "victim", status: 401 }),
  );

export const uploads = (at: number, source: string, count: number): Observation[] =>
  Array.from({ length: count }, (_, i) =>
    event(at + i * SECOND, source, {
      kind: "upload",
      device: `device-of-${source}`,
      amount: 60,
      status: 202,
    }),
  );

/** What every engine here is told first. */
export function beginning(
  size: number,
  more: { settings?: Partial<EngineSettings>; self?: number; members?: readonly Member[] } = {},
): Observation[] {
  return [
    { kind: "settings", at: START, settings: { ...DEFAULT_ENGINE_SETTINGS, ...more.settings } },
    {
      kind: "roster",
      at: START,
      self: `cloudlet-${more.self ?? 0}`,
      members: more.members ?? Array.from({ length: size }, (_, i) => member(i)),
    },
  ];
}

export function engineOf(size: number, more: Parameters<typeof beginning>[1] = {}): Engine {
  const engine = createEngine();
  tell(engine, beginning(size, more));
  return engine;
}

/** All that follows from these observations. */
export function tell(engine: Engine, observations: readonly Observation[]) {
  const all = observations.map((observation) => engine.observe(observation));
  return {
    alerts: all.flatMap(({ alerts }) => alerts),
    share: all.flatMap(({ share }) => share),
    decisions: all.flatMap(({ decisions }) => decisions),
    ended: all.flatMap(({ ended }) => ended),
  };
}

export const measureOn = (engine: Engine, source: string, at: number) =>
  engine.inForce([{ kind: "source", local: source }], at);
