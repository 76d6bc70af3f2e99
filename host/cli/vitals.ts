import { type News2Score, scoreNews2 } from "../analytics/index.ts";
import { QUANTITIES, type Quantity, type ReadingColumn } from "../sealing/index.ts";
import type { Colours } from "./output.ts";

/** Last known value of each quantity and when it was measured (ms since 1970 UTC). */
export type Vitals = Partial<Record<Quantity, { readonly value: number; readonly time: number }>>;

/** A value older than this beside the newest is no longer a vital sign of now. */
const VALID_MS = 60 * 60_000;

/** Takes the newest values of a batch over. */
export function updateVitals(vitals: Vitals, columns: readonly ReadingColumn[]): void {
  for (const { quantity, times, values } of columns) {
    const i = values.findLastIndex((value) => value !== null);
    const [time, value] = [times[i], values[i]];
    if (
      time !== undefined &&
      value !== undefined &&
      value !== null &&
      time >= (vitals[quantity]?.time ?? 0)
    ) {
      vitals[quantity] = { value, time };
    }
  }
}

/** The values that are good at the time of the newest: what is an hour older counts as not measured. */
function currentValues(vitals: Vitals): Partial<Record<Quantity, number>> {
  const newest = Math.max(...Object.values(vitals).map(({ time }) => time));
  return Object.fromEntries(
    Object.entries(vitals).flatMap(([quantity, { value, time }]) =>
      newest - time <= VALID_MS ? [[quantity, value]] : [],
    ),
  );
}

/**
 * NEWS2 of the last known values, as far as they belong to one hour; consciousness and oxygen are not measured and
 * count as missing.
 */
export function scoreOf(vitals: Vitals): News2Score {
  const { respiratoryRate, oxygenSaturation, systolicPressure, heartRate, pulseRate, bodyTemperature } =
    currentValues(vitals);
  const pulse = heartRate ?? pulseRate;
  return scoreNews2({
    ...(respiratoryRate === undefined ? {} : { respiratoryRate }),
    ...(oxygenSaturation === undefined ? {} : { oxygenSaturation }),
    ...(systolicPressure === undefined ? {} : { systolicPressure }),
    ...(pulse === undefined ? {} : { pulse }),
    ...(bodyTemperature === undefined ? {} : { temperature: bodyTemperature }),
  });
}

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
  const current = currentValues(vitals);
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
