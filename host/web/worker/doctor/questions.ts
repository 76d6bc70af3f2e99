import type { AlertLevel, AlertWish } from "../../../analytics/index.ts";
import type { PageAlert } from "./alert-journal.ts";

/** A wish of whoever is logged in. */
export type OwnWish = AlertWish extends infer W ? (W extends AlertWish ? Omit<W, "by"> : never) : never;

export interface AlertQuestions {
  /** Every alert that this machine keeps; each change of them comes as an event. */
  readonly alerts: { readonly ask: null; readonly answer: readonly PageAlert[] };
  readonly changeAlert: {
    /** `saw`: how grave it was on the screen. */
    readonly ask: { readonly id: string; readonly wish: OwnWish; readonly saw: AlertLevel };
    readonly answer: null;
  };
}

/** An emergency of one's own, or one that one may approve. */
export interface PageEmergency {
  readonly id: string;
  readonly phase: "pending" | "open" | "ended";
  /** The patient's handle. */
  readonly patient: string;
  readonly requester: string;
  readonly requesterFingerprint: string;
  /** Whether this fingerprint was compared before on one of one's machines; `changed`: another one was. */
  readonly requesterKnown: "yes" | "no" | "changed";
  readonly reason: string;
  readonly needed: number;
  readonly trustees: number;
  readonly requestedAt: number;
  readonly until: number;
  /** Whose approval counts now. */
  readonly approvers: readonly { readonly handle: string; readonly until: number }[];
  readonly own: boolean;
  readonly approved: boolean;
  /** What it opened on this machine. */
  readonly streamIds: readonly string[];
}

interface OfEmergency {
  readonly id: string;
}

export interface EmergencyQuestions {
  readonly emergencies: { readonly ask: null; readonly answer: readonly PageEmergency[] };
  readonly requestEmergency: {
    readonly ask: { readonly patient: string; readonly reason: string; readonly minutes: number };
    readonly answer: { readonly trustees: number; readonly needed: number };
  };
  /** `fingerprint`: the requester's, as it was compared. */
  readonly approveEmergency: {
    readonly ask: OfEmergency & { readonly requester: string; readonly fingerprint: string };
    readonly answer: { readonly opens: boolean };
  };
  readonly withdrawApproval: { readonly ask: OfEmergency; readonly answer: null };
  /** `fingerprint`: the patient's, from the card; empty where there is none. */
  readonly openEmergency: {
    readonly ask: OfEmergency & { readonly patient: string; readonly fingerprint: string };
    readonly answer: {
      readonly streamIds: readonly string[];
      /** Trustees who handed on something false. */
      readonly liars: readonly string[];
      /** False where the KDC alone says whose readings these are. */
      readonly compared: boolean;
    };
  };
  readonly endEmergency: { readonly ask: OfEmergency; readonly answer: null };
}

export type ExportFormat = "csv" | "fhir";

export interface AskingQuestions {
  /** Asks whoever has this handle for their medical readings, to treat them. */
  readonly askForAccess: {
    readonly ask: { readonly handle: string; readonly days: number; readonly reason: string };
    readonly answer: null;
  };
  readonly askedForAccess: {
    readonly ask: null;
    readonly answer: readonly {
      readonly requestId: string;
      readonly handle: string;
      readonly reason: string;
      readonly expiresAt: number;
    }[];
  };
  readonly withdrawAsking: { readonly ask: { readonly requestId: string }; readonly answer: null };
}

/** What a doctor's page asks of the worker. */
export interface DoctorQuestions extends AlertQuestions, EmergencyQuestions, AskingQuestions {
  /** Readings of a stream from `from` to before `to` (ms) as a file. */
  readonly exportReadings: {
    readonly ask: {
      readonly streamId: string;
      readonly format: ExportFormat;
      readonly from: number;
      readonly to: number;
    };
    readonly answer: Blob;
  };
  /** The list comes as an event soon; so does each change of it. */
  readonly patients: { readonly ask: null; readonly answer: null };
  /** From now on the stream's series come as events; of none for null. */
  readonly show: { readonly ask: { readonly streamId: string | null }; readonly answer: null };
}
