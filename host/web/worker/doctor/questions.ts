/** What a doctor's page asks of the worker. */
export interface DoctorQuestions {
  /** The list comes as an event soon; so does each change of it. */
  readonly patients: { readonly ask: null; readonly answer: null };
  /** From now on the stream's series come as events; of none for null. */
  readonly show: { readonly ask: { readonly streamId: string | null }; readonly answer: null };
}
