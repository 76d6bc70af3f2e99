import { COMMON } from "./en/common.ts";
import { COMMUNITY } from "./en/community.ts";
import { OFFICER } from "./en/officer.ts";

/**
 * Everything that the page says, in one folder: another language is another folder like `en`, with the same names, and
 * chosen here.
 */
export const TEXTS = { ...COMMON, community: COMMUNITY, officer: OFFICER } as const;
