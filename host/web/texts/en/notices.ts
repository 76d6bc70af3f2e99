/** What the bell in the bar says. */
export const NOTICES = {
  /** Begins with what is seen, for who says it aloud. */
  bell: (unseen: string) => `Notices: ${unseen} new`,
  title: "What you are told",
  none: "Nothing yet.",
  seen: "Mark as seen",
  seenAll: "Mark all as seen",
  close: "Close",
  trouble: (why: string) => `No news can be fetched at the moment, so none does not mean none: ${why}`,
  because: (reason: string) => `Reason given: “${reason}”`,
  until: (date: string) => `Until ${date} at the latest.`,
  somebody: "Somebody",
  kinds: {
    "emergency.requested": (who: string) =>
      `${who} asks your trustees to open your medical data in an emergency.`,
    "emergency.approved": (who: string) => `${who}, your trustee, has agreed to the emergency.`,
    "emergency.approval-withdrawn": (who: string) => `${who}, your trustee, has taken the agreement back.`,
    "emergency.opened": (who: string) => `Your medical data are OPEN to ${who}.`,
    "emergency.ended": () => "The emergency is over; nothing more is given out. What was read stays read.",
    "emergency.stopped": (who: string) => `${who}, a security officer, has ended the emergency.`,
    "access.requested": (who: string) =>
      `${who} asks to read your record. Nothing is shared before you say so, under Sharing.`,
    "deletion.announced": () =>
      "The deletion of everything was announced. Was it not you? Take it back, under Account.",
    "deletion.withdrawn": () => "The deletion was taken back: nothing is deleted.",
    "patient.deleted": (who: string) => `${who} has deleted their account and everything in it.`,
    "guardian.asked": (who: string) =>
      `${who}, whose guardian you are, asks for your share. Answer under Account, after you have talked.`,
    "emergency.approval-needed": (who: string) => `${who} needs you as a trustee in an emergency.`,
  } as Readonly<Record<string, (who: string) => string>>,
  other: (kind: string, who: string) => `${kind}, ${who}`,
  /** Account events, on the account's view and as notices. */
  account: {
    "password-changed": "The password of your account was changed.",
    "second-factor-enrolled": "A second factor was enrolled.",
    "second-factor-reset-requested": "An operator asks to take your second factor away.",
    "second-factor-reset": "Your second factor was taken away.",
    "recovery-code-set": "A recovery code was made.",
    "guardians-set": "Guardians were chosen.",
    "guardians-withdrawn": "Your account has no guardians any more.",
    "recovery-requested": "Somebody asks your guardians to recover your account.",
    "recovery-share-given": "A guardian gave a share for the recovery of your account.",
    recovered: "Your account was recovered.",
    "recovery-failed": "Somebody tried to recover your account and failed.",
    suspended: "Your account was closed by a security officer.",
    "suspension-lifted": "Your account was opened again by a security officer.",
  } as Readonly<Record<string, string>>,
} as const;
