import type { KeptDecision } from "../../../client/index.ts";

/** One of the communities that the cloudlets have. */
export interface CommunityLine {
  readonly community: string;
  readonly title: string;
  readonly standing: "none" | "applied" | "joined";
  /** One's own name in it, once joined. */
  readonly name: string | null;
}

/** Another member, as one's own book has them. */
export interface PartnerLine {
  readonly pseudonym: string;
  readonly name: string;
  readonly clinician: boolean;
  readonly valid: boolean;
  /** ms; null where not suspended. */
  readonly suspendedUntil: number | null;
  /** Null until compared. */
  readonly overlap: { readonly common: number; readonly mine: number; readonly theirs: number } | null;
  /** Lower bound of trust and what is asked for, 0 to 1. */
  readonly bound: number;
  readonly threshold: number;
  readonly share: boolean;
  readonly reason: string;
  /** The gate's decision in words. */
  readonly why: string;
  /** Whether consents to them are in force though the gate is closed: that ends under Sharing alone. */
  readonly reads: boolean;
  readonly agreed: { readonly mine: boolean; readonly theirs: boolean };
  /** Who they said they are. */
  readonly card: {
    readonly handle: string;
    readonly name: string;
    readonly fingerprint: string;
    /** Whether the fingerprint was compared before: and if so, whether it still is the same. */
    readonly known: "never" | "same" | "changed";
  } | null;
}

/** A question and its answer. */
export interface ExchangeLine {
  readonly exchange: string;
  readonly partner: string;
  readonly name: string;
  /** True where one asked oneself. */
  readonly mine: boolean;
  readonly opening: boolean;
  readonly at: number;
  readonly state: "waiting" | "answered" | "declined";
  readonly question: string | null;
  readonly answer: string | null;
  readonly good: boolean | null;
  readonly reported: boolean;
  /** Why something of it is not shown: a code. */
  readonly trouble: string | null;
}

/** What moderators decided about a message of one's own, or one that one reported. */
export interface ModerationLine {
  readonly report: string;
  readonly mine: boolean;
  readonly action: "dismiss" | "warn" | "remove" | "suspend" | "lift";
  readonly until: number | null;
  readonly reason: string;
  readonly note: string | null;
  readonly at: number;
}

/** One's place in a community after a visit. */
export interface CommunityPlace {
  readonly community: string;
  readonly title: string;
  readonly name: string;
  readonly openingQuestions: readonly string[];
  readonly threshold: number;
  readonly partners: readonly PartnerLine[];
  /** Newest first. */
  readonly exchanges: readonly ExchangeLine[];
  readonly moderation: readonly ModerationLine[];
  /** To whom the gate closed at this visit, and why. */
  readonly closed: readonly { readonly name: string; readonly why: string; readonly reads: boolean }[];
}

/** What a member does. */
export type CommunityAct =
  | { readonly act: "visit" }
  | { readonly act: "compare"; readonly partner: string }
  | { readonly act: "open"; readonly partner: string; readonly question: number }
  | { readonly act: "agree"; readonly partner: string; readonly days: number }
  | { readonly act: "withdraw"; readonly partner: string }
  /** Null asks everybody who passes the gate. */
  | {
      readonly act: "ask";
      readonly partner: string | null;
      readonly text: string;
      readonly asMyself: boolean;
    }
  | { readonly act: "answer"; readonly exchange: string; readonly text: string; readonly asMyself: boolean }
  | { readonly act: "decline"; readonly exchange: string }
  | { readonly act: "rate"; readonly exchange: string; readonly good: boolean }
  | { readonly act: "report"; readonly exchange: string }
  | { readonly act: "appeal"; readonly report: string; readonly text: string }
  /** Lets a partner who said who they are read the medical part of one's record, if the gate lets it pass. */
  | {
      readonly act: "share";
      readonly partner: string;
      readonly forMs: number;
      readonly fromNow: boolean;
      /** As compared. */
      readonly fingerprint: string;
    }
  | { readonly act: "threshold"; readonly threshold: number };

/** What a patient's page asks of the worker about communities. */
export interface CommunityQuestions {
  readonly communities: {
    readonly ask: null;
    readonly answer: {
      readonly list: readonly CommunityLine[];
      /** Cloudlets that did not answer. */
      readonly away: readonly string[];
    };
  };
  /** Makes keys for a community, and an application to hand to a doctor. */
  readonly applyToCommunity: {
    readonly ask: { readonly community: string };
    readonly answer: { readonly application: string };
  };
  readonly joinCommunity: {
    readonly ask: { readonly community: string; readonly admission: string };
    readonly answer: null;
  };
  /** Does something in a community, and gives one's place in it afterwards. */
  readonly inCommunity: {
    readonly ask: { readonly community: string; readonly act: CommunityAct };
    readonly answer: CommunityPlace;
  };
  /** What one's own gate decided about a partner, newest first. */
  readonly gateDecisions: {
    readonly ask: { readonly community: string; readonly partner: string };
    readonly answer: readonly KeptDecision[];
  };
  /** One's place as a file, locked, to be taken elsewhere; the commands of a home read the same. */
  readonly exportPlace: {
    readonly ask: { readonly community: string };
    readonly answer: { readonly file: string };
  };
  readonly importPlace: { readonly ask: { readonly file: string }; readonly answer: null };
}
