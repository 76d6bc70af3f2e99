/**
 * What can be measured: one row a quantity, with the names three standards give it.
 *
 * LOINC codes and UCUM units are those of the FHIR R4 vital signs profile where it has them; IEEE 11073-10101
 * codes are written as one number (partition * 65536 + term), the system being `urn:iso:std:iso:11073:10101`.
 */
export const QUANTITIES = {
  heartRate: { loinc: "8867-4", ucum: "/min", mdc: 147842, display: "Heart rate" },
  pulseRate: { loinc: "8889-8", ucum: "/min", mdc: 149530, display: "Pulse rate by pulse oximetry" },
  respiratoryRate: { loinc: "9279-1", ucum: "/min", mdc: 151562, display: "Respiratory rate" },
  oxygenSaturation: {
    loinc: "59408-5",
    ucum: "%",
    mdc: 150456,
    display: "Oxygen saturation by pulse oximetry",
  },
  bodyTemperature: { loinc: "8310-5", ucum: "Cel", mdc: 150364, display: "Body temperature" },
  systolicPressure: { loinc: "8480-6", ucum: "mm[Hg]", mdc: 150021, display: "Systolic blood pressure" },
  diastolicPressure: { loinc: "8462-4", ucum: "mm[Hg]", mdc: 150022, display: "Diastolic blood pressure" },
  steps: { loinc: "55423-8", ucum: "{steps}", mdc: null, display: "Steps since the last sample" },
} as const satisfies Record<string, QuantityCodes>;

/** The three names of a quantity and what a person calls it. */
export interface QuantityCodes {
  readonly loinc: string;
  readonly ucum: string;
  /** IEEE 11073-10101 code, or null where the nomenclature has none that fits. */
  readonly mdc: number | null;
  readonly display: string;
}

/** Name of a quantity inside the program. */
export type Quantity = keyof typeof QUANTITIES;
