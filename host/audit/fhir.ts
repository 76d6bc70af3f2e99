import type { AuditEntry } from "./chain.ts";
import { CODE, type Coding, codesOf, type EventAction, verbOf } from "./fhir-codes.ts";

/** Success, minor failure (refused: nothing was done), serious failure (the service's own). */
export type EventOutcome = "0" | "4" | "8";

interface Reference {
  readonly type?: "Patient" | "Practitioner" | "Person" | "Device";
  readonly identifier?: { readonly system: string; readonly value: string };
  readonly display?: string;
}

interface Concept {
  readonly coding: readonly Coding[];
}

interface Entity {
  readonly what: Reference;
  readonly type: Coding;
  readonly role: Coding;
  readonly detail?: readonly { readonly type: string; readonly valueString: string }[];
}

/** An AuditEvent of FHIR R4, as far as our entries fill it. */
export interface FhirAuditEvent {
  readonly resourceType: "AuditEvent";
  readonly id: string;
  readonly type: Coding;
  readonly subtype: readonly Coding[];
  readonly action: EventAction;
  readonly recorded: string;
  readonly outcome: EventOutcome;
  readonly outcomeDesc?: string;
  readonly purposeOfEvent?: readonly Concept[];
  readonly agent: readonly [
    {
      readonly type?: Concept;
      readonly role?: readonly Concept[];
      readonly who: Reference;
      readonly requestor: true;
    },
  ];
  readonly source: { readonly observer: Reference; readonly type: readonly Coding[] };
  readonly entity: readonly Entity[];
}

/** Codes of ours that say that a service failed, not that somebody was refused. */
const OWN_FAILURE = /^(INTERNAL|STORE_|AUDIT_|SERVICE_)/;
/** Not the preparation: that is a patient's own, long before. */
const BREAKING_GLASS = /^emergency\.(?!prepare$)/;
const MACHINES = ["device", "cloudlet", "service"];

const id = (kind: string, value: string) => ({ system: `urn:medcloudlet:${kind}`, value });

/**
 * An entry as AuditEvent of FHIR R4 (4.0.1), with codes of DICOM where there are some and the action's own name beside
 * them. People are identifiers, not references: the KDC has no Patient resources and knows no names. The entry's place in
 * the chain and its hash go along as details, so that an event can be traced back to the log that can be verified.
 * @param log id of the log, 32 hex digits
 */
export function toFhirAuditEvent(log: string, entry: AuditEntry): FhirAuditEvent {
  const { action, outcome, code } = entry;
  const { type, subtype } = codesOf(action);
  return {
    resourceType: "AuditEvent",
    id: entry.hash, // 64 characters, as many as an id may have
    type,
    subtype: [...(subtype === null ? [] : [subtype]), { system: "urn:medcloudlet:action", code: action }],
    action: verbOf(action),
    recorded: new Date(entry.at).toISOString(),
    outcome: outcome === "success" ? "0" : OWN_FAILURE.test(code ?? "") ? "8" : "4",
    ...(code === null ? {} : { outcomeDesc: code }),
    ...(BREAKING_GLASS.test(action) ? { purposeOfEvent: [{ coding: [CODE.breakGlass] }] } : {}),
    agent: [agentOf(entry)],
    source: {
      observer: {
        type: "Device",
        identifier: id("audit-log", log),
        display: "medcloudlet key distribution centre",
      },
      type: [CODE.securityServer],
    },
    entity: entitiesOf(entry),
  };
}

function agentOf({ actor, actorRole }: AuditEntry): FhirAuditEvent["agent"][0] {
  if (actorRole === null) {
    return {
      who: actor === null ? { display: "somebody who did not log in" } : { identifier: id("account", actor) },
      requestor: true,
    };
  }
  const machine = MACHINES.includes(actorRole);
  const type = machine
    ? "Device"
    : actorRole === "patient"
      ? "Patient"
      : actorRole === "doctor"
        ? "Practitioner"
        : "Person";
  return {
    type: { coding: [machine ? CODE.machine : CODE.human] },
    role: [{ coding: [{ system: "urn:medcloudlet:role", code: actorRole }] }],
    who: actor === null ? { type, display: actorRole } : { type, identifier: id("account", actor) },
    requestor: true,
  };
}

/** FHIR's strings know four kinds of white space; the others become the first of them. */
function fhirText(text: string): string {
  return text.replace(/[^ \r\n\t\S]/g, " ");
}

function entitiesOf(entry: AuditEntry): Entity[] {
  const { owner, object, sequence, hash, previous, requestId, details } = entry;
  const facts = { sequence, hash, previous, ...(requestId === null ? {} : { requestId }), ...details };
  const place: Entity = {
    what: { identifier: id("audit-entry", String(sequence)) },
    type: CODE.systemObject,
    role: CODE.securityResource,
    detail: Object.entries(facts)
      .map(([name, value]) => ({ type: name, valueString: fhirText(String(value)) }))
      .filter(({ valueString }) => valueString.trim() !== ""), // FHIR has no empty strings
  };
  return [
    ...(owner === null
      ? []
      : [
          {
            what: { type: "Patient", identifier: id("account", owner) },
            type: CODE.person,
            role: CODE.patient,
          } as const,
        ]),
    ...(object === null
      ? []
      : [
          {
            what: { identifier: id("object", object) },
            type: CODE.systemObject,
            role: CODE.securityResource,
          },
        ]),
    place,
  ];
}
