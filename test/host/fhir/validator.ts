import fhir from "fhir";

const validator = new fhir.Fhir();

/**
 * What an independent validator (FHIR.js, from the R4 StructureDefinitions) has against a resource: unknown members,
 * missing ones, wrong types and codes outside of required value sets.
 */
export function faultsOf(resource: object): string[] {
  const { messages } = validator.validate(JSON.parse(JSON.stringify(resource)), { errorOnUnexpected: true });
  return messages
    .filter(({ severity }) => severity === "error")
    .map(({ location, message }) => `${location}: ${message}`);
}
