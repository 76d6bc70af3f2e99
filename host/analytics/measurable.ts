/** Limits outside of which a number is a fault of the sensor or a wrong unit, not a patient. */
export interface MeasurableRange {
  readonly least: number;
  readonly most: number;
  readonly unit: string;
}

const RANGES = {
  respiratoryRate: { least: 0, most: 200, unit: "/min" },
  oxygenSaturation: { least: 0, most: 100, unit: "%" },
  systolicPressure: { least: 0, most: 400, unit: "mmHg" },
  pulse: { least: 0, most: 400, unit: "/min" },
  temperature: { least: 10, most: 50, unit: "degrees Celsius" },
} as const satisfies Record<string, MeasurableRange>;

/** Name of a parameter that is a number. */
export type MeasuredParameter = keyof typeof RANGES;

/**
 * The range in which a value can be a measurement at all. It is wide on purpose: a stopped heart reads 0, the
 * deepest survived hypothermia was below 14 degrees (Gilbert et al., Lancet 2000), yet 98.6 is Fahrenheit.
 */
export function measurableRange(parameter: MeasuredParameter): MeasurableRange {
  return RANGES[parameter];
}

/** True when `value` can be a measurement of `parameter`. */
export function isMeasurable(parameter: MeasuredParameter, value: number): boolean {
  const { least, most } = RANGES[parameter];
  return value >= least && value <= most;
}
