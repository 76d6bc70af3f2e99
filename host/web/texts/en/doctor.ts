/** What is said on the doctor's views alone. */
export const DOCTOR = {
  kdcAway: (why: string) =>
    `The KDC does not answer. What is open goes on for some minutes; what is shared or taken back meanwhile does not show. It is tried again by itself. (${why})`,
  opening: (from: string) => `Older readings are being opened; back to ${from} so far.`,
  openAlerts: (count: number, word: string) => `${count} ${count === 1 ? "alert" : "alerts"}, ${word}`,
  alertsOf: "Alerts of this patient",
} as const;
