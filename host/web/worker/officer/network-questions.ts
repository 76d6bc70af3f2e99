import type { ServiceId } from "./watch-questions.ts";

/** What one service measured of a member of the mesh. */
export interface Measured {
  readonly by: ServiceId;
  /** True and false positive rate, 0 to 1. */
  readonly detection: number;
  readonly falseAlarm: number;
  /** Lower credible bound of the trust, and its mean. */
  readonly trust: number;
  readonly expectation: number;
  /** Outcomes behind these numbers. */
  readonly outcomes: number;
  readonly lastHeard: number | null;
  /** Alerts that came from it since the service started, and alerts that wait to be told to it. */
  readonly alerts: number;
  readonly waiting: number;
}

export interface NetworkNode {
  readonly id: string;
  /** Null for a service that is no member of a mesh. */
  readonly operator: string | null;
  readonly url: string;
  /** The service of this page behind it; null for somebody else's. */
  readonly service: ServiceId | null;
  /** Of one's own what it answers; of somebody else's whether it was heard of within the hour. */
  readonly state: "here" | "away" | "heard" | "silent";
  readonly trouble: string | null;
  /** When any of our services last heard of it, ms. */
  readonly lastHeard: number | null;
  /** Alerts that our services had from it since they started; null where nothing tells. */
  readonly alerts: number | null;
  /** Alerts that wait until it can be reached. */
  readonly waiting: number;
  /** Its key in the mesh, base64url; null where nothing tells. */
  readonly signingKey: string | null;
  readonly measured: readonly Measured[];
}

/** Who tells whom. */
export interface NetworkEdge {
  /** Ids of nodes. */
  readonly between: readonly [string, string];
  /** When the one last heard of the other, ms; null: never since it started. */
  readonly lastHeard: number | null;
}

export interface Network {
  readonly nodes: readonly NetworkNode[];
  readonly edges: readonly NetworkEdge[];
  /** True where no service that answered has a mesh. */
  readonly meshOff: boolean;
  readonly at: number;
}

export interface NetworkQuestions {
  readonly network: { readonly ask: null; readonly answer: Network };
}
