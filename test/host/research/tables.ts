import {
  type Anonymized,
  createTableBuilder,
  parseSchema,
  type ReleaseSchema,
  releaseText,
  type Table,
} from "../../../host/research/index.ts";

/** A table of rows as a file would give them. */
export function tableOf(schema: ReleaseSchema, rows: readonly (readonly string[])[]): Table {
  const builder = createTableBuilder(schema);
  for (const [i, row] of rows.entries()) {
    builder.add(row, i + 2);
  }
  return builder.finish();
}

/** The rows of a release, as whoever gets the file sees them. */
export function releasedRows(
  release: Anonymized,
  schema: ReleaseSchema,
  seed = "s",
): Record<string, unknown>[] {
  return [...releaseText(release, { schema, format: "ndjson", seed })]
    .join("")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Row numbers by class. */
export function classesOf({ classes: { order, starts, ends } }: Anonymized): number[][] {
  return Array.from(starts, (from, i) => [...order.subarray(from, ends[i])]);
}

export const DISEASES = {
  name: "disease",
  children: [
    { name: "respiratory", children: ["flu", "pneumonia", "bronchitis"] },
    { name: "digestive", children: ["gastric ulcer", "gastritis", "stomach cancer"] },
  ],
};

/** A hospital's list of patients: name and number, age, sex, postcode, disease and cost. */
export const WARD: ReleaseSchema = parseSchema({
  columns: [
    { name: "name", role: "identifier" },
    { name: "age", role: "quasi-identifier", type: "numeric" },
    { name: "sex", role: "quasi-identifier", type: "categorical" },
    {
      name: "postcode",
      role: "quasi-identifier",
      type: "categorical",
      hierarchy: {
        name: "all",
        children: [
          { name: "10**", children: ["1010", "1020", "1030"] },
          { name: "20**", children: ["2010", "2020"] },
          { name: "30**", children: ["3010"] },
        ],
      },
    },
    { name: "disease", role: "sensitive", type: "categorical", hierarchy: DISEASES },
    { name: "cost", role: "sensitive", type: "numeric" },
  ],
});

const DISEASE_NAMES = DISEASES.children.flatMap(({ children }) => children);
const POSTCODES = ["1010", "1020", "1030", "2010", "2020", "3010"];

/** Patients drawn by a generator of whole numbers below a bound. */
export function wardOf(size: number, below: (bound: number) => number): string[][] {
  const pick = (list: readonly string[]) => list[below(list.length)] as string;
  return Array.from({ length: size }, (_, i) => [
    `Patient ${i}`,
    below(20) === 0 ? "" : String(20 + below(60)),
    pick(["f", "m"]),
    pick(POSTCODES),
    pick(DISEASE_NAMES),
    String(100 * (1 + below(12))),
  ]);
}
