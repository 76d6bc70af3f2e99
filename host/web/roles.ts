import type { ComponentType } from "preact";
import { lazily } from "./lazily.tsx";
import type { Route } from "./route.ts";
import { TEXTS } from "./texts/index.ts";

/** One of the places in the bar. */
export interface PageSpec {
  /** First part of its route. */
  readonly id: string;
  readonly label: string;
  readonly View: ComponentType<{ readonly rest: Route }>;
  /** What the bar says beside the label, whichever view is open. */
  readonly Badge?: ComponentType;
}

const { pages } = TEXTS;

const ACCOUNT: PageSpec = {
  id: "account",
  label: pages.account,
  View: lazily(async () => (await import("./account/account.tsx")).AccountView),
};

const DOCTOR: readonly PageSpec[] = [
  {
    id: "patients",
    label: pages.patients,
    View: lazily(async () => (await import("./doctor/patients.tsx")).PatientsView),
  },
  {
    id: "alerts",
    label: TEXTS.alerts.title,
    View: lazily(async () => (await import("./alerts/alerts.tsx")).AlertsView),
    Badge: lazily(async () => (await import("./alerts/bell.tsx")).Bell, null),
  },
  {
    id: "emergencies",
    label: TEXTS.emergencies.title,
    View: lazily(async () => (await import("./emergency/emergencies.tsx")).EmergenciesView),
  },
];

const PARTNERS: PageSpec = {
  id: "partners",
  label: pages.partners,
  View: lazily(async () => (await import("./community/partners.tsx")).PartnersView),
};

/** What each role finds in the bar; the first is where it begins. */
export function pagesOf(role: string): readonly PageSpec[] {
  switch (role) {
    case "doctor":
      return [...DOCTOR, ACCOUNT];
    case "patient":
      return [PARTNERS, ACCOUNT];
    default:
      return [ACCOUNT];
  }
}
