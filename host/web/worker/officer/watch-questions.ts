import type {
  IdsAlert,
  IdsAppeal,
  IdsDecision,
  IdsExemption,
  IdsExplanation,
} from "../../../client/index.ts";

/** `kdc`, `cloud`, `cloudlet`, or `cloudlet-2` where there are several. */
export type ServiceId = string;

/** How it stands with one service that the officer watches. */
export interface ServiceState {
  readonly id: ServiceId;
  readonly url: string;
  readonly state: "asking" | "here" | "away";
  /** Since when it is so, ms. */
  readonly since: number;
  /** Why nothing comes from it, in words. */
  readonly trouble: string | null;
  /** When its detection last failed and let requests through, ms. */
  readonly faultAt: number | null;
}

/** Alerts about one suspect at one service: whoever repeats takes one row. */
export interface AlertGroup {
  readonly key: string;
  readonly service: ServiceId;
  readonly kind: IdsAlert["subject"]["kind"];
  /** The service's pseudonym of the suspect. */
  readonly local: string;
  readonly rules: readonly string[];
  /** The newest alert's, in the service's words. */
  readonly about: string;
  /** The strongest belief, 0 to 1. */
  readonly score: number;
  readonly alerts: number;
  /** Requests and other events behind them. */
  readonly events: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** The newest few, newest first. */
  readonly newest: readonly IdsAlert[];
}

/** A decision with the service that made it. */
export interface DecisionRow extends Omit<IdsDecision, "voices"> {
  readonly service: ServiceId;
}

export interface ExemptionRow extends IdsExemption {
  readonly service: ServiceId;
}

export interface AppealRow extends IdsAppeal {
  readonly service: ServiceId;
}

/** One minute of the chart. */
export interface MinuteCount {
  readonly alerts: number;
  readonly events: number;
  readonly decisions: number;
}

/** All that an officer watches, newest first. */
export interface WatchState {
  readonly services: readonly ServiceState[];
  readonly groups: readonly AlertGroup[];
  /** In force, then those that are over. */
  readonly decisions: readonly DecisionRow[];
  readonly exemptions: readonly ExemptionRow[];
  readonly appeals: readonly AppealRow[];
  /** The hour up to `until`, a count for each minute, the oldest first. */
  readonly minutes: readonly MinuteCount[];
  readonly until: number;
}

/** What the watch asks of the worker. */
export interface WatchQuestions {
  /** The state comes as an event soon; so does each change of it. */
  readonly watch: { readonly ask: null; readonly answer: null };
  readonly explainDecision: {
    readonly ask: { readonly service: ServiceId; readonly decision: string };
    readonly answer: IdsExplanation;
  };
  /** Ends a decision as wrong, or says that it was right. */
  readonly ruleDecision: {
    readonly ask: {
      readonly service: ServiceId;
      readonly decision: string;
      readonly ruling: "lift" | "confirm";
      readonly reason: string;
    };
    /** Other decisions that still hold for the same suspect. */
    readonly answer: { readonly stillHeld: readonly string[] };
  };
  /** Holds nothing against somebody for a while: an address at every service, whom a decision is about at its own. */
  readonly exempt: {
    readonly ask: {
      readonly about:
        | { readonly address: string }
        | { readonly service: ServiceId; readonly decision: string };
      readonly hours: number;
      readonly reason: string;
    };
    readonly answer: {
      readonly made: readonly ServiceId[];
      readonly failed: readonly { readonly service: ServiceId; readonly why: string }[];
    };
  };
  readonly endExemption: {
    readonly ask: { readonly service: ServiceId; readonly id: string };
    readonly answer: null;
  };
}
