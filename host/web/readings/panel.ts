import type { Quantity } from "../../sealing/index.ts";
import { TEXTS } from "../texts/index.ts";

/** One chart of the patient's view: one quantity, or the two of blood pressure. */
export interface PanelSpec {
  readonly id: string;
  readonly label: string;
  readonly unit: string;
  readonly lines: readonly { readonly quantity: Quantity; readonly label: string; readonly colour: string }[];
  /** Values that score 0 in NEWS2 (Royal College of Physicians, 2017), shaded. */
  readonly band: readonly [number, number];
  /** What the shading stands for. */
  readonly bandLabel: string;
  /** What the axis shows at least. */
  readonly span: readonly [number, number];
  readonly digits: number;
}

/** Colours are names of custom properties, so that they follow light and dark. */
export const PANELS: readonly PanelSpec[] = [
  {
    id: "heart-rate",
    label: TEXTS.vitals.heartRate,
    unit: "/min",
    lines: [{ quantity: "heartRate", label: TEXTS.vitals.heartRate, colour: "--line-1" }],
    bandLabel: TEXTS.readings.band,
    band: [51, 90],
    span: [40, 120],
    digits: 0,
  },
  {
    id: "oxygen-saturation",
    label: TEXTS.vitals.oxygenSaturation,
    unit: "%",
    lines: [{ quantity: "oxygenSaturation", label: TEXTS.vitals.oxygenSaturation, colour: "--line-2" }],
    bandLabel: TEXTS.readings.band,
    band: [96, 100],
    span: [88, 100],
    digits: 0,
  },
  {
    id: "respiratory-rate",
    label: TEXTS.vitals.respiratoryRate,
    unit: "/min",
    lines: [{ quantity: "respiratoryRate", label: TEXTS.vitals.respiratoryRate, colour: "--line-3" }],
    bandLabel: TEXTS.readings.band,
    band: [12, 20],
    span: [8, 30],
    digits: 0,
  },
  {
    id: "blood-pressure",
    label: TEXTS.vitals.bloodPressure,
    unit: "mmHg",
    lines: [
      { quantity: "systolicPressure", label: TEXTS.vitals.systolic, colour: "--line-4" },
      { quantity: "diastolicPressure", label: TEXTS.vitals.diastolic, colour: "--line-5" },
    ],
    bandLabel: TEXTS.readings.systolicBand,
    band: [111, 219],
    span: [50, 160],
    digits: 0,
  },
  {
    id: "temperature",
    label: TEXTS.vitals.bodyTemperature,
    unit: "°C",
    lines: [{ quantity: "bodyTemperature", label: TEXTS.vitals.bodyTemperature, colour: "--line-6" }],
    bandLabel: TEXTS.readings.band,
    band: [36.1, 38],
    span: [35.5, 39.5],
    digits: 1,
  },
];

/** The same for who has not learnt NEWS2. */
export const PLAIN_PANELS: readonly PanelSpec[] = PANELS.map((panel) => ({
  ...panel,
  bandLabel:
    panel.bandLabel === TEXTS.readings.systolicBand
      ? TEXTS.readings.plainSystolicBand
      : TEXTS.readings.plainBand,
}));
