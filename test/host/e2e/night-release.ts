import type { PatientRecord } from "../../../host/patient-record/index.ts";
import type { Guarantee } from "../../../host/research/index.ts";
import { parseStudy } from "../../../host/research/service/index.ts";

export const GUARANTEE: Guarantee = { k: 3, l: 2, t: 1, diversity: "distinct" };
export const STUDY = parseStudy(
  {
    id: "sleep",
    title: "Who slept that night",
    purpose: "To see whether she can be found.",
    schema: {
      columns: [
        { name: "patient", role: "identifier", person: true },
        { name: "birth_year", role: "quasi-identifier", type: "numeric" },
        { name: "sex", role: "quasi-identifier", type: "categorical" },
        { name: "diagnosis", role: "sensitive", type: "categorical" },
      ],
    },
    floor: GUARANTEE,
  },
  "this test",
);
export const SEPSIS = "91302008";
export const COMMON = ["44054006", "195967001", "38341003"] as const;

export function recordOf(
  name: string,
  birthYear: number,
  sex: "female" | "male",
  code: string,
): PatientRecord {
  return {
    names: [{ text: name }],
    birthYear,
    sex,
    conditions: [
      {
        code: { codings: [{ system: "http://snomed.info/sct", code }] },
        onset: "2020-01-01",
        clinicalStatus: "active",
      },
    ],
  };
}

/** Somebody who knows when a person was born and of which sex: the released rows that can be theirs. */
export function candidates(rows: readonly Record<string, unknown>[], birthYear: number, sex: string) {
  return rows.filter(({ birth_year: year, sex: released }) => {
    const [from, to] = ([year].flat().length === 2 ? year : [year, year]) as [number, number];
    return birthYear >= from && birthYear <= to && (released === "*" || [released].flat().includes(sex));
  });
}
