import type { AlertWish } from "../../../analytics/index.ts";
import type { PageAlert } from "./alert-journal.ts";

/** A wish of whoever is logged in. */
export type OwnWish = AlertWish extends infer W ? (W extends AlertWish ? Omit<W, "by"> : never) : never;

export interface AlertQuestions {
  /** Every alert that this machine keeps; each change of them comes as an event. */
  readonly alerts: { readonly ask: null; readonly answer: readonly PageAlert[] };
  readonly changeAlert: {
    readonly ask: { readonly id: string; readonly wish: OwnWish };
    readonly answer: null;
  };
}

/** What a doctor's page asks of the worker. */
export interface DoctorQuestions extends AlertQuestions {
  /** The list comes as an event soon; so does each change of it. */
  readonly patients: { readonly ask: null; readonly answer: null };
  /** From now on the stream's series come as events; of none for null. */
  readonly show: { readonly ask: { readonly streamId: string | null }; readonly answer: null };
}
