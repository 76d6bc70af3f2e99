import type { Coding, Observation } from "../patient-record/index.ts";
import { QUANTITIES, type Quantity, type ReadingColumn } from "../sealing/index.ts";
import { codingsOfQuantity, LOINC, UCUM, withVitalCodes } from "./codes.ts";

const CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category";
const PANEL: readonly Coding[] = withVitalCodes([
  { system: LOINC, code: "85354-9", display: "Blood pressure panel with all children optional" },
]) as Coding[];
const PRESSURES: readonly Quantity[] = ["systolicPressure", "diastolicPressure"];

function conceptOf(quantity: Quantity) {
  return { codings: codingsOfQuantity(quantity) as Coding[], text: QUANTITIES[quantity].display };
}

function measured(quantity: Quantity, value: number) {
  const { ucum } = QUANTITIES[quantity];
  return { quantity: { value, unit: ucum, system: UCUM, code: ucum } };
}

/**
 * A wearable's readings as observations: one for each sample, gaps left out; systolic and diastolic pressure of one
 * moment together in the blood pressure panel 85354-9, as the FHIR R4 profile wants it.
 */
export function observationsOfReadings(columns: readonly ReadingColumn[]): Observation[] {
  const observations: Observation[] = [];
  const panels = new Map<number, { quantity: Quantity; value: number }[]>();
  const base = (time: number, code: Observation["code"], category = "vital-signs"): Observation => ({
    status: "final",
    categories: [{ codings: [{ system: CATEGORY, code: category }] }],
    code,
    effective: new Date(time).toISOString(),
  });
  for (const { quantity, times, values } of columns) {
    for (const [i, time] of times.entries()) {
      const value = values[i] ?? null;
      if (value === null) {
        continue;
      }
      if (PRESSURES.includes(quantity)) {
        panels.set(time, [...(panels.get(time) ?? []), { quantity, value }]);
        continue;
      }
      const category = quantity === "steps" ? "activity" : "vital-signs";
      observations.push({ ...base(time, conceptOf(quantity), category), value: measured(quantity, value) });
    }
  }
  for (const [time, pressures] of panels) {
    observations.push({
      ...base(time, { codings: [...PANEL], text: "Blood pressure" }),
      components: pressures.map(({ quantity, value }) => ({
        code: conceptOf(quantity),
        value: measured(quantity, value),
      })),
    });
  }
  return observations.sort((a, b) => (String(a.effective) < String(b.effective) ? -1 : 1));
}
