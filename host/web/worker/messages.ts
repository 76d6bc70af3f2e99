import type { AccountQuestions, NoticesTold } from "./account/questions.ts";
import type { CommunityQuestions } from "./community/questions.ts";
import type { PageAlert } from "./doctor/alert-journal.ts";
import type { DoctorQuestions } from "./doctor/questions.ts";
import type { NoteQuestions } from "./notes/questions.ts";
import type { OfficerQuestions } from "./officer/questions.ts";
import type { WatchState } from "./officer/watch-questions.ts";
import type { PatientQuestions } from "./patient/questions.ts";
import type { SeriesUpdate } from "./series.ts";
import type { LockedVault, SessionQuestions } from "./session-questions.ts";
import type { PatientRow } from "./streams.ts";

/** A question as the page asks it of the worker, where keys and opened readings live. */
export interface Exchange {
  readonly ask: unknown;
  readonly answer: unknown;
}

/** Everything that can be asked: each room of the worker names its own. */
export interface Questions
  extends SessionQuestions,
    AccountQuestions,
    DoctorQuestions,
    PatientQuestions,
    CommunityQuestions,
    NoteQuestions,
    OfficerQuestions {}
export type Question = keyof Questions;

/** What answers the questions of a room. */
export type Answers<Q> = {
  readonly [K in keyof Q]: Q[K] extends Exchange
    ? (ask: Q[K]["ask"]) => Q[K]["answer"] | Promise<Q[K]["answer"]>
    : never;
};

/** What the worker tells without being asked. */
export type Told =
  | NoticesTold
  | { readonly told: "patients"; readonly rows: readonly PatientRow[]; readonly refusedGrants: number }
  | { readonly told: "series"; readonly streamId: string; readonly updates: readonly SeriesUpdate[] }
  | { readonly told: "watch"; readonly state: WatchState }
  | { readonly told: "auditProgress"; readonly done: number; readonly total: number }
  | { readonly told: "alerts"; readonly alerts: readonly PageAlert[] }
  /** Whether the KDC answers; why not, where it does not. */
  | { readonly told: "kdc"; readonly trouble: string | null }
  /** The person's locked keystore or session changed. */
  | { readonly told: "vault"; readonly vault: LockedVault };

/** An error as it crosses from worker to page. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

export interface ToWorker {
  readonly id: number;
  readonly question: Question;
  readonly ask: unknown;
}
export type FromWorker =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly fault: Fault }
  | Told;
