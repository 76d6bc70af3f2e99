/** What is said about alerts. */
export const ALERTS = {
  title: "Alerts",
  intro:
    "Drawn on this machine from what you read, and kept locked with your keys. Nobody else sees them or is called: an alert that you acknowledge here still calls your colleagues on theirs.",
  none: "No alert is open. One is raised when a score, a trend or a silence asks for somebody.",
  loading: "Looking for alerts…",
  level: { emergency: "Emergency", urgent: "Urgent", attention: "Attention" },
  kind: {
    news2: "early-warning score",
    deviation: "unusual for this patient",
    trend: "where it leads",
    silence: "nothing measured",
    wearable: "the wearable's own call",
  } as Readonly<Record<string, string>>,
  status: {
    raised: "nobody has taken it yet",
    escalated: (tier: number) => `unanswered or graver: escalated ${tier === 1 ? "once" : `${tier} times`}`,
    acknowledged: (who: string) => `in hand: ${who}`,
    snoozed: (until: string) => `silent until ${until}`,
    resolved: "over",
    wellNow: "the readings are well now",
  },
  acknowledge: "Acknowledge",
  snooze: "Snooze…",
  resolve: "Resolve…",
  snoozeFor: "Silent for",
  minutes: (n: number) => (n < 60 ? `${n} min` : n === 60 ? "1 hour" : `${n / 60} hours`),
  until: "or until",
  untilButton: "Snooze until then",
  longest: (n: string) =>
    `An alert as grave as this one can be silent for ${n} at most; a graver reading breaks it.`,
  untilTooLate: "That is longer than an alert as grave as this one may be silent.",
  escalatedFirst: "Escalated: acknowledge it before you snooze it.",
  resolveWhy: "What it was",
  resolveHint: "Stays in the history on this machine.",
  resolveButton: "Resolve for good",
  cancel: "Cancel",
  history: "Over",
  historyEmpty: "Nothing yet.",
  historyHead: {
    level: "Level",
    patient: "Patient",
    reason: "What was found",
    raised: "Raised",
    ended: "Ended",
  },
  endedBy: (when: string, who: string | null, why: string) =>
    who === null ? `${when}: ${why}` : `${when} by ${who}: ${why}`,
  course: "What happened",
  raisedAgo: (age: string) => `raised ${age}`,
  events: {
    raised: "raised",
    worsened: "became graver",
    eased: "the readings became well",
    returned: "the readings show it again",
    acknowledged: (who: string) => `acknowledged by ${who}`,
    snoozed: (who: string, until: string) => `silenced by ${who} until ${until}`,
    woken: "the silence is over",
    escalated: (tier: number, cause: string) => `escalated (${tier}): ${cause}`,
    unanswered: "nobody answered",
    worse: "it became graver",
    resolved: (who: string | null) => (who === null ? "ended by itself" : `resolved by ${who}`),
  },
  bell: {
    words: (open: number, calling: number) =>
      open === 0
        ? "no open alerts"
        : `${open} open ${open === 1 ? "alert" : "alerts"}, ${calling} ${calling === 1 ? "waits" : "wait"} for somebody`,
    news: (level: string, patient: string, reason: string) => `${level}: ${patient}. ${reason}`,
    titleMark: (calling: number) => `(${calling}) `,
    titleFlash: (calling: number) => `⚠ ${calling} ${calling === 1 ? "ALERT" : "ALERTS"} `,
  },
  sound: {
    label: "Sound, and a flashing title, for urgent alerts on this machine",
    hint: "Also while another tab is in front, but not while this page is locked or closed: then nothing is watched.",
    blocked: "The browser plays no sound here: allow sound for this page.",
  },
} as const;
