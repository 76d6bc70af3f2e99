import type { Consent } from "../sealing/index.ts";
import { type Resource, uuidOf } from "./json.ts";

const TERMINOLOGY = "http://terminology.hl7.org/CodeSystem";
/** Accounts and regions of this system in FHIR: URNs of our own, for no registry has them. */
const ACCOUNT = "urn:medcloudlet:account";
const CONSENT = "urn:medcloudlet:consent";
const REGION = "urn:medcloudlet:region";

const PURPOSE: Readonly<Record<Consent["purpose"], { readonly code: string; readonly display: string }>> = {
  treatment: { code: "TREAT", display: "treatment" },
  research: { code: "HRESCH", display: "healthcare research" },
  "self-care": { code: "PATRQT", display: "patient requested" },
};

const moment = (ms: number) => new Date(ms).toISOString();
const account = (id: string, type: string) => ({ type, identifier: { system: ACCOUNT, value: id } });

/**
 * A signed consent as FHIR R4 Consent. Patient and reader appear as accounts, never by name. The policy is opt-out
 * (nothing is shared), the provision permits the exception. Regions are classes of data, for a FHIR type such as
 * Patient would let more through than one region.
 *
 * @param state.now and `revokedAt` in ms since 1970 UTC; the status is `inactive` once it ended or was revoked
 */
export function consentToFhir(
  consent: Consent,
  state: { readonly now: number; readonly revokedAt?: number },
): Resource {
  const { consentId, owner, reader, regions, purpose, from, until, createdAt } = consent;
  const ends = Math.min(until, state.revokedAt ?? until);
  return {
    resourceType: "Consent",
    id: uuidOf(`Consent ${consentId}`),
    identifier: [{ system: CONSENT, value: consentId }],
    status: state.now < ends ? "active" : "inactive",
    scope: {
      coding: [
        purpose === "research"
          ? { system: `${TERMINOLOGY}/consentscope`, code: "research", display: "Research" }
          : { system: `${TERMINOLOGY}/consentscope`, code: "patient-privacy", display: "Privacy Consent" },
      ],
    },
    category: [{ coding: [{ system: "http://loinc.org", code: "59284-0", display: "Consent Document" }] }],
    patient: account(owner, "Patient"),
    dateTime: moment(createdAt),
    performer: [account(owner, "Patient")],
    policyRule: { coding: [{ system: `${TERMINOLOGY}/v3-ActCode`, code: "OPTOUT", display: "opt-out" }] },
    provision: {
      type: "permit",
      period: { start: moment(from), end: moment(Math.max(from, ends)) },
      actor: [
        {
          role: {
            coding: [
              {
                system: `${TERMINOLOGY}/v3-ParticipationType`,
                code: "IRCP",
                display: "information recipient",
              },
            ],
          },
          reference: account(reader, purpose === "self-care" ? "Patient" : "Practitioner"),
        },
      ],
      purpose: [{ system: `${TERMINOLOGY}/v3-ActReason`, ...PURPOSE[purpose] }],
      class: regions.map((region) => ({ system: REGION, code: region })),
    },
  };
}
