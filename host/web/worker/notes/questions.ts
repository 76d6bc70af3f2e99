/** A note as a view shows it. All of it is text by other people. */
export interface NoteLine {
  readonly noteId: string;
  readonly text: string;
  readonly at: number;
  readonly retracted: boolean;
  readonly authorName: string;
  /** 64 hex digits: the patient's own, or the one that the patient's consent names. */
  readonly fingerprint: string;
  readonly by: "patient" | "doctor";
  /** True for who is logged in. */
  readonly mine: boolean;
  /** What stood there before, the newest first. */
  readonly earlier: readonly { readonly at: number; readonly text: string; readonly retracted: boolean }[];
  readonly earlierMissing: boolean;
  /** Where the words that were searched for stand: offsets from and to. */
  readonly matches: readonly (readonly [number, number])[];
}

interface OfStream {
  readonly streamId: string;
}

/** Asked by whoever reads a medical stream. */
export interface NoteQuestions {
  /** Notes beside a stream: with words those that fit, the best first; without all, the newest first. */
  readonly notes: {
    readonly ask: OfStream & { readonly words: string };
    readonly answer: {
      readonly notes: readonly NoteLine[];
      /** Notes that do not open or do not hold. */
      readonly refused: number;
      /** False for a reader without the patient's consent, in an emergency. */
      readonly mayWrite: boolean;
    };
  };
  /** `replaces`: a note of one's own, or null. */
  readonly writeNote: {
    readonly ask: OfStream & { readonly text: string; readonly replaces: string | null };
    readonly answer: null;
  };
  readonly retractNote: { readonly ask: OfStream & { readonly noteId: string }; readonly answer: null };
}
