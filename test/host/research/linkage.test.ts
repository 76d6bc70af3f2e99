import { describe, expect, it } from "vitest";
import { anonymize, createKeystream } from "../../../host/research/index.ts";
import { releasedRows, tableOf, WARD, wardOf } from "./tables.ts";

/*
 * Sweeney's attack of 1997: a public table (there a voters' register) holds names with age, sex and postcode; a release
 * without names holds the same three with a diagnosis. Whoever joins them reads diagnoses off names.
 */

const patients = wardOf(600, createKeystream("linkage", "ward").below);
const register = patients.map(([name, age, sex, postcode]) => ({ name, age, sex, postcode }));

const GROUPS: Record<string, readonly string[]> = {
  all: ["1010", "1020", "1030", "2010", "2020", "3010"],
  "10**": ["1010", "1020", "1030"],
  "20**": ["2010", "2020"],
  "30**": ["3010"],
  "*": ["f", "m"],
};

function fits(value: string, published: unknown): boolean {
  if (published === "*") {
    return true;
  }
  if (published === null) {
    return value === "";
  }
  if (typeof published === "number") {
    return value !== "" && Number(value) === published;
  }
  if (Array.isArray(published) && typeof published[0] === "number") {
    return value !== "" && Number(value) >= published[0] && Number(value) <= published[1];
  }
  return ([published].flat() as string[]).some((name) => name === value || GROUPS[name]?.includes(value));
}

/** For each person of the register, the diseases of the released rows that can be theirs. */
function link(released: readonly Record<string, unknown>[]) {
  return register.map((person) => {
    const candidates = released.filter(
      ({ age, sex, postcode }) =>
        fits(person.age as string, age) &&
        fits(person.sex as string, sex) &&
        fits(person.postcode as string, postcode),
    );
    return { person, rows: candidates.length, diseases: new Set(candidates.map(({ disease }) => disease)) };
  });
}

describe("linking a release with a public register", () => {
  it("names most patients' diseases where only names were taken out", () => {
    const naive = patients.map(([, age, sex, postcode, disease]) => ({
      age: age === "" ? null : Number(age),
      sex,
      postcode,
      disease,
    }));
    const found = link(naive);
    const named = found.filter(({ rows }) => rows === 1);
    expect(named.length).toBeGreaterThan(patients.length / 4);
    for (const { person, diseases } of named) {
      const truth = patients.find(([name]) => name === person.name)?.[4];
      expect([...diseases]).toEqual([truth]);
    }
  });

  it("finds nobody in a release: at least k rows fit anybody, with at least l diseases", () => {
    const release = anonymize(tableOf(WARD, patients), {
      guarantee: { k: 5, l: 3, t: 1, diversity: "distinct" },
    });
    for (const { rows, diseases } of link(releasedRows(release, WARD))) {
      expect(rows).toBeGreaterThanOrEqual(5);
      expect(diseases.size).toBeGreaterThanOrEqual(3);
    }
  });

  it("learns diseases without finding anybody where k is kept and l is not", () => {
    // One disease in one district: nobody is found, and everybody there is known.
    const uniform = patients.map((row) =>
      row[3] === "3010" ? [...row.slice(0, 4), "flu", row[5]] : row,
    ) as string[][];
    const guarantee = { k: 5, t: 1, diversity: "distinct" } as const;
    const known = (l: number) =>
      link(releasedRows(anonymize(tableOf(WARD, uniform), { guarantee: { ...guarantee, l } }), WARD)).filter(
        ({ diseases }) => diseases.size === 1,
      ).length;
    expect(known(1)).toBeGreaterThan(20);
    expect(known(3)).toBe(0);
  });
});
