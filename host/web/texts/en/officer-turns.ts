/** What is said of what is due with keys, and of their turns. */
export const TURNS = {
  due: "What is due",
  nothing: (next: string) => `Nothing: the KDC makes the next key by itself on ${next}.`,
  overdue: (days: number) =>
    `The next ticket key was due ${days === 1 ? "a day" : `${days} days`} ago and is not there: the KDC's turn of keys does not work. An operator runs \`medcloudlet keys rotate-tickets\` now; then whoever runs the KDC looks for \`ticket_key_turn_failed\` in its log.`,
  leaked: "Has a key leaked, an operator turns it at once: `medcloudlet keys rotate-tickets --revoke`.",
  title: "Turns of the ticket keys",
  hint: "The audit log has every turn. It is verified here before any is shown.",
  none: "The log has no turn yet: the first key still signs.",
  damaged: "The log is damaged: see Audit.",
  verify: "Verify the log and show them",
  itself: "by the KDC itself, as it was time",
  ordered: (who: string) => `ordered by ${who}`,
  revoked: (who: string) => `ordered by ${who}, earlier keys revoked`,
  refused: (who: string, code: string) => `refused to ${who}: ${code}`,
  stranger: "somebody not logged in",
} as const;
