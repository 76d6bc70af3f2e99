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

const pages = TEXTS.pages;

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
    label: pages.alerts,
    View: lazily(async () => (await import("./alerts/alerts.tsx")).AlertsView),
    Badge: lazily(async () => (await import("./alerts/bell.tsx")).Bell, null),
  },
  {
    id: "emergencies",
    label: pages.emergencies,
    View: lazily(async () => (await import("./emergency/emergencies.tsx")).EmergenciesView),
  },
];

const PARTNERS: PageSpec = {
  id: "partners",
  label: pages.partners,
  View: lazily(async () => (await import("./community/partners.tsx")).PartnersView),
};
const OFFICER: readonly PageSpec[] = [
  {
    id: "watch",
    label: pages.watch,
    View: lazily(async () => (await import("./officer/watch.tsx")).WatchView),
  },
  {
    id: "network",
    label: pages.network,
    View: lazily(async () => (await import("./officer/network.tsx")).NetworkView),
  },
  {
    id: "model",
    label: pages.model,
    View: lazily(async () => (await import("./officer/model.tsx")).ModelView),
  },
  {
    id: "audit",
    label: pages.audit,
    View: lazily(async () => (await import("./officer/audit.tsx")).AuditView),
  },
  {
    id: "keys",
    label: pages.keys,
    View: lazily(async () => (await import("./officer/keys.tsx")).KeysView),
  },
];

const PATIENT: readonly PageSpec[] = [
  {
    id: "readings",
    label: pages.readings,
    View: lazily(async () => (await import("./patient/readings.tsx")).ReadingsView),
  },
  {
    id: "sharing",
    label: pages.sharing,
    View: lazily(async () => (await import("./patient/sharing.tsx")).SharingView),
  },
  {
    id: "trail",
    label: pages.trail,
    View: lazily(async () => (await import("./patient/trail.tsx")).TrailView),
  },
  {
    id: "devices",
    label: pages.devices,
    View: lazily(async () => (await import("./patient/devices.tsx")).DevicesView),
  },
  {
    id: "emergency",
    label: pages.emergency,
    View: lazily(async () => (await import("./patient/emergency.tsx")).EmergencyView),
  },
];

/** What each role finds in the bar; the first is where it begins. */
export function pagesOf(role: string): readonly PageSpec[] {
  switch (role) {
    case "doctor":
      return [...DOCTOR, ACCOUNT];
    case "patient":
      return [...PATIENT, PARTNERS, ACCOUNT];
    case "security-officer":
      return [...OFFICER, ACCOUNT];
    default:
      return [ACCOUNT];
  }
}
