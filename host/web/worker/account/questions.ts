/** Password, and a code where the account has a second factor. */
export interface AgainAsk {
  readonly password: string;
  readonly code?: string;
}

export interface ShownSession {
  readonly sessionId: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  readonly agent: string;
  readonly current: boolean;
}

export interface ShownEvent {
  readonly kind: string;
  readonly lastAt: number;
  readonly count: number;
}

/** Who together can bring an account back. */
export interface ShownGuardians {
  readonly threshold: number;
  readonly createdAt: number;
  /** The handle where this person dealt with them before. */
  readonly guardians: readonly { readonly handle: string | null; readonly fingerprint: string }[];
}

/** Somebody who asks the guardians for this account. */
export interface ShownRecoveryRequest {
  readonly requestId: string;
  readonly fingerprint: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly state: "open" | "vetoed";
  readonly answers: number;
}

/** Something that the KDC told the owner of the account. */
export interface ShownNotice {
  readonly noticeId: string;
  readonly at: number;
  readonly kind: string;
  readonly who: string | null;
  readonly reason: string | null;
  readonly until: number | null;
  readonly seenAt: number | null;
}

/** What the worker tells of notices. */
export type NoticesTold = {
  readonly told: "notices";
  /** The newest first. */
  readonly notices: readonly ShownNotice[];
  /** Why nothing comes through at the moment: no news is not good news then. */
  readonly trouble: string | null;
};

/** Somebody who may be named a guardian. */
export interface FoundGuardian {
  readonly handle: string;
  readonly fingerprint: string;
  /** Whether the fingerprint was compared before: and if so, whether it still is the same. */
  readonly known: "never" | "same" | "changed";
  /** To be given back when they are named. */
  readonly card: string;
}

/** Somebody who named this person their guardian and asks for the share. */
export interface ShownGuarded {
  readonly requestId: string;
  readonly handle: string;
  readonly fingerprint: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** What everybody's page asks about guardians. */
export interface GuardianQuestions {
  readonly guardians: {
    readonly ask: null;
    readonly answer: {
      readonly named: ShownGuardians | null;
      readonly requests: readonly ShownRecoveryRequest[];
    };
  };
  /** @param ask.given handle of a doctor, or a contact card. @throws MedcloudletError `ACCOUNT_UNKNOWN`, `CONTACT_CARD_INVALID` */
  readonly findGuardian: { readonly ask: { readonly given: string }; readonly answer: FoundGuardian };
  /** @throws MedcloudletError `READER_CHANGED` where a card has not the fingerprint beside it, `PASSWORD_WRONG`, `GUARDIAN_UNKNOWN` */
  readonly nameGuardians: {
    readonly ask: AgainAsk & {
      readonly guardians: readonly Pick<FoundGuardian, "handle" | "fingerprint" | "card">[];
      readonly threshold: number;
    };
    readonly answer: null;
  };
  /** @throws MedcloudletError `PASSWORD_WRONG` */
  readonly withdrawGuardians: { readonly ask: AgainAsk; readonly answer: null };
  readonly vetoRecovery: { readonly ask: { readonly requestId: string }; readonly answer: null };
  readonly contactCard: { readonly ask: null; readonly answer: { readonly text: string } };
  readonly guarded: { readonly ask: null; readonly answer: readonly ShownGuarded[] };
  /** @throws MedcloudletError `RECOVERY_REQUESTER_CHANGED`, `RECOVERY_REQUEST_UNKNOWN` */
  readonly giveShare: {
    readonly ask: { readonly requestId: string; readonly fingerprint: string };
    readonly answer: null;
  };
}

/** What everybody's page asks about the account. */
export interface AccountQuestions extends GuardianQuestions {
  readonly sessions: { readonly ask: null; readonly answer: readonly ShownSession[] };
  readonly endSession: { readonly ask: { readonly sessionId: string }; readonly answer: null };
  readonly endOtherSessions: { readonly ask: null; readonly answer: null };
  readonly changePassword: {
    readonly ask: AgainAsk & { readonly newPassword: string };
    readonly answer: null;
  };
  readonly changePassphrase: {
    readonly ask: { readonly current: string; readonly next: string };
    readonly answer: null;
  };
  /** Makes a code and gives it this one time; an earlier one is worth nothing from then on. */
  readonly makeRecoveryCode: { readonly ask: AgainAsk; readonly answer: { readonly code: string } };
  readonly accountEvents: { readonly ask: null; readonly answer: readonly ShownEvent[] };
  /** The notices come as an event soon; so does each change of them. */
  readonly notices: { readonly ask: null; readonly answer: null };
  readonly seeNotices: { readonly ask: { readonly noticeIds: readonly string[] }; readonly answer: null };
}
