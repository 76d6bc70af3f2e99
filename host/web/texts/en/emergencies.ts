/** What is said about break-glass. */
export const EMERGENCIES = {
  title: "Emergencies",
  intro:
    "When somebody's life is in danger and they cannot share their readings with you, the trustees whom they chose can open them together, for a while.",
  loading: "Asking what goes on…",
  none: "Nothing goes on: you asked for nothing, and nobody needs you as a trustee.",
  going: "Going on",
  ask: {
    title: "Break the glass",
    open: "Ask for access…",
    patient: "Patient's handle",
    patientHint: "as on the card they carry, for example quiet-otter",
    reason: "Why",
    reasonHint:
      "10 to 500 characters. The patient, the trustees, the KDC's staff and its audit log see it: no names, no diagnosis.",
    minutes: "For how long",
    minutesOf: (n: number) => (n < 60 ? `${n} minutes` : n === 60 ? "1 hour" : `${n / 60} hours`),
    means: [
      "The patient is told at once: your handle, your reason, and each approval.",
      "So are the trustees. Enough of them have to agree within 15 minutes; you cannot agree for yourself.",
      "It opens medical readings only, and ends by itself at its time. You can end it sooner.",
      "Every step stands in the audit log for good. What you read cannot be unread.",
    ],
    button: "Ask the trustees",
    sure: "Ask, and tell the patient now?",
    cancel: "Cancel",
    asked: (trustees: number, needed: number) =>
      `The patient and ${trustees} trustees have been told; ${needed} of them have to agree.`,
  },
  entry: {
    ownTitle: (patient: string) => `Your request for ${patient}`,
    title: (requester: string, patient: string) => `${requester} asks for ${patient}`,
    reason: "Reason",
    approvals: "Agreed",
    approvalsOf: (count: number, needed: number, who: string) =>
      `${count} of ${needed}${who === "" ? "" : `: ${who}`}`,
    ends: "Ends",
    endsAt: (when: string, left: string) => `${when}, ${left}`,
    phase: { pending: "waits for trustees", open: "open", ended: "over" },
    left: (minutes: number) => (minutes < 1 ? "less than a minute left" : `${minutes} min left`),
  },
  approve: {
    fingerprint: "Fingerprint of who asks",
    compare: (requester: string) =>
      `I have compared this fingerprint with ${requester}, by telephone or in person.`,
    known: "The same that you compared before.",
    changed:
      "NOT the fingerprint that you compared before. Do not agree: speak with them, and tell a security officer.",
    means: "If you agree, your share of the patient's keys goes to them and to nobody else.",
    button: "Agree",
    sure: "Hand my share on?",
    done: "You agreed. It counts for 15 minutes, until enough others have agreed as well.",
    opens: "You agreed, and it is open now.",
    withdraw: "Take my approval back",
  },
  open: {
    card: "Fingerprint on the patient's card",
    cardHint:
      "64 hexadecimal digits. Leave it empty if no card can be found: then the KDC alone says who this is.",
    button: "Open the readings",
    notCompared:
      "Nobody has compared the patient's fingerprint: whether these are their readings, the KDC alone says.",
    liars: (who: string) => `${who} handed on a false share: tell the security officer.`,
    show: "Show the patient",
    end: "End it now",
    sure: "End it for good?",
  },
  row: (left: string) => `EMERGENCY ACCESS, ${left}`,
} as const;
