import type { FactorReset, TicketKeyAges } from "../../../client/index.ts";

/** An emergency as the officer sees it: who asks for whom, why and until when. */
export interface RunningEmergency {
  readonly id: string;
  readonly phase: "pending" | "open" | "ended";
  readonly patient: string;
  readonly requester: string;
  readonly reason: string;
  readonly approved: number;
  readonly needed: number;
  readonly requestedAt: number;
  readonly until: number;
}

export interface KeysQuestions {
  readonly ticketKeyAges: { readonly ask: null; readonly answer: TicketKeyAges };
  /** Each time it is asked, the KDC's log has an entry of it. */
  readonly runningEmergencies: { readonly ask: null; readonly answer: readonly RunningEmergency[] };
  readonly stopEmergency: {
    readonly ask: { readonly id: string; readonly reason: string };
    readonly answer: null;
  };
  readonly factorResets: { readonly ask: null; readonly answer: readonly FactorReset[] };
  readonly confirmFactorReset: { readonly ask: { readonly resetId: string }; readonly answer: null };
  /** Closes somebody's account and ends their sessions, or opens it again. */
  readonly suspendAccount: {
    readonly ask: { readonly handle: string; readonly suspended: boolean };
    readonly answer: null;
  };
}
