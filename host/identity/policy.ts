import type { Role } from "./accounts.ts";
import type { StaffScope } from "./tickets.ts";

/**
 * How a caller stands to what a request is about. `own`: it is theirs, or it is about nobody's in particular.
 * `granted`: its owner lets them, by a consent in force. `emergency`: enough of its owner's trustees let them, for a
 * short time. `trustee`: the owner chose them to decide over emergencies. `other`: none of these; no rule ever names it.
 */
export type Relation = "own" | "granted" | "emergency" | "trustee" | "other";

type Allowed = Exclude<Relation, "other">;

/** Who may do one thing, and whether the audit keeps an entry of each time. */
export type Rule = { readonly audit: boolean } & (
  | { readonly by: "anyone" }
  /** Somebody logged in, by role. */
  | {
      readonly by: "session";
      readonly allow: Readonly<Partial<Record<Role, readonly Allowed[]>>>;
      /** Also for staff who have yet to enrol their second factor. */
      readonly beforeSecondFactor?: true;
    }
  /** A machine that proves its key and carries nothing else. */
  | {
      readonly by: "proof";
      readonly allow: Readonly<
        Partial<
          Record<
            "device" | "cloudlet" | "requester" | "applicant" | "member" | "peer" | "helper",
            readonly Allowed[]
          >
        >
      >;
    }
  /** The holder of a ticket, by the ticket's scope. */
  | {
      readonly by: "ticket";
      readonly allow: Readonly<
        Partial<
          Record<"upload" | "forward" | "read" | "write" | "note" | "erase" | StaffScope, readonly Allowed[]>
        >
      >;
    }
);

const OWN = ["own"] as const;
const TRUSTEE = ["trustee"] as const;
const EVERYBODY = {
  patient: OWN,
  doctor: OWN,
  researcher: OWN,
  operator: OWN,
  "security-officer": OWN,
  moderator: OWN,
} as const;

/** A consent can name these; for which purpose, `host/keys/purposes.ts` says. */
const READERS = { doctor: OWN, researcher: OWN, patient: OWN } as const;
const GRANTED = ["granted"] as const;
const READERS_GRANTED = { doctor: GRANTED, researcher: GRANTED, patient: GRANTED } as const;

/**
 * Who may do what: every route of every service names one of these actions, and nothing else decides. The services
 * refuse to start with a route whose action is missing here or is of another kind, and a test sends every action
 * as everybody to their own, a granted and a foreign object.
 */
export const POLICY = {
  // KDC
  "account.register": { by: "anyone", audit: true },
  "account.show": { by: "session", audit: false, allow: EVERYBODY, beforeSecondFactor: true },
  "account.events": { by: "session", audit: false, allow: EVERYBODY },
  "account.suspend": { by: "session", audit: true, allow: { "security-officer": OWN } },
  "account.password": { by: "session", audit: true, allow: EVERYBODY },
  "session.open": { by: "anyone", audit: true },
  "session.close": { by: "session", audit: true, allow: EVERYBODY, beforeSecondFactor: true },
  "session.list": { by: "session", audit: false, allow: EVERYBODY },
  "session.end": { by: "session", audit: true, allow: EVERYBODY },
  "session.end-others": { by: "session", audit: true, allow: EVERYBODY },
  "second-factor.propose": { by: "session", audit: true, allow: EVERYBODY, beforeSecondFactor: true },
  "second-factor.confirm": { by: "session", audit: true, allow: EVERYBODY, beforeSecondFactor: true },
  "second-factor-reset.request": { by: "session", audit: true, allow: { operator: OWN } },
  "second-factor-reset.list": {
    by: "session",
    audit: false,
    allow: { operator: OWN, "security-officer": OWN },
  },
  "second-factor-reset.confirm": { by: "session", audit: true, allow: { "security-officer": OWN } },
  "backup.keep": { by: "session", audit: true, allow: EVERYBODY },
  "backup.fetch": { by: "session", audit: true, allow: EVERYBODY },
  "recovery.arm": { by: "session", audit: true, allow: EVERYBODY },
  "recovery.use": { by: "anyone", audit: true },
  "guardians.name": { by: "session", audit: true, allow: EVERYBODY },
  "guardians.withdraw": { by: "session", audit: true, allow: EVERYBODY },
  "guardians.show": { by: "session", audit: false, allow: EVERYBODY },
  "recovery-request.open": { by: "anyone", audit: true },
  "recovery-request.list": { by: "session", audit: false, allow: EVERYBODY },
  "recovery-request.veto": { by: "session", audit: true, allow: EVERYBODY },
  // The owner let them, by naming them guardians.
  "recovery-request.answer": {
    by: "session",
    audit: true,
    allow: { patient: ["granted"], doctor: ["granted"] },
  },
  "recovery-request.collect": { by: "proof", audit: true, allow: { requester: OWN } },
  // Whom each may invite, the route says.
  "invitation.make": { by: "session", audit: true, allow: { operator: OWN, "security-officer": OWN } },
  "invitation.list": { by: "session", audit: false, allow: { operator: OWN, "security-officer": OWN } },
  "invitation.withdraw": { by: "session", audit: true, allow: { operator: OWN, "security-officer": OWN } },
  "directory.look-up": { by: "session", audit: false, allow: EVERYBODY },
  "device.enrol": { by: "session", audit: true, allow: { patient: OWN } },
  "device.revoke": { by: "session", audit: true, allow: { patient: OWN } },
  "device.list": { by: "session", audit: false, allow: { patient: OWN } },
  "epoch.publish": { by: "session", audit: true, allow: { patient: OWN } },
  "epoch.list": { by: "session", audit: false, allow: { patient: OWN } },
  "consent.give": { by: "session", audit: true, allow: { patient: OWN } },
  "consent.list": { by: "session", audit: false, allow: { patient: OWN } },
  "consent.show": { by: "session", audit: false, allow: { patient: OWN } },
  "consent.revoke": { by: "session", audit: true, allow: { patient: OWN } },
  // What an asker learns, and what not, is for `host/keys/access-requests.ts`.
  "access.ask": { by: "session", audit: true, allow: { doctor: OWN, researcher: OWN } },
  "access.list": { by: "session", audit: false, allow: READERS },
  "access.end": { by: "session", audit: true, allow: READERS },
  "key.store": { by: "session", audit: true, allow: { patient: OWN } },
  "key.plan": { by: "session", audit: false, allow: { patient: OWN } },
  "grant.list": { by: "session", audit: false, allow: READERS },
  "key.release": { by: "session", audit: true, allow: READERS_GRANTED },
  // Whoever made a release tells each patient in it, by an entry in their log.
  "consent.use": { by: "session", audit: true, allow: { researcher: GRANTED } },
  "record.publish": { by: "session", audit: true, allow: { patient: OWN } },
  "record.list": { by: "session", audit: false, allow: { patient: OWN } },
  // Which version counts, to whoever may read the stream; reading it takes a ticket, of which the audit has an entry.
  "record.show": {
    by: "session",
    audit: false,
    allow: { ...READERS_GRANTED, patient: ["own", "granted"], doctor: ["granted", "emergency"] },
  },
  "ticket.read": {
    by: "session",
    audit: true,
    allow: { ...READERS_GRANTED, patient: ["own", "granted"], doctor: ["granted", "emergency"] },
  },
  "ticket.write": { by: "session", audit: true, allow: { patient: OWN } },
  // A consent that names a doctor is one for treatment: researchers and peers read, and write nothing.
  "ticket.note": { by: "session", audit: true, allow: { patient: OWN, doctor: GRANTED } },
  // Deleting what one has here: announced, then begun with the account's own key, then finished.
  "deletion.announce": { by: "session", audit: true, allow: { patient: OWN } },
  "deletion.show": { by: "session", audit: false, allow: { patient: OWN } },
  "deletion.withdraw": { by: "session", audit: true, allow: { patient: OWN } },
  "deletion.begin": { by: "session", audit: true, allow: { patient: OWN } },
  "deletion.finish": { by: "session", audit: true, allow: { patient: OWN } },
  "ticket.erase": { by: "session", audit: true, allow: { patient: OWN } },
  "ticket.upload": { by: "proof", audit: true, allow: { device: OWN } },
  "ticket.forward": { by: "proof", audit: true, allow: { cloudlet: OWN } },
  // Which of the staff's scopes, the role says.
  "ticket.staff": {
    by: "session",
    audit: true,
    allow: { operator: OWN, "security-officer": OWN, moderator: OWN, researcher: OWN },
  },
  "ticket-keys.list": { by: "anyone", audit: false },
  "ticket-keys.ages": {
    by: "session",
    audit: false,
    allow: { operator: OWN, "security-officer": OWN },
  },
  "ticket-keys.rotate": { by: "session", audit: true, allow: { operator: OWN } },
  "emergency.look-up-trustee": { by: "session", audit: false, allow: { patient: OWN } },
  "emergency.prepare": { by: "session", audit: true, allow: { patient: OWN } },
  "emergency.list-shares": { by: "session", audit: false, allow: { patient: OWN } },
  "emergency.request": { by: "session", audit: true, allow: { doctor: OWN } },
  "emergency.list": {
    by: "session",
    audit: false,
    allow: { patient: OWN, doctor: OWN, "security-officer": OWN },
  },
  "emergency.fetch-share": {
    by: "session",
    audit: true,
    allow: { doctor: TRUSTEE, "security-officer": TRUSTEE },
  },
  "emergency.approve": {
    by: "session",
    audit: true,
    allow: { doctor: TRUSTEE, "security-officer": TRUSTEE },
  },
  "emergency.withdraw": {
    by: "session",
    audit: true,
    allow: { doctor: TRUSTEE, "security-officer": TRUSTEE },
  },
  "emergency.end": { by: "session", audit: true, allow: { patient: OWN, doctor: OWN } },
  // Whoever breaks the glass is watched by somebody who can end it and has no share of what it opens.
  "emergency.list-running": { by: "session", audit: true, allow: { "security-officer": OWN } },
  "emergency.stop": { by: "session", audit: true, allow: { "security-officer": OWN } },
  // A wearable that calls, and doctors whom its call finds; who reads, trustees decide as ever.
  "emergency.call": { by: "proof", audit: true, allow: { device: OWN } },
  "emergency.call-report": { by: "proof", audit: true, allow: { device: OWN } },
  "emergency.duty": { by: "session", audit: true, allow: { doctor: OWN } },
  "emergency.release": { by: "session", audit: true, allow: { doctor: OWN } },
  "notice.list": { by: "session", audit: false, allow: EVERYBODY },
  "notice.mark-seen": { by: "session", audit: false, allow: EVERYBODY },
  "audit.read": { by: "session", audit: true, allow: { "security-officer": OWN } },
  "audit.mine": { by: "session", audit: true, allow: EVERYBODY },
  "audit.head": { by: "session", audit: false, allow: EVERYBODY },
  // Every service: what the intrusion detection found and did
  "ids.alerts": { by: "ticket", audit: false, allow: { watch: OWN } },
  "ids.decisions": { by: "ticket", audit: false, allow: { watch: OWN } },
  "ids.explain": { by: "ticket", audit: false, allow: { watch: OWN } },
  "ids.rule": { by: "ticket", audit: true, allow: { watch: OWN } },
  "ids.members": { by: "ticket", audit: false, allow: { watch: OWN } },
  "ids.detector": { by: "ticket", audit: false, allow: { watch: OWN } },
  "ids.traffic": { by: "ticket", audit: false, allow: { watch: OWN } },
  "ids.exemptions": { by: "ticket", audit: false, allow: { watch: OWN } },
  "ids.exempt": { by: "ticket", audit: true, allow: { watch: OWN } },
  "ids.exempt-end": { by: "ticket", audit: true, allow: { watch: OWN } },
  "ids.appeals": { by: "ticket", audit: false, allow: { watch: OWN } },
  "ids.follow": { by: "ticket", audit: false, allow: { watch: OWN } },
  "ids.appeal": { by: "anyone", audit: false },
  // Every service: what members of the mesh tell each other
  "mesh.tell": { by: "proof", audit: false, allow: { peer: OWN } },
  "mesh.catch-up": { by: "proof", audit: false, allow: { peer: OWN } },
  // Cloudlet
  "batch.upload": { by: "ticket", audit: false, allow: { upload: OWN } },
  // Communities, on a cloudlet. What members and moderators do there, they sign: those statements are the record of it.
  "community.found": { by: "ticket", audit: false, allow: { operate: OWN } },
  "community.list": { by: "anyone", audit: false },
  "community.show": { by: "anyone", audit: false },
  "community.join": { by: "proof", audit: false, allow: { applicant: OWN } },
  "community.members": { by: "proof", audit: false, allow: { member: OWN } },
  "community.inbox": { by: "proof", audit: false, allow: { member: OWN } },
  "community.standings": { by: "proof", audit: false, allow: { member: OWN } },
  "similarity.send": { by: "proof", audit: false, allow: { member: OWN } },
  "similarity.show": { by: "proof", audit: false, allow: { member: OWN } },
  "agreement.sign": { by: "proof", audit: false, allow: { member: OWN } },
  "agreement.list": { by: "proof", audit: false, allow: { member: OWN } },
  "question.ask": { by: "proof", audit: false, allow: { member: OWN } },
  "opening.ask": { by: "proof", audit: false, allow: { member: OWN } },
  "exchange.show": { by: "proof", audit: false, allow: { member: OWN } },
  "exchange.answer": { by: "proof", audit: false, allow: { member: OWN } },
  "exchange.decline": { by: "proof", audit: false, allow: { member: OWN } },
  "exchange.received": { by: "proof", audit: false, allow: { member: OWN } },
  "rating.give": { by: "proof", audit: false, allow: { member: OWN } },
  "rating.list": { by: "proof", audit: false, allow: { member: OWN } },
  "report.file": { by: "proof", audit: false, allow: { member: OWN } },
  "report.appeal": { by: "proof", audit: false, allow: { member: OWN } },
  "report.list": { by: "ticket", audit: false, allow: { moderate: OWN } },
  "report.show": { by: "ticket", audit: false, allow: { moderate: OWN } },
  "report.decide": { by: "ticket", audit: false, allow: { moderate: OWN } },
  // Research service
  "research.studies": { by: "ticket", audit: false, allow: { research: OWN } },
  "research.request": { by: "ticket", audit: false, allow: { research: OWN } },
  "research.show-request": { by: "ticket", audit: false, allow: { research: OWN } },
  "research.releases": { by: "ticket", audit: false, allow: { research: OWN } },
  "research.show-release": { by: "ticket", audit: false, allow: { research: OWN } },
  "research.download": { by: "ticket", audit: false, allow: { research: OWN } },
  // Helpers near an emergency, on a cloudlet. Calls are signed by devices; the KDC hears of them from those themselves.
  "helper-call.open": { by: "ticket", audit: false, allow: { upload: OWN } },
  "helper-call.show": { by: "ticket", audit: false, allow: { upload: OWN } },
  "helper-call.choose": { by: "ticket", audit: false, allow: { upload: OWN } },
  "helper.stand-by": { by: "proof", audit: false, allow: { member: OWN } },
  "helper.answer": { by: "proof", audit: false, allow: { member: OWN } },
  "helper.acknowledge": { by: "proof", audit: false, allow: { member: OWN } },
  // Cloud
  // One batch, with a cloudlet's permit for it.
  "batch.relay": { by: "proof", audit: false, allow: { helper: OWN } },
  "relay.key": { by: "anyone", audit: false },
  "batch.forward": { by: "ticket", audit: false, allow: { forward: OWN } },
  "batch.read": { by: "ticket", audit: false, allow: { read: OWN } },
  "batch.summary": { by: "ticket", audit: false, allow: { read: OWN } },
  "batch.follow": { by: "ticket", audit: false, allow: { read: OWN } },
  "record.store": { by: "ticket", audit: false, allow: { write: OWN } },
  "record.fetch": { by: "ticket", audit: false, allow: { read: OWN } },
  "note.store": { by: "ticket", audit: false, allow: { note: OWN } },
  "note.read": { by: "ticket", audit: false, allow: { read: OWN } },
  "stream.erase": { by: "ticket", audit: false, allow: { erase: OWN } },
} as const satisfies Readonly<Record<string, Rule>>;

export type Action = keyof typeof POLICY;
/** The actions of one kind of caller. */
export type ActionBy<K extends Rule["by"]> = {
  [A in Action]: (typeof POLICY)[A] extends { readonly by: K } ? A : never;
}[Action];

/** Which relations let a caller of one role, machine or scope through; undefined when none does. */
export function relationsFor(action: Action, caller: string): readonly Relation[] | undefined {
  const rule: Rule = POLICY[action];
  if (rule.by === "anyone") {
    return OWN;
  }
  return (rule.allow as Readonly<Record<string, readonly Allowed[] | undefined>>)[caller];
}

/** Who a rule lets through, for messages. */
export function callersOf(action: Action): readonly string[] {
  const rule: Rule = POLICY[action];
  return rule.by === "anyone" ? [] : Object.keys(rule.allow);
}
