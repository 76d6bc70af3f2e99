import { ACCOUNT } from "./en/account.ts";
import { COMMON } from "./en/common.ts";
import { COMMUNITY } from "./en/community.ts";
import { OFFICER } from "./en/officer.ts";
import { PATIENT } from "./en/patient.ts";

/**
 * Everything that the page says, in one folder: another language is another folder like `en`, with the same names, and
 * chosen here.
 */
export const TEXTS = {
  ...COMMON,
  own: ACCOUNT,
  community: COMMUNITY,
  home: PATIENT,
  officer: OFFICER,
} as const;
