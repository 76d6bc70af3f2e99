import { isMedcloudletError, MedcloudletError } from "../base/index.ts";
import type { Concept, Condition, ObservedValue, PatientRecord, When } from "../patient-record/index.ts";
import type { ReleaseSchema } from "./schema.ts";
import { createTableBuilder, type DigestRow, type Table } from "./table.ts";

/** One consented patient: what they are called in the ledger, and as much of their record as they let see. */
export interface CohortMember {
  readonly personId: string;
  readonly record: PatientRecord;
}

/** The column that says whose row it is. */
const PERSON = "patient";
const NOT_SO = ["refuted", "entered-in-error"];
const OVER = ["inactive", "remission", "resolved"];

type Read = (member: CohortMember) => string;

/** Columns by name. None is of the region `identity`. */
const COLUMNS: Readonly<Record<string, Read>> = {
  [PERSON]: ({ personId }) => personId,
  birth_year: ({ record }) => String(record.birthYear ?? ""),
  sex: ({ record }) => record.sex ?? "",
  birth_sex: ({ record }) => record.birthSex ?? "",
  postcode: ({ record }) => record.postcode ?? "",
  marital_status: ({ record }) => nameOf(record.maritalStatus),
  race: ({ record }) => nameOf(record.race),
  ethnicity: ({ record }) => nameOf(record.ethnicity),
  deceased: ({ record }) => (record.deceased === undefined || record.deceased === false ? "no" : "yes"),
  /** The active diagnosis with the latest onset. */
  diagnosis: ({ record }) =>
    nameOf(latest(holding(record).filter(isActive), ({ onset, recorded }) => onset ?? recorded)?.code),
};

/** Columns that name a code: `condition:CODE` is yes or no, `observation:CODE` the latest number. */
const BY_CODE: Readonly<Record<string, (code: string) => Read>> = {
  condition:
    (code) =>
    ({ record }) =>
      holding(record).some((condition) => hasCode(condition.code, code)) ? "yes" : "no",
  observation:
    (code) =>
    ({ record }) => {
      const found = (record.observations ?? []).filter(
        (observation) =>
          ["final", "amended", "corrected"].includes(observation.status) &&
          hasCode(observation.code, code) &&
          numberOf(observation.value) !== undefined,
      );
      return String(numberOf(latest(found, ({ effective }) => startOf(effective))?.value) ?? "");
    },
};

/**
 * One row of each person, by the columns that a schema names: `patient` (an identifier with `person`), `birth_year`, `sex`,
 * `birth_sex`, `postcode`, `marital_status`, `race`, `ethnicity`, `deceased`, `diagnosis`, `condition:CODE`,
 * `observation:CODE`. A record with a value that a column does not take (a postcode outside its hierarchy) is left out,
 * for what one patient writes must not end everybody's release. Whether it is depends on that record and the schema alone.
 * @param leftOut called for each such record with the name of the column: for the operator, never for researchers
 * @throws MedcloudletError `RESEARCH_COHORT_COLUMN` for another column; `RESEARCH_CSV_EMPTY` where nobody is left
 */
export function cohortTable(
  members: readonly CohortMember[],
  schema: ReleaseSchema,
  digestRow?: DigestRow,
  leftOut: (column: string) => void = () => {},
): Table {
  const reads = schema.columns.map(({ name }, i) => {
    const [kind = "", code = ""] = name.split(/:(.*)/s);
    const read = Object.hasOwn(COLUMNS, name)
      ? COLUMNS[name]
      : code !== "" && Object.hasOwn(BY_CODE, kind)
        ? BY_CODE[kind]?.(code)
        : undefined;
    if (read === undefined) {
      throw columnError(
        `columns.${i}: records have no column "${name}" to release; there are ${Object.keys(COLUMNS).join(", ")}, condition:CODE and observation:CODE`,
      );
    }
    return read;
  });
  const person = schema.columns.find(({ name }) => name === PERSON);
  if (person?.role !== "identifier" || person.person !== true) {
    throw columnError(
      `name "${PERSON}" as an identifier with "person": true, so that the ledger knows who is who`,
    );
  }
  const builder = createTableBuilder(schema, undefined, digestRow);
  for (const [i, member] of members.entries()) {
    try {
      builder.add(
        reads.map((read) => read(member)),
        i + 1,
      );
    } catch (error) {
      // The person's id is no part of the record: two rows of one person are a fault of ours.
      if (!isMedcloudletError(error, "RESEARCH_CSV_VALUE") || error.details.column === PERSON) {
        throw error;
      }
      leftOut(String(error.details.column));
    }
  }
  return builder.finish();
}

function columnError(why: string): MedcloudletError {
  return new MedcloudletError("RESEARCH_COHORT_COLUMN", `This schema does not fit records: ${why}.`, {
    status: 400,
  });
}

/** Conditions that somebody says are so. */
function holding({ conditions = [] }: PatientRecord): readonly Condition[] {
  return conditions.filter(({ verificationStatus }) => !NOT_SO.includes(verificationStatus ?? ""));
}

function isActive({ clinicalStatus, abatement }: Condition): boolean {
  return abatement === undefined && !OVER.includes(clinicalStatus ?? "");
}

/** A concept by its first code: what people write beside it differs from one to the next, and may name somebody. */
function nameOf(concept: Concept | undefined): string {
  return concept?.codings?.find(({ code }) => code !== undefined)?.code ?? "";
}

function hasCode({ codings = [] }: Concept, code: string): boolean {
  return codings.some((coding) => coding.code === code);
}

function numberOf(value: ObservedValue | undefined): number | undefined {
  if (value !== undefined && "quantity" in value) {
    // "Less than 5" is no 5.
    return value.quantity.comparator === undefined ? value.quantity.value : undefined;
  }
  return value !== undefined && "integer" in value ? value.integer : undefined;
}

function startOf(when: When | undefined): string | undefined {
  return typeof when === "string" ? when : (when?.start ?? when?.end);
}

/** The item with the latest time; one without a time is the earliest. */
function latest<T>(items: readonly T[], timeOf: (item: T) => string | undefined): T | undefined {
  const at = (item: T) => Date.parse(timeOf(item) ?? "0001-01-01");
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || at(item) > at(best) ? item : best),
    undefined,
  );
}
