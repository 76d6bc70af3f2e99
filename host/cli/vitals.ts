import { currentVitals, type News2Score, type Vitals } from "../analytics/index.ts";
import { QUANTITIES, type Quantity } from "../sealing/index.ts";
import type { Colours } from "./output.ts";

/** The score in its colour; `≥` because unmeasured parameters could only add to it. */
export function scoreText(score: News2Score, colours: Colours): string {
  const text = `NEWS2 ${score.complete ? "" : "≥ "}${score.lowerBound}`;
  if (score.lowerBound >= 7) {
    return colours.bold(colours.red(text));
  }
  return score.lowerBound >= 5 || score.redFlag ? colours.yellow(text) : colours.green(text);
}

/** The vital signs in one line, as a chart on a ward has them. */
export function vitalsText(vitals: Vitals): string {
  const current = currentVitals(vitals);
  const show = (label: string, value: number | undefined, digits = 0) =>
    `${label} ${value === undefined ? "–".padStart(3) : value.toFixed(digits).padStart(3)}`;
  const pressure =
    current.systolicPressure === undefined
      ? "  –/–  "
      : `${current.systolicPressure.toFixed(0)}/${(current.diastolicPressure ?? 0).toFixed(0)}`;
  return [
    show("HR", current.heartRate ?? current.pulseRate),
    show("RR", current.respiratoryRate),
    show("SpO₂", current.oxygenSaturation),
    show("T", current.bodyTemperature, 1),
    `BP ${pressure}`,
  ].join("  ");
}

const SPARKS = "▁▂▃▄▅▆▇█";

/** A small chart of values; gaps are gaps. */
export function sparkline(values: readonly (number | null)[], width: number): string {
  const present = values.filter((value) => value !== null);
  if (present.length === 0) {
    return "";
  }
  const [low, high] = [Math.min(...present), Math.max(...present)];
  const columns = Math.min(width, values.length);
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * values.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * values.length) / columns));
    const slice = values.slice(from, to).filter((value) => value !== null);
    if (slice.length === 0) {
      return " ";
    }
    const mean = slice.reduce((sum, value) => sum + value, 0) / slice.length;
    return SPARKS[high === low ? 3 : Math.round(((mean - low) / (high - low)) * (SPARKS.length - 1))];
  }).join("");
}

/** What a quantity is called with its unit. */
export function quantityLabel(quantity: Quantity): string {
  return `${QUANTITIES[quantity].display} (${QUANTITIES[quantity].ucum})`;
}
