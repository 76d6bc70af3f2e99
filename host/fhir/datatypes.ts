import { z } from "zod";
import type { Address, Coding, Concept, ObservedValue, Quantity, When } from "../patient-record/index.ts";
import { defined, each, maybe } from "./json.ts";

/*
 * FHIR R4 data types as they come in: members that we do not take fall away here and are counted by the report.
 * Whether values are right is for the schema of the record to say.
 */

export const text = z.string();
export const coding = z.object({
  system: text.optional(),
  code: text.optional(),
  display: text.optional(),
});
export const codeableConcept = z.object({ coding: z.array(coding).optional(), text: text.optional() });
const quantity = z.object({
  value: z.number(),
  comparator: text.optional(),
  unit: text.optional(),
  system: text.optional(),
  code: text.optional(),
});
export const period = z.object({ start: text.optional(), end: text.optional() });
export const address = z.object({
  use: text.optional(),
  text: text.optional(),
  line: z.array(text).optional(),
  city: text.optional(),
  district: text.optional(),
  state: text.optional(),
  postalCode: text.optional(),
  country: text.optional(),
});
/** The kinds of `value[x]` that are taken. */
export const observed = z.object({
  valueQuantity: quantity.optional(),
  valueCodeableConcept: codeableConcept.optional(),
  valueString: text.optional(),
  valueBoolean: z.boolean().optional(),
  valueInteger: z.number().optional(),
});
export const dosage = z.object({
  sequence: z.number().optional(),
  text: text.optional(),
  asNeededBoolean: z.boolean().optional(),
});

/** What an import makes: checked by the record's own schema before anybody uses it. */
export type Draft = Readonly<Record<string, unknown>>;

export function conceptFrom(concept: z.infer<typeof codeableConcept>): Draft {
  return defined({ codings: each(concept.coding, defined), text: concept.text });
}

export function toConcept({ codings, text: words }: Concept) {
  return defined({ coding: each(codings, toCoding), text: words });
}

export function toCoding({ system, code, display }: Coding) {
  return defined({ system, code, display });
}

/** The one code of a concept in a system, as `clinicalStatus` and the like carry it. */
export function codeIn(
  concept: z.infer<typeof codeableConcept> | undefined,
  system: string,
): string | undefined {
  return concept?.coding?.find((candidate) => candidate.system === system)?.code;
}

export function conceptOfCode(system: string, code: string) {
  return { coding: [{ system, code }] };
}

function quantityFrom(value: z.infer<typeof quantity>): Draft {
  return defined(value);
}

function toQuantity({ value, comparator, unit, system, code }: Quantity) {
  return defined({ value, comparator, unit, system, code });
}

export function addressFrom({ line, postalCode, ...rest }: z.infer<typeof address>): Draft {
  return defined({ ...rest, lines: each(line, (words) => words), postcode: postalCode });
}

export function toAddress({ lines, postcode, ...rest }: Address) {
  const { use, text: words, city, district, state, country } = rest;
  return defined({
    use,
    text: words,
    line: lines,
    city,
    district,
    state,
    postalCode: postcode,
    country,
  });
}

export function valueFrom(value: z.infer<typeof observed>): Draft | undefined {
  if (value.valueQuantity !== undefined) {
    return { quantity: quantityFrom(value.valueQuantity) };
  }
  if (value.valueCodeableConcept !== undefined) {
    return { concept: conceptFrom(value.valueCodeableConcept) };
  }
  if (value.valueString !== undefined) {
    return { text: value.valueString };
  }
  if (value.valueBoolean !== undefined) {
    return { boolean: value.valueBoolean };
  }
  return maybe(value.valueInteger, (integer) => ({ integer }));
}

export function toValue(value: ObservedValue | undefined): Readonly<Record<string, unknown>> {
  if (value === undefined) {
    return {};
  }
  if ("quantity" in value) {
    return { valueQuantity: toQuantity(value.quantity) };
  }
  if ("concept" in value) {
    return { valueCodeableConcept: toConcept(value.concept) };
  }
  if ("text" in value) {
    return { valueString: value.text };
  }
  return "boolean" in value ? { valueBoolean: value.boolean } : { valueInteger: value.integer };
}

/** A moment or a period under `nameDateTime` and `namePeriod`. */
export function whenFrom(
  moment: string | undefined,
  span: z.infer<typeof period> | undefined,
): Draft | string | undefined {
  return moment ?? maybe(span, defined);
}

export function toWhen(name: string, when: When | undefined): Readonly<Record<string, unknown>> {
  if (when === undefined) {
    return {};
  }
  return typeof when === "string" ? { [`${name}DateTime`]: when } : { [`${name}Period`]: when };
}
