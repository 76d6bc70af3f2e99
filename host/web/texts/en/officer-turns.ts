const days = (count: number) => `${count.toLocaleString("en")} ${count === 1 ? "day" : "days"}`;

/** What is said of what is due with keys, and of their turns. */
export const TURNS = {
  due: "What is due",
  nothing: (next: string) => `Nothing: the KDC makes the next key by itself on ${next}.`,
  who: "An operator, on a machine with their keys:",
  duties: {
    turn: {
      title: "A new ticket key",
      overdue: (count: number) =>
        `The next key was due ${days(count)} ago and is not there: the KDC's turn of keys does not work. Until it does, every day more tickets hang on one key.`,
      command: "medcloudlet keys rotate-tickets",
      after:
        "Then whoever runs the KDC looks for ticket_key_turn_failed in its log: most often the file with the keys cannot be written.",
    },
    tidy: {
      title: "An old ticket key",
      overdue: (count: number) =>
        `A retired key should have been forgotten ${days(count)} ago and is still published: the KDC does not tidy up.`,
      command: "medcloudlet serve kdc",
      after: "Whoever runs the KDC starts it anew, and looks for ticket_key_turn_failed in its log.",
    },
  },
  leaked: "Has a key leaked, an operator turns it at once:",
  leakedCommand: "medcloudlet keys rotate-tickets --revoke",
  title: "Turns of the ticket keys",
  hint: "The audit log has every turn: by the KDC itself, or ordered by an operator. It is verified on your machine before any of it is shown.",
  none: "The log has no turn yet: the first key still signs.",
  damaged: "The log is damaged: what stands here may not be all. See Audit.",
  verify: "Verify the log and show them",
  verifying: "Verifying…",
  when: "When",
  what: "What",
  key: "Key",
  itself: "by the KDC itself, as it was time",
  ordered: (who: string) => `ordered by ${who}`,
  revoked: (who: string) => `ordered by ${who}, earlier keys revoked`,
  refused: (who: string, code: string) => `refused to ${who}: ${code}`,
  account: (role: string, id: string) => `${role} ${id}`,
  stranger: "somebody not logged in",
} as const;
