import { z } from "zod";
import type { Concept, PatientRecord } from "../patient-record/index.ts";
import {
  address,
  addressFrom,
  codeableConcept,
  coding,
  conceptFrom,
  type Draft,
  text,
  toAddress,
  toCoding,
  toConcept,
} from "./datatypes.ts";
import { defined, each, maybe, type Resource } from "./json.ts";

const US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition";
const FHIR = "http://hl7.org/fhir/StructureDefinition";
const RACE = `${US_CORE}/us-core-race`;
const ETHNICITY = `${US_CORE}/us-core-ethnicity`;
const BIRTH_SEX = `${US_CORE}/us-core-birthsex`;
const MAIDEN_NAME = `${FHIR}/patient-mothersMaidenName`;
const BIRTH_PLACE = `${FHIR}/patient-birthPlace`;

const extension = z.object({
  url: text,
  valueString: text.optional(),
  valueCode: text.optional(),
  valueAddress: address.optional(),
  extension: z
    .array(z.object({ url: text, valueCoding: coding.optional(), valueString: text.optional() }))
    .optional(),
});
type Extension = z.infer<typeof extension>;

/** FHIR R4 Patient as far as it is taken. */
const PATIENT = z.object({
  extension: z.array(extension).optional(),
  identifier: z
    .array(
      z.object({
        use: text.optional(),
        type: codeableConcept.optional(),
        system: text.optional(),
        value: text.optional(),
      }),
    )
    .optional(),
  name: z
    .array(
      z.object({
        use: text.optional(),
        text: text.optional(),
        family: text.optional(),
        given: z.array(text).optional(),
        prefix: z.array(text).optional(),
        suffix: z.array(text).optional(),
      }),
    )
    .optional(),
  telecom: z
    .array(z.object({ system: text.optional(), value: text.optional(), use: text.optional() }))
    .optional(),
  gender: text.optional(),
  birthDate: text.optional(),
  address: z.array(address).optional(),
  deceasedBoolean: z.boolean().optional(),
  deceasedDateTime: text.optional(),
  maritalStatus: codeableConcept.optional(),
  communication: z.array(z.object({ language: codeableConcept })).optional(),
});

/** Members of FHIR R4 Patient without which the rest means something else, and what they may be. */
export const PATIENT_REVERSING = { active: true } as const;

/** The fields of a record that a Patient holds, still to be checked. @throws z.ZodError */
export function patientFrom(resource: unknown): Draft {
  const patient = PATIENT.parse(resource);
  const extensions = new Map(patient.extension?.map((one) => [one.url, one]));
  const { birthDate } = patient;
  const postcode = patient.address?.find(({ postalCode }) => postalCode !== undefined)?.postalCode;
  const places = patient.address?.filter(({ use, postalCode, ...place }) => Object.keys(place).length > 0);
  return defined({
    names: each(patient.name, defined),
    // A year alone is the profile's.
    birthDate: birthDate !== undefined && birthDate.length > 4 ? birthDate : undefined,
    identifiers: each(
      patient.identifier?.filter(({ value }) => value !== undefined),
      ({ type, ...rest }) => defined({ ...rest, type: maybe(type, conceptFrom) }),
    ),
    contacts: each(
      patient.telecom?.filter(({ system, value }) => system !== undefined && value !== undefined),
      defined,
    ),
    addresses: each(places, addressFrom),
    birthPlace: maybe(extensions.get(BIRTH_PLACE)?.valueAddress, addressFrom),
    mothersMaidenName: extensions.get(MAIDEN_NAME)?.valueString,
    birthYear: maybe(birthDate, (date) => Number(date.slice(0, 4))),
    sex: patient.gender,
    birthSex: extensions.get(BIRTH_SEX)?.valueCode,
    postcode,
    maritalStatus: maybe(patient.maritalStatus, conceptFrom),
    languages: each(patient.communication, ({ language }) => conceptFrom(language)),
    race: categoryFrom(extensions.get(RACE)),
    ethnicity: categoryFrom(extensions.get(ETHNICITY)),
    deceased: patient.deceasedDateTime ?? patient.deceasedBoolean,
  });
}

/** US Core's race and ethnicity: codings and a text, each in an extension of its own. */
function categoryFrom(found: Extension | undefined): Draft | undefined {
  const codings = found?.extension?.flatMap(({ url, valueCoding }) =>
    url === "ombCategory" && valueCoding !== undefined ? [defined(valueCoding)] : [],
  );
  const words = found?.extension?.find(({ url }) => url === "text")?.valueString;
  const category = defined({ codings: each(codings, (one) => one), text: words });
  return Object.keys(category).length === 0 ? undefined : category;
}

function toCategory(url: string, { codings, text: words }: Concept): object {
  return {
    url,
    extension: [
      ...(codings ?? []).map((one) => ({ url: "ombCategory", valueCoding: toCoding(one) })),
      ...(words === undefined ? [] : [{ url: "text", valueString: words }]),
    ],
  };
}

/**
 * A Patient with what a view holds and nothing more: without identity the year alone as birth date and the postcode
 * alone as address.
 */
export function toPatient(record: PatientRecord): Resource {
  const { birthDate, birthYear, addresses, postcode, deceased } = record;
  const known = (addresses ?? []).some((place) => place.postcode === postcode);
  const places = [
    ...(addresses ?? []).map(toAddress),
    ...(postcode === undefined || known ? [] : [{ postalCode: postcode }]),
  ];
  const extensions = [
    maybe(record.race, (race) => toCategory(RACE, race)),
    maybe(record.ethnicity, (ethnicity) => toCategory(ETHNICITY, ethnicity)),
    maybe(record.birthSex, (valueCode) => ({ url: BIRTH_SEX, valueCode })),
    maybe(record.mothersMaidenName, (valueString) => ({ url: MAIDEN_NAME, valueString })),
    maybe(record.birthPlace, (place) => ({ url: BIRTH_PLACE, valueAddress: toAddress(place) })),
  ].filter((one) => one !== undefined);
  return defined({
    resourceType: "Patient",
    extension: each(extensions, (one) => one),
    identifier: each(record.identifiers, ({ use, type, system, value }) =>
      defined({ use, type: maybe(type, toConcept), system, value }),
    ),
    name: record.names,
    telecom: record.contacts,
    gender: record.sex,
    birthDate: birthDate ?? maybe(birthYear, String),
    ...(typeof deceased === "boolean" ? { deceasedBoolean: deceased } : { deceasedDateTime: deceased }),
    address: each(places, (place) => place),
    maritalStatus: maybe(record.maritalStatus, toConcept),
    communication: each(record.languages, (language) => ({ language: toConcept(language) })),
  });
}
