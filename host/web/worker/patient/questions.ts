import type { Consent, Region } from "../../../sealing/index.ts";
import type { AgainAsk } from "../account/questions.ts";
import type { DoctorQuestions } from "../doctor/questions.ts";

export type Purpose = Consent["purpose"];

/** A consent as its giver sees it. */
export interface Share {
  readonly consentId: string;
  /** Null where the KDC shows another key now than the consent names. */
  readonly who: string | null;
  readonly fingerprint: string;
  readonly regions: readonly Region[];
  readonly purpose: Purpose;
  readonly from: number;
  readonly until: number;
  readonly fromNow: boolean;
  readonly state: "future" | "live" | "ended" | "revoked";
  readonly revokedAt: number | null;
}

export interface Shares {
  readonly shares: readonly Share[];
  /** Handles of people whose fingerprints were compared before. */
  readonly known: readonly string[];
}

/** Somebody as the KDC shows them. */
export interface FoundReader {
  readonly handle: string;
  readonly fingerprint: string;
  /** Whether the fingerprint was compared before: and if so, whether it still is the same. */
  readonly known: "never" | "same" | "changed";
  readonly role: string;
}

export interface ShareTerms {
  readonly handle: string;
  readonly regions: readonly Region[];
  readonly purpose: Purpose;
  /** For how long from now, ms. */
  readonly forMs: number;
  readonly fromNow: boolean;
}

/** What was done so that those who remain, and nobody else, go on reading. */
export interface Done {
  readonly newKeys: readonly Region[];
  readonly wrapped: number;
  /** Readers who have another key now than their consent names. */
  readonly skipped: number;
}

export interface ShownPreview {
  readonly name: string;
  readonly from: number;
  readonly until: number;
  readonly regions: readonly {
    readonly region: Region;
    readonly contents: readonly string[];
    readonly devices: number;
    /** Readings that would open, and when they are from; null where the cloud could not be asked. */
    readonly opens: {
      readonly batches: number;
      readonly firstTime: number | null;
      readonly lastTime: number | null;
    } | null;
    /** Readings of times whose key the reader would not get. */
    readonly closedBatches: number;
    readonly record: "none" | "opens" | "later";
    /** The reader has keys of earlier times from another consent. */
    readonly had: boolean;
  }[];
  /** What they can read already, without this. */
  readonly standing: readonly { readonly regions: readonly Region[]; readonly until: number }[];
}

/** One line of the audit trail. */
export interface TrailEntry {
  readonly sequence: number;
  readonly at: number;
  /** Who: this person, one of their wearables, somebody known by handle, or somebody by role alone. */
  readonly by: "me" | "device" | "other" | "stranger" | "service";
  readonly name: string | null;
  readonly role: string | null;
  readonly action: string;
  /** Why it was refused. */
  readonly code: string | null;
  /** What it was about, as far as this machine knows. */
  readonly region: Region | null;
  readonly reason: string | null;
  /** Emergencies, and what opens a record without a consent. */
  readonly grave: boolean;
}

export interface Trail {
  /** The newest first, at most `LONGEST_TRAIL`. */
  readonly entries: readonly TrailEntry[];
  readonly total: number;
  readonly checked: {
    /** The newest entry of the whole log, which the log's key signed. */
    readonly headSequence: number | null;
    readonly headAt: number | null;
    readonly log: string | null;
    readonly links: number;
    /** The entry up to which this machine had seen the log before; null for the first time. */
    readonly before: number | null;
    /** Own entries that were seen before and are all there again. */
    readonly seenAgain: number;
  };
  /** Codes and sequence numbers of what does not hold; empty where everything does. */
  readonly faults: readonly { readonly kind: string; readonly sequence: number | null }[];
}

export interface ShownDevice {
  readonly deviceId: string;
  readonly region: Region;
  readonly pairedAt: number;
  readonly until: number;
  readonly state: "paired" | "ended" | "revoked";
  readonly revokedAt: number | null;
}

/** A new wearable, whose key lies in a file that the browser can save and no script of the page can read. */
export interface NewWearable {
  readonly deviceId: string;
  /** What to save it as; tells nothing. */
  readonly fileName: string;
  /** `blob:` address in the worker, until `forgetPairing` or the worker's end. */
  readonly fileUrl: string;
}

export interface ShownEmergency {
  readonly emergencyId: string;
  readonly phase: "pending" | "open" | "ended";
  readonly requester: string;
  readonly reason: string;
  readonly requestedAt: number;
  readonly until: number;
  readonly openedAt: number | null;
  readonly endedAt: number | null;
  readonly needed: number;
  readonly approvers: readonly string[];
}

export interface ShownTrustees {
  readonly plan: {
    readonly threshold: number;
    readonly createdAt: number;
    readonly trustees: readonly { readonly handle: string; readonly fingerprint: string }[];
  } | null;
  readonly emergencies: readonly ShownEmergency[];
  /** Somebody opened the newest key in an emergency that is over. */
  readonly newKeyDue: boolean;
  readonly most: number;
}

/** A doctor or researcher who asks for access. */
export interface ShownRequest {
  readonly requestId: string;
  readonly handle: string;
  readonly role: string;
  readonly regions: readonly Region[];
  readonly purpose: "treatment" | "research";
  readonly days: number;
  readonly reason: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Where the deletion of everything stands; it can be begun without more ado from `dueAt` on, ms. */
export interface ShownDeletion {
  readonly state: "none" | "waiting" | "begun" | "erasing" | "done";
  readonly dueAt: number | null;
}

/** What a patient's page asks of the worker. */
export interface PatientQuestions extends Pick<DoctorQuestions, "patients" | "show"> {
  readonly shares: { readonly ask: null; readonly answer: Shares };
  /** @throws MedcloudletError `ACCOUNT_UNKNOWN` */
  readonly findReader: { readonly ask: { readonly handle: string }; readonly answer: FoundReader };
  readonly previewShare: { readonly ask: ShareTerms; readonly answer: ShownPreview };
  /** @throws MedcloudletError `READER_CHANGED` where the fingerprint is not the one given */
  readonly share: {
    readonly ask: ShareTerms & { readonly fingerprint: string };
    readonly answer: { readonly consentId: string; readonly until: number };
  };
  readonly accessRequests: { readonly ask: null; readonly answer: readonly ShownRequest[] };
  /** Removes a request; who asked is not told. */
  readonly declineRequest: { readonly ask: { readonly requestId: string }; readonly answer: null };
  readonly deletion: { readonly ask: null; readonly answer: ShownDeletion };
  readonly announceDeletion: { readonly ask: AgainAsk; readonly answer: ShownDeletion };
  readonly withdrawDeletion: { readonly ask: null; readonly answer: null };
  /** Deletes everything for good, or goes on where that was cut off. */
  readonly runDeletion: {
    readonly ask: { readonly confirm: (AgainAsk & { readonly handle: string }) | null };
    readonly answer: null;
  };
  readonly revoke: { readonly ask: { readonly consentId: string }; readonly answer: Done };
  readonly trail: { readonly ask: null; readonly answer: Trail };
  readonly devices: { readonly ask: null; readonly answer: readonly ShownDevice[] };
  readonly revokeDevice: { readonly ask: { readonly deviceId: string }; readonly answer: null };
  /**
   * Pairs a wearable that writes medical readings; the first key is begun where there is none.
   * @throws MedcloudletError `DEVICE_LIMIT`, `PAIRING_PLACE_UNKNOWN`
   */
  readonly pairDevice: {
    readonly ask: { readonly forMs: number; readonly cloudletUrl: string };
    readonly answer: NewWearable;
  };
  /** The file of the last pairing is not there to be saved any more. */
  readonly forgetPairing: { readonly ask: null; readonly answer: null };
  readonly trustees: { readonly ask: null; readonly answer: ShownTrustees };
  readonly findTrustee: {
    readonly ask: { readonly handle: string };
    readonly answer: FoundReader;
  };
  readonly prepareEmergency: {
    readonly ask: {
      readonly trustees: readonly { readonly handle: string; readonly fingerprint: string }[];
      readonly threshold: number;
    };
    readonly answer: null;
  };
  readonly endOwnEmergency: { readonly ask: { readonly emergencyId: string }; readonly answer: null };
  /** Starts a new key where an emergency has opened the newest. */
  readonly newKeyAfterEmergency: { readonly ask: null; readonly answer: null };
}
