import type { Quantity } from "../../sealing/index.ts";
import type { SeriesUpdate } from "./series.ts";

/** What the page asks of the worker, where keys and opened readings live, and what it gets back. */
export interface Questions {
  /** Logs in, fetches the locked keystore and unlocks it. Nothing of it is ever given back to the page. */
  readonly logIn: {
    readonly ask: {
      readonly kdcUrl: string;
      readonly handle: string;
      readonly password: string;
      readonly passphrase: string;
      readonly code?: string;
      /** A session that another program of this person opened, instead of password and code. */
      readonly session?: { readonly token: string; readonly expiresAt: number };
    };
    readonly answer: Person;
  };
  /** From now on the stream's series come as events. */
  readonly show: { readonly ask: { readonly streamId: string | null }; readonly answer: null };
  readonly logOut: { readonly ask: null; readonly answer: null };
}
export type Question = keyof Questions;

export interface Person {
  readonly handle: string;
  readonly role: string;
  readonly name: string;
  readonly fingerprint: string;
}

export interface Score {
  readonly lowerBound: number;
  readonly complete: boolean;
  readonly redFlag: boolean;
}

/** One shared stream, as a line of the list. */
export interface PatientRow {
  readonly streamId: string;
  readonly name: string;
  readonly fingerprint: string;
  /** When the consent ends, ms. */
  readonly until: number;
  readonly purpose: string;
  readonly score: Score | null;
  readonly vitals: Readonly<Partial<Record<Quantity, { readonly value: number; readonly time: number }>>>;
  /** Time of the newest reading, ms. */
  readonly lastTime: number | null;
  readonly batches: number;
  /** Batches that are not what the patient's wearable sealed, and why the last one was refused. */
  readonly refused: number;
  readonly refusal: string | null;
  readonly notShared: number;
  /** Why nothing comes through at the moment. */
  readonly trouble: string | null;
  /** Heart rate of the last hour, for a small chart. */
  readonly course: readonly (number | null)[];
}

/** What the worker tells without being asked. */
export type Told =
  | { readonly told: "patients"; readonly rows: readonly PatientRow[]; readonly refusedGrants: number }
  | { readonly told: "series"; readonly streamId: string; readonly updates: readonly SeriesUpdate[] };

/** An error as it crosses from worker to page. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

export type ToWorker = {
  [Q in Question]: { readonly id: number; readonly question: Q; readonly ask: Questions[Q]["ask"] };
}[Question];
export type FromWorker =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly fault: Fault }
  | Told;
