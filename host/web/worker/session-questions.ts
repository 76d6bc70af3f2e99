/** Who works at this page. */
export interface Person {
  readonly accountId: string;
  readonly handle: string;
  readonly role: string;
  readonly name: string;
  readonly fingerprint: string;
  /** Staff who have to enrol a second factor before anything else. */
  readonly factorMissing: boolean;
  /** There is a second factor, and its code is asked for before what matters. */
  readonly hasFactor: boolean;
}

/** What a machine may keep of a person: nothing in it opens without the passphrase. */
export interface LockedVault {
  readonly handle: string;
  /** The keystore, locked with the passphrase, and its version at the KDC. */
  readonly keystore: string;
  readonly version: number;
  /** Session and notes of this machine, locked with a key from inside the keystore; base64url. */
  readonly memory: string;
}

interface Opened {
  readonly person: Person;
  readonly vault: LockedVault;
}

/** A session that another program of the same person opened. */
export interface KeptSession {
  readonly token: string;
  readonly expiresAt: number;
}

/** Where the services are, as the KDC's `/page.json` says. */
export interface Places {
  readonly kdcUrl: string;
  readonly cloudUrl: string;
  readonly cloudletUrls: readonly string[];
}

/** Asked by the page's frame, whoever is logged in. */
export interface SessionQuestions {
  /** Logs in, fetches the locked keystore and unlocks it. Nothing of its contents is ever given to the page. */
  readonly logIn: {
    readonly ask: {
      readonly places: Places;
      readonly handle: string;
      readonly password: string;
      readonly passphrase: string;
      readonly code?: string;
      /** Instead of password and code. */
      readonly session?: KeptSession;
    };
    readonly answer: Opened;
  };
  /** Goes on where this machine was locked. */
  readonly unlock: {
    readonly ask: { readonly places: Places; readonly vault: LockedVault; readonly passphrase: string };
    readonly answer: Opened;
  };
  /** As somebody who lost everything: asks the guardians of a handle, whoever that is, with a key for this one time. */
  readonly askGuardians: {
    readonly ask: { readonly places: Places; readonly handle: string };
    readonly answer: { readonly fingerprint: string; readonly expiresAt: number };
  };
  /**
   * Goes back in with the code on paper, or with the shares of the guardians who were asked; the keystore is locked with
   * the new passphrase and kept at the KDC, where the KDC keeps anything for this role yet.
   * @throws MedcloudletError `RECOVERY_SHARES_FEW`, `RECOVERY_REFUSED`, `RECOVERY_VETOED`, `PASSWORD_WEAK`, `KEYSTORE_PASSPHRASE_WEAK`
   */
  readonly recover: {
    readonly ask: {
      readonly places: Places;
      readonly handle: string;
      /** Null for the guardians. */
      readonly code: string | null;
      readonly newPassword: string;
      readonly passphrase: string;
    };
    readonly answer: Opened & {
      /** False where the keys are nowhere but in the answer's vault. */
      readonly kept: boolean;
    };
  };
  /** What to keep in this browser, with what another tab of the same person has kept there. */
  readonly joinVault: { readonly ask: { readonly kept: LockedVault }; readonly answer: LockedVault };
  /** Ends the session at the KDC. */
  readonly logOut: { readonly ask: null; readonly answer: null };
}
