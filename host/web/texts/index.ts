import { COMMON } from "./en/common.ts";
import { OFFICER } from "./en/officer.ts";

/**
 * Everything that the page says, in one folder: another language is another folder like `en`, with the same names, and
 * chosen here.
 */
export const TEXTS = { ...COMMON, officer: OFFICER };
