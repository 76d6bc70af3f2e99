import { ACCOUNT } from "./en/account.ts";
import { ALERTS } from "./en/alerts.ts";
import { CHARTS } from "./en/charts.ts";
import { COMMON } from "./en/common.ts";
import { COMMUNITY } from "./en/community.ts";
import { DOCTOR } from "./en/doctor.ts";
import { EMERGENCIES } from "./en/emergencies.ts";
import { EXPORT } from "./en/export.ts";
import { NOTES } from "./en/notes.ts";
import { OFFICER } from "./en/officer.ts";
import { PATIENT } from "./en/patient.ts";

/**
 * Everything that the page says, in one folder: another language is another folder like `en`, with the same names, and
 * chosen here.
 */
export const TEXTS = {
  ...COMMON,
  own: ACCOUNT,
  alerts: ALERTS,
  charts: CHARTS,
  community: COMMUNITY,
  doctor: DOCTOR,
  emergencies: EMERGENCIES,
  export: EXPORT,
  home: PATIENT,
  notes: NOTES,
  officer: OFFICER,
} as const;
