/** A code of a code system, as FHIR writes it. */
export interface Coding {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}

const DICOM = "http://dicom.nema.org/resources/ontology/DCM";
const HL7 = "http://terminology.hl7.org/CodeSystem";

const dicom = (code: string, display: string): Coding => ({ system: DICOM, code, display });
const hl7 = (name: string, code: string, display: string): Coding => ({
  system: `${HL7}/${name}`,
  code,
  display,
});

/** Kinds of events, from the value sets audit-event-type and audit-event-sub-type of FHIR R4 (DICOM PS3.16, CID 400, 401). */
const TYPE = {
  application: dicom("110100", "Application Activity"),
  logUsed: dicom("110101", "Audit Log Used"),
  record: dicom("110110", "Patient Record"),
  query: dicom("110112", "Query"),
  security: dicom("110113", "Security Alert"),
  authentication: dicom("110114", "User Authentication"),
} as const;

const SUBTYPE = {
  login: dicom("110122", "Login"),
  logout: dicom("110123", "Logout"),
  node: dicom("110126", "Node Authentication"),
  overrideStarted: dicom("110127", "Emergency Override Started"),
  overrideStopped: dicom("110138", "Emergency Override Stopped"),
  configuration: dicom("110129", "Security Configuration"),
  recordingStarted: dicom("110134", "Audit Recording Started"),
  objectSecurity: dicom("110135", "Object Security Attributes Changed"),
  roles: dicom("110136", "Security Roles Changed"),
  userSecurity: dicom("110137", "User Security Attributes Changed"),
} as const;

/** Create, read, update, delete, execute (audit-event-action). */
export type EventAction = "C" | "R" | "U" | "D" | "E";

/** How FHIR calls an action of ours. */
export interface ActionCodes {
  readonly type: Coding;
  readonly subtype: Coding | null;
}

/** By the longest name that an action is or begins with, up to a dot. */
const BY_ACTION: Readonly<Record<string, ActionCodes>> = {
  account: { type: TYPE.security, subtype: SUBTYPE.userSecurity },
  audit: { type: TYPE.logUsed, subtype: null },
  "audit.begin": { type: TYPE.application, subtype: SUBTYPE.recordingStarted },
  "audit.key-change": { type: TYPE.security, subtype: SUBTYPE.configuration },
  "audit.key-loss": { type: TYPE.security, subtype: SUBTYPE.configuration },
  emergency: { type: TYPE.security, subtype: SUBTYPE.overrideStarted },
  "emergency.prepare": { type: TYPE.security, subtype: SUBTYPE.objectSecurity },
  "emergency.withdraw": { type: TYPE.security, subtype: SUBTYPE.overrideStopped },
  "emergency.end": { type: TYPE.security, subtype: SUBTYPE.overrideStopped },
  consent: { type: TYPE.security, subtype: SUBTYPE.objectSecurity },
  "consent.use": { type: TYPE.record, subtype: null },
  device: { type: TYPE.security, subtype: SUBTYPE.objectSecurity },
  directory: { type: TYPE.query, subtype: null },
  epoch: { type: TYPE.security, subtype: SUBTYPE.objectSecurity },
  invitation: { type: TYPE.security, subtype: SUBTYPE.roles },
  key: { type: TYPE.security, subtype: SUBTYPE.objectSecurity },
  "key.release": { type: TYPE.record, subtype: null },
  recovery: { type: TYPE.security, subtype: SUBTYPE.userSecurity },
  session: { type: TYPE.authentication, subtype: null },
  "session.open": { type: TYPE.authentication, subtype: SUBTYPE.login },
  "session.close": { type: TYPE.authentication, subtype: SUBTYPE.logout },
  ticket: { type: TYPE.authentication, subtype: SUBTYPE.node },
  "ticket.read": { type: TYPE.record, subtype: null },
  "ticket-keys": { type: TYPE.security, subtype: SUBTYPE.configuration },
};
const OTHER: ActionCodes = { type: TYPE.application, subtype: null };

/** What an action's last word does; the rest executes something. */
const BY_VERB: Readonly<Record<string, EventAction>> = {
  register: "C",
  make: "C",
  enrol: "C",
  publish: "C",
  give: "C",
  begin: "C",
  prepare: "C",
  store: "C",
  put: "U",
  change: "U",
  rotate: "U",
  revoke: "U",
  remove: "D",
  delete: "D",
  list: "R",
  show: "R",
  read: "R",
  mine: "R",
  "fetch-share": "R",
  release: "R",
  "look-up": "R",
};

/** Type and subtype of an action. */
export function codesOf(action: string): ActionCodes {
  for (let name = action; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
    const codes = Object.hasOwn(BY_ACTION, name) ? BY_ACTION[name] : undefined;
    if (codes !== undefined) {
      return codes;
    }
  }
  return OTHER;
}

/** What an action does, in FHIR's five letters. */
export function verbOf(action: string): EventAction {
  const verb = action.slice(action.lastIndexOf(".") + 1);
  return (Object.hasOwn(BY_VERB, verb) ? BY_VERB[verb] : undefined) ?? "E";
}

/** Of the value sets of AuditEvent's other elements. */
export const CODE = {
  human: hl7("extra-security-role-type", "humanuser", "human user"),
  machine: dicom("110150", "Application"),
  securityServer: hl7("security-source-type", "6", "Security Server"),
  person: hl7("audit-entity-type", "1", "Person"),
  systemObject: hl7("audit-entity-type", "2", "System Object"),
  patient: hl7("object-role", "1", "Patient"),
  securityResource: hl7("object-role", "13", "Security Resource"),
  breakGlass: hl7("v3-ActReason", "BTG", "break the glass"),
} as const;
