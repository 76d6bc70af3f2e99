import { describe, expect, it } from "vitest";
import { withVitalCodes } from "../../../host/fhir/codes.ts";
import { VITAL_CODES } from "../../../host/fhir/index.ts";
import { QUANTITIES } from "../../../host/sealing/index.ts";

/** Partition and term of IEEE 11073-10101 as device headers and DK Core's value set have them. */
const NOMENCLATURE: Readonly<Record<string, readonly [partition: number, term: number, code: number]>> = {
  MDC_ECG_HEART_RATE: [2, 16770, 147842],
  MDC_PULS_OXIM_PULS_RATE: [2, 18458, 149530],
  MDC_PULS_OXIM_SAT_O2: [2, 19384, 150456],
  MDC_SAT_O2_ART: [2, 19252, 150324],
  MDC_RESP_RATE: [2, 20490, 151562],
  MDC_TEMP_BODY: [2, 19292, 150364],
  MDC_TEMP_ORAL: [2, 57352, 188424],
  MDC_PRESS_BLD_NONINV: [2, 18948, 150020],
  MDC_PRESS_BLD_NONINV_SYS: [2, 18949, 150021],
  MDC_PRESS_BLD_NONINV_DIA: [2, 18950, 150022],
  MDC_PRESS_BLD_NONINV_MEAN: [2, 18951, 150023],
  MDC_LEN_BODY_ACTUAL: [2, 57668, 188740],
  MDC_MASS_BODY_ACTUAL: [2, 57664, 188736],
  MDC_RATIO_MASS_BODY_LEN_SQ: [2, 57680, 188752],
  MDC_CIRCUM_HEAD: [2, 22784, 153856],
};

/** The codes of the FHIR R4 vital signs profiles. */
const PROFILES = [
  "8867-4",
  "9279-1",
  "2708-6",
  "8310-5",
  "85354-9",
  "8480-6",
  "8462-4",
  "8302-2",
  "29463-7",
  "39156-5",
  "9843-4",
];

describe("the table of vital signs", () => {
  it("has the IEEE 11073 codes of the nomenclature, by partition and term", () => {
    for (const { mdc, mdcName } of VITAL_CODES) {
      const [partition, term, code] = NOMENCLATURE[mdcName] as readonly [number, number, number];
      expect(mdc, mdcName).toBe(code);
      expect(partition * 65536 + term, mdcName).toBe(code);
    }
  });

  it("names a profile of FHIR R4 for each, and itself where that is its own", () => {
    for (const { loinc, profile } of VITAL_CODES) {
      if (PROFILES.includes(loinc)) {
        expect(profile).toBe(loinc);
      } else if (loinc !== "8478-0") {
        expect(PROFILES, loinc).toContain(profile);
      }
    }
    expect(new Set(VITAL_CODES.map(({ loinc }) => loinc)).size).toBe(VITAL_CODES.length);
  });

  it("agrees with what wearables seal", () => {
    for (const [quantity, { loinc, mdc }] of Object.entries(QUANTITIES)) {
      expect(VITAL_CODES.find((row) => row.loinc === loinc)?.mdc ?? null, quantity).toBe(mdc);
    }
  });

  it("adds codes once, to vital signs alone, and never in place of what is there", () => {
    const loinc = (code: string) => ({ system: "http://loinc.org", code });
    const panel = withVitalCodes([loinc("55284-4")]);
    expect(panel.map(({ code }) => code)).toEqual(["55284-4", "85354-9", "150020"]);
    expect(withVitalCodes(panel)).toEqual(panel);
    expect(withVitalCodes([loinc("718-7")])).toEqual([loinc("718-7")]);
    expect(withVitalCodes([{ system: "http://snomed.info/sct", code: "8867-4" }])).toHaveLength(1);
    const own = [loinc("8867-4"), { system: "urn:iso:std:iso:11073:10101", code: "149554" }];
    expect(withVitalCodes(own)).toEqual(own);
  });
});
