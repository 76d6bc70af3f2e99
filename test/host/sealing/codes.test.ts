import { describe, expect, it } from "vitest";
import { QUANTITIES, type Quantity } from "../../../host/sealing/index.ts";

/** IEEE 11073-10101 writes a code as partition and term. */
const mdc = (partition: number, term: number) => partition * 65_536 + term;

/** Typed again from the standards: FHIR R4 vital signs for LOINC and UCUM, IEEE 11073-10101 for the last. */
const STANDARDS: Record<Quantity, readonly [loinc: string, ucum: string, mdc: number | null]> = {
  heartRate: ["8867-4", "/min", mdc(2, 16_770)],
  pulseRate: ["8889-8", "/min", mdc(2, 18_458)],
  respiratoryRate: ["9279-1", "/min", mdc(2, 20_490)],
  oxygenSaturation: ["59408-5", "%", mdc(2, 19_384)],
  bodyTemperature: ["8310-5", "Cel", mdc(2, 19_292)],
  systolicPressure: ["8480-6", "mm[Hg]", mdc(2, 18_949)],
  diastolicPressure: ["8462-4", "mm[Hg]", mdc(2, 18_950)],
  steps: ["55423-8", "{steps}", null],
};

/** The check digit of a LOINC code: Luhn's, over the digits before the hyphen. */
function loincCheckDigit(number: string): number {
  const sum = [...number].reverse().reduce((total, digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return (10 - (sum % 10)) % 10;
}

describe("the table of quantities", () => {
  it("has the codes of the standards", () => {
    const table = Object.fromEntries(
      Object.entries(QUANTITIES).map(([name, codes]) => [name, [codes.loinc, codes.ucum, codes.mdc]]),
    );
    expect(table).toEqual(STANDARDS);
  });

  it("has the numbers that other programs write for the same IEEE 11073 codes", () => {
    expect(QUANTITIES.oxygenSaturation.mdc).toBe(150_456);
    expect(QUANTITIES.pulseRate.mdc).toBe(149_530);
    expect(QUANTITIES.heartRate.mdc).toBe(147_842);
    expect(QUANTITIES.respiratoryRate.mdc).toBe(151_562);
    expect(QUANTITIES.bodyTemperature.mdc).toBe(150_364);
    expect(QUANTITIES.systolicPressure.mdc).toBe(150_021);
    expect(QUANTITIES.diastolicPressure.mdc).toBe(150_022);
  });

  it("names no two quantities alike", () => {
    const rows = Object.values(QUANTITIES);
    for (const names of [rows.map(({ loinc }) => loinc), rows.map(({ display }) => display)]) {
      expect(new Set(names).size).toBe(names.length);
    }
    const numbers = rows.flatMap(({ mdc }) => mdc ?? []);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it.each(Object.values(QUANTITIES))("has the right check digit in LOINC $loinc", ({ loinc }) => {
    const [number, digit] = loinc.split("-") as [string, string];
    expect(loincCheckDigit(number)).toBe(Number(digit));
  });
});
