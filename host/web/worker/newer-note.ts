/** How far a note of the audit log goes, and of which log it is. */
export interface NotePlace {
  readonly log: string;
  readonly sequence: number;
}

/**
 * Of two tabs' notes of the audit log the one that goes further: a tab that has seen less must not make this machine
 * forget entries that the KDC could then take back. What cannot be read goes nowhere. Of two logs the one that was kept
 * stays: the KDC is to be held to it.
 * @param placeOf may throw where a note is of no known form
 */
export function newerNote(ours: string | null, theirs: string, placeOf: (note: string) => NotePlace): string {
  const read = (note: string | null): NotePlace | null => {
    try {
      return note === null ? null : placeOf(note);
    } catch {
      return null;
    }
  };
  const [mine, kept] = [read(ours), read(theirs)];
  if (ours === null || mine === null) {
    return theirs;
  }
  const isFurther = kept === null || (kept.log === mine.log && mine.sequence > kept.sequence);
  return isFurther ? ours : theirs;
}
