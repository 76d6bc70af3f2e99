/** What the page says about notes beside the readings. */
export const NOTES = {
  title: "Notes",
  what: "Sealed to everybody who may read these readings, and to the patient. Searched on this machine alone.",
  search: "Search the notes",
  write: "Write a note",
  yourNote: "Your note",
  keep: "Seal and keep",
  correct: "Correct",
  retract: "Take back",
  retractQuestion: "Its words stay among the earlier ones. Sure?",
  cancel: "Cancel",
  none: "No notes yet.",
  notFound: "No note has these words.",
  patient: "the patient",
  noName: "(no name given)",
  retracted: "(taken back)",
  earlier: (count: number) => `${count} earlier ${count === 1 ? "version" : "versions"}`,
  earlierMissing: "Something before it is not shown here.",
  refused: (count: number) =>
    `${count} ${count === 1 ? "note does" : "notes do"} not open with your keys, or ${count === 1 ? "is" : "are"} not what somebody who may write here signed.`,
} as const;
