export { type CohortMember, cohortTable } from "./cohort.ts";
export type { Beside, Composition } from "./compose.ts";
export { type Cohort, gatherCohort } from "./gather.ts";
export { checkGuarantee, createJudge, type Guarantee, type Judge, type Reached } from "./guarantee.ts";
export { createKeystream, type Keystream, randomSeed } from "./keystream.ts";
export { createLedger, type Ledger, type ReleaseRecord } from "./ledger.ts";
export { type Measures, measure, type Risk } from "./measure.ts";
export { type Partition, partition } from "./mondrian.ts";
export { type QueryError, queryError } from "./queries.ts";
export { readTable } from "./read-table.ts";
export { type Anonymized, type AnonymizeOptions, anonymize } from "./release.ts";
export { comparedK, gatherReport, type ReportData, type ReportOptions, reportPage } from "./report.ts";
export { parseSchema, type ReleaseSchema, ROW_ID, type SchemaColumn } from "./schema.ts";
export {
  createTableBuilder,
  type DigestRow,
  type Table,
  type TableBuilder,
} from "./table.ts";
export { compileTaxonomy, type Taxonomy, type TaxonomyNode } from "./taxonomy.ts";
export { type Verification, type VerifyOptions, verifyRelease } from "./verify.ts";
export {
  type ReleaseFormat,
  releaseText,
  type WriteOptions,
  writePieces,
} from "./write-release.ts";
