/** What is said on the doctor's views alone. */
export const DOCTOR = {
  kdcAway: (why: string) =>
    `The KDC does not answer. What is open goes on for some minutes; what is shared or taken back meanwhile does not show. It is tried again by itself. (${why})`,
  opening: (from: string) => `Older readings are being opened; back to ${from} so far.`,
  openAlerts: (count: number, word: string) => `${count} ${count === 1 ? "alert" : "alerts"}, ${word}`,
  alertsOf: "Alerts of this patient",
  quietAlerts: (count: number) => `${count} for attention:`,
  quietAlertsOf: "Alerts of this patient, for attention only",
  asking: {
    open: "Ask a patient for access",
    what:
      "The patient sees who asks and why, and decides. You get the same answer whether or not anybody has this handle. " +
      "Read your fingerprint (under Account) to them: they compare it before they share.",
    handle: "The patient's handle, as they told it",
    reason: "Why, in one line",
    button: "Ask",
    cancel: "Cancel",
    asked: (handle: string, until: string) => `Asked ${handle}; open until ${until}.`,
    withdraw: "Take back",
    withdrawQuestion: "Sure?",
  },
} as const;
