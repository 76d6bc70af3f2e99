export { parseRange } from "./addresses.ts";
export { createIds, type Ids, type IdsOptions, type IdsParts, type IdsSettings, idsOff } from "./ids.ts";
export { createJournal, type Journal } from "./journal.ts";
export type { SharedPseudonyms } from "./pseudonyms.ts";
export { parseRanges } from "./routes.ts";
