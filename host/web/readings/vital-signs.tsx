import type { Quantity } from "../../sealing/index.ts";
import { TEXTS } from "../texts/index.ts";
import type { PatientRow } from "../worker/streams.ts";

const { short } = TEXTS.vitals;

/** The newest values side by side, in the order of the chart at the bed. */
export function VitalSigns({ vitals }: { readonly vitals: PatientRow["vitals"] }) {
  const show = (quantity: Quantity, digits = 0) => vitals[quantity]?.value.toFixed(digits) ?? "–";
  const pressure =
    vitals.systolicPressure === undefined ? "–" : `${show("systolicPressure")}/${show("diastolicPressure")}`;
  const signs: readonly (readonly [string, string])[] = [
    [short.heartRate, vitals.heartRate === undefined ? show("pulseRate") : show("heartRate")],
    [short.oxygenSaturation, show("oxygenSaturation")],
    [short.respiratoryRate, show("respiratoryRate")],
    [short.bloodPressure, pressure],
    [short.bodyTemperature, show("bodyTemperature", 1)],
  ];
  return (
    <dl class="signs">
      {signs.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
