/** What one person is like at rest in the afternoon, and how they live. */
export interface PhysiologyProfile {
  /** Beats per minute, awake at rest. */
  readonly heartRate: number;
  /** Breaths per minute, awake at rest. */
  readonly respiratoryRate: number;
  /** SpO2 in %. */
  readonly oxygenSaturation: number;
  /** Mean of the day in degrees Celsius. */
  readonly bodyTemperature: number;
  /** mmHg, awake at rest. */
  readonly systolicPressure: number;
  /** mmHg, awake at rest. */
  readonly diastolicPressure: number;
  /** Local hour of falling asleep, 0-24. */
  readonly sleepHour: number;
  /** Local hour of waking, 0-24. */
  readonly wakeHour: number;
  /** Mean minutes between two walks while awake; Infinity for somebody who stays in bed. */
  readonly minutesBetweenWalks: number;
  /** Local time minus UTC in minutes, east positive. */
  readonly utcOffsetMinutes: number;
}

/**
 * A healthy adult. Vital signs in the middle of the adult reference ranges (the bands that score 0 in NEWS2).
 */
export const HEALTHY_ADULT: PhysiologyProfile = {
  heartRate: 68,
  respiratoryRate: 14.5,
  oxygenSaturation: 97.6,
  bodyTemperature: 36.8,
  systolicPressure: 122,
  diastolicPressure: 76,
  sleepHour: 23,
  wakeHour: 7,
  minutesBetweenWalks: 25,
  utcOffsetMinutes: 0,
};

/** Seconds between two samples of each sensor; each a positive integer. */
export interface SamplingIntervals {
  readonly heartRate: number;
  readonly pulseRate: number;
  readonly respiratoryRate: number;
  readonly oxygenSaturation: number;
  readonly bodyTemperature: number;
  readonly steps: number;
  /** The cuff inflates after a random pause between these two. */
  readonly cuffShortest: number;
  readonly cuffLongest: number;
}

/** Once a second as bedside monitors give numerics, once a minute for slow ones, a cuff every 15-30 minutes. */
export const DEFAULT_INTERVALS: SamplingIntervals = {
  heartRate: 1,
  pulseRate: 1,
  respiratoryRate: 1,
  oxygenSaturation: 1,
  bodyTemperature: 60,
  steps: 60,
  cuffShortest: 15 * 60,
  cuffLongest: 30 * 60,
};
