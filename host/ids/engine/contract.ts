import type { Hit } from "../rules/index.ts";
import type { IdsEvent } from "../scenarios/event.ts";

// What the engine is told and what it answers. The engine is a pure reducer: state and one observation give a new state
// and what follows from it. Live traffic and the replay of a log go through the very same function, in the log's order
// and by the log's clock; so the same log gives the same decisions.

/** Whom an alert or a decision is about. */
export type SubjectKind = "source" | "account" | "device";

/**
 * A suspect. `local` is this service's own pseudonym, the same for years; `shared` is the mesh's pseudonym of this epoch,
 * which every member computes alike and which means nothing in the next epoch.
 */
export interface Subject {
  readonly kind: SubjectKind;
  readonly local: string;
  readonly shared: string;
}

/** A member of the mesh as the roster names it. */
export interface Member {
  readonly id: string;
  /** Who runs it: the members of one operator are one voice, and one voice in a quorum. */
  readonly operator: string;
  readonly url: string;
  /** Ed25519 public key, base64url. */
  readonly signingKey: string;
}

/** What one member tells the others. It names a pseudonym and a rule, never an address, an account or a patient. */
export interface SharedAlert {
  readonly id: string;
  readonly member: string;
  /** Number of the pseudonyms' epoch. */
  readonly epoch: number;
  readonly subject: { readonly kind: SubjectKind; readonly shared: string };
  /** Id and content hash of the scenario or rule: only unmodified ones count. */
  readonly rule: string;
  readonly ruleHash: string;
  /** Belief that it is an attack, 0 to 1. */
  readonly score: number;
  /** Events behind it, and the time from the first to the last of them in ms. */
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

/**
 * What this service found by itself: a scenario that fired, a request that looks like an attack, or beginnings of a
 * scenario where peers had already warned (these have six tenths of the scenario's score).
 */
export interface Alert {
  readonly id: string;
  readonly at: number;
  readonly subject: Subject;
  readonly rule: string;
  readonly ruleHash: string;
  readonly about: string;
  readonly score: number;
  readonly count: number;
  readonly from: number;
  readonly to: number;
  /** What fired in which part of the request, where a request's content did it. Never the content itself. */
  readonly evidence: readonly Pick<Hit, "rule" | "place" | "name">[];
}

export type Measure = "throttle" | "challenge" | "ban";

/** One member's part in a decision. */
export interface DecisionVoice {
  readonly operator: string;
  readonly members: readonly string[];
  readonly alarm: boolean;
  readonly weight: number;
  readonly trust: number;
  readonly detection: number;
  readonly falseAlarm: number;
  readonly trimmed: boolean;
}

/** What is done about a suspect, until when, and why. */
export interface Decision {
  readonly id: string;
  readonly at: number;
  readonly until: number;
  readonly subject: Subject;
  readonly measure: Measure;
  /** `local`: on this service's own evidence. `mesh`: the members together. */
  readonly origin: "local" | "mesh";
  /** Made and written down, and not acted upon. */
  readonly simulated: boolean;
  /** Ids of the alerts, own and shared, that it rests on. */
  readonly alerts: readonly string[];
  readonly rules: readonly string[];
  /** Natural logarithm of the likelihood ratio and what it had to reach; own and peers' voices. */
  readonly logRatio: number;
  readonly threshold: number;
  readonly quorum: number;
  readonly voices: readonly DecisionVoice[];
  /** The same in words, for people. */
  readonly text: string;
}

/** How a decision ended before its time. */
export interface Ruling {
  readonly decision: string;
  /** `lift`: it was wrong; its members' false alarms count against them. `confirm`: it was right. */
  readonly ruling: "lift" | "confirm";
  readonly by: string;
  readonly reason: string;
}

/** Everything that the engine ever learns. A log of these, one JSON line each, is what `ids replay` reads. */
export type Observation =
  | { readonly kind: "settings"; readonly at: number; readonly settings: EngineSettings }
  | {
      readonly kind: "roster";
      readonly at: number;
      readonly self: string;
      readonly members: readonly Member[];
    }
  /** Own traffic, with the shared pseudonyms of those whom the event names. */
  | {
      readonly kind: "event";
      readonly at: number;
      readonly event: IdsEvent;
      readonly shared: Readonly<Partial<Record<SubjectKind, string>>>;
      /** Their pseudonyms of the epoch before, for as long as alerts that name those are taken. */
      readonly sharedBefore?: Readonly<Partial<Record<SubjectKind, string>>>;
      /** For `attack-found`: the detector's belief and what fired. */
      readonly score?: number;
      readonly evidence?: readonly Pick<Hit, "rule" | "place" | "name">[];
    }
  /** A peer's alert, its signature checked. */
  | { readonly kind: "heard"; readonly at: number; readonly alert: SharedAlert }
  | { readonly kind: "ruling"; readonly at: number; readonly ruling: Ruling }
  /** Never to be acted upon: by pseudonym, for one's own, peers, loopback where the settings say so, and by an officer's word. */
  | { readonly kind: "exempt"; readonly at: number; readonly subject: Subject; readonly until: number };

export interface EngineSettings {
  /** `simulate` decides and writes down, and lets everybody through. */
  readonly mode: "enforce" | "simulate";
  /** Chance that a suspect is an attacker, and what a miss costs in false alarms. */
  readonly prior: number;
  readonly missCost: number;
  /** How long an alert counts as a vote, and how long a measure lasts. All in ms. */
  readonly voteMs: number;
  readonly throttleMs: number;
  readonly challengeMs: number;
  readonly banMs: number;
}

/** What follows from one observation. */
export interface Consequences {
  /** To be kept. */
  readonly alerts: readonly Alert[];
  /** To be signed and sent to the peers. */
  readonly share: readonly SharedAlert[];
  readonly decisions: readonly Decision[];
  /** Ids of decisions that are over before their time. */
  readonly ended: readonly string[];
}

export interface Engine {
  /** Takes one observation in. Deterministic; driven by `at` alone. */
  observe(observation: Observation): Consequences;
  /**
   * The decision in force on any of these subjects at a time: the strictest. Simulated ones are not in force, and
   * decisions on an exempt subject neither. Changes nothing: ask it as often as you like.
   */
  inForce(subjects: readonly Pick<Subject, "kind" | "local">[], at: number): Decision | null;
  /** Members with their measured rates and trust, for the officer. */
  members(): readonly MemberStanding[];
}

export interface MemberStanding {
  readonly member: Member;
  readonly detection: number;
  readonly falseAlarm: number;
  /** Lower credible bound and mean of the trust model (host/trust), and the outcomes behind it. */
  readonly trust: number;
  readonly expectation: number;
  readonly outcomes: number;
  readonly lastHeard: number | null;
}
