import { QUANTITIES, type Quantity } from "../sealing/index.ts";

export const LOINC = "http://loinc.org";
export const UCUM = "http://unitsofmeasure.org";
/** IEEE 11073-10101 as FHIR names it; codes are partition * 65536 + term. */
const MDC = "urn:iso:std:iso:11073:10101";

/** A vital sign under the names of two standards. */
export interface VitalCode {
  readonly loinc: string;
  /** The code that the FHIR R4 vital signs profile wants beside a more exact one. */
  readonly profile: string;
  readonly mdc: number;
  /** The reference identifier that IEEE 11073-10101 gives the code. */
  readonly mdcName: string;
}

function vital(loinc: string, mdc: number, mdcName: string, profile = loinc): VitalCode {
  return { loinc, profile, mdc, mdcName };
}

/**
 * LOINC to IEEE 11073-10101, one row a vital sign. Numbers as in the nomenclature (and in DK Core's value set
 * `dk-core-IEEEBasicObservation`, which has them with their reference identifiers); guides in circulation misprint
 * some, so a test checks each against partition and term.
 */
export const VITAL_CODES: readonly VitalCode[] = [
  vital("8867-4", 147842, "MDC_ECG_HEART_RATE"),
  vital("8889-8", 149530, "MDC_PULS_OXIM_PULS_RATE", "8867-4"),
  vital("9279-1", 151562, "MDC_RESP_RATE"),
  vital("2708-6", 150324, "MDC_SAT_O2_ART"),
  vital("59408-5", 150456, "MDC_PULS_OXIM_SAT_O2", "2708-6"),
  vital("8310-5", 150364, "MDC_TEMP_BODY"),
  vital("8331-1", 188424, "MDC_TEMP_ORAL", "8310-5"),
  vital("85354-9", 150020, "MDC_PRESS_BLD_NONINV"),
  vital("55284-4", 150020, "MDC_PRESS_BLD_NONINV", "85354-9"),
  vital("8480-6", 150021, "MDC_PRESS_BLD_NONINV_SYS"),
  vital("8462-4", 150022, "MDC_PRESS_BLD_NONINV_DIA"),
  vital("8478-0", 150023, "MDC_PRESS_BLD_NONINV_MEAN"),
  vital("8302-2", 188740, "MDC_LEN_BODY_ACTUAL"),
  vital("29463-7", 188736, "MDC_MASS_BODY_ACTUAL"),
  vital("39156-5", 188752, "MDC_RATIO_MASS_BODY_LEN_SQ"),
  vital("9843-4", 153856, "MDC_CIRCUM_HEAD"),
];

/** LOINC's own names of the profile codes that are added. */
const PROFILE_DISPLAY: Readonly<Record<string, string>> = {
  "8867-4": "Heart rate",
  "2708-6": "Oxygen saturation in Arterial blood",
  "8310-5": "Body temperature",
  "85354-9": "Blood pressure panel with all children optional",
};

const BY_LOINC = new Map(VITAL_CODES.map((code) => [code.loinc, code]));

interface Coding {
  readonly system?: string | undefined;
  readonly code?: string | undefined;
  readonly display?: string | undefined;
}

/**
 * Adds to the codings of a vital sign the code that the FHIR R4 profile wants and the IEEE 11073 code, where they are
 * not there. Of anything else the codings stay as they are. Doing it twice changes nothing.
 */
export function withVitalCodes<C extends Coding>(codings: readonly C[]): (C | Coding)[] {
  const named = codings.find(({ system, code }) => system === LOINC && BY_LOINC.has(code ?? ""));
  const row = BY_LOINC.get(named?.code ?? "");
  if (row === undefined) {
    return [...codings];
  }
  const lacks = (system: string, code: string) =>
    !codings.some((coding) => coding.system === system && coding.code === code);
  const added: Coding[] = [];
  if (lacks(LOINC, row.profile)) {
    added.push({ system: LOINC, code: row.profile, display: PROFILE_DISPLAY[row.profile] ?? row.profile });
  }
  if (!codings.some(({ system }) => system === MDC)) {
    added.push({ system: MDC, code: String(row.mdc), display: row.mdcName });
  }
  return [...codings, ...added];
}

/** The codings of a quantity that a wearable measures. */
export function codingsOfQuantity(quantity: Quantity): Coding[] {
  const { loinc, display } = QUANTITIES[quantity];
  return withVitalCodes([{ system: LOINC, code: loinc, display }]);
}
