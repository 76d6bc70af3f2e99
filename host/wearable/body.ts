import { createRandom } from "../base/index.ts";
import type { ActivityState } from "./activity.ts";
import type { EpisodeState } from "./episode.ts";
import { createOrnsteinUhlenbeck } from "./noise.ts";
import type { PhysiologyProfile } from "./profile.ts";

/** True state of the body this second, before any sensor looks at it. */
export interface BodyState {
  readonly heartRate: number;
  readonly respiratoryRate: number;
  readonly oxygenSaturation: number;
  readonly bodyTemperature: number;
  readonly systolicPressure: number;
  readonly diastolicPressure: number;
}

/** Limits that no simulated value leaves, whatever profile, noise and episode add up to. */
export const PHYSIOLOGICAL_BOUNDS: Readonly<Record<keyof BodyState, readonly [least: number, most: number]>> =
  {
    heartRate: [30, 220],
    respiratoryRate: [4, 60],
    oxygenSaturation: [60, 100],
    bodyTemperature: [33, 42],
    systolicPressure: [60, 250],
    diastolicPressure: [30, 150],
  };

/** Core temperature is lowest here (Refinetti and Menaker, Physiology & Behavior 51, 1992) and highest 12 h on. */
const COLDEST_HOUR = 4.5;
const LEAST_PULSE_PRESSURE = 18;

/** Half the daily swing that is the clock's own, awake or asleep. */
const CIRCADIAN = { bodyTemperature: 0.4, heartRate: 3 };
/** Changes in deep sleep: slower heart and breath, the nocturnal dip of pressure. */
const ASLEEP = {
  heartRate: -9,
  respiratoryRate: -1.8,
  oxygenSaturation: -0.6,
  systolic: -13,
  diastolic: -10,
};
/** Changes in a brisk walk. */
const WALKING = { heartRate: 36, respiratoryRate: 5, oxygenSaturation: -0.4, systolic: 16, diastolic: 3 };

/**
 * Heart rate, respiration, saturation, temperature and pressure as the sum of the person's normal, the time of
 * day, sleep, load, the episode, and autocorrelated noise on two time scales.
 * @returns a function giving the state of the next second
 */
export function createBody(
  seed: number,
  stream: number,
  profile: PhysiologyProfile,
): (localHour: number, activity: ActivityState, episode: EpisodeState) => BodyState {
  const random = createRandom(seed, stream);
  const noise = {
    // Respiratory and other beat-to-beat variation, then the slow drift of autonomic tone.
    heartFast: createOrnsteinUhlenbeck(random, 1.6, 6),
    heartSlow: createOrnsteinUhlenbeck(random, 2.2, 8 * 60),
    respiration: createOrnsteinUhlenbeck(random, 0.9, 40),
    saturation: createOrnsteinUhlenbeck(random, 0.45, 3 * 60),
    temperature: createOrnsteinUhlenbeck(random, 0.07, 60 * 60),
    systolic: createOrnsteinUhlenbeck(random, 4.5, 40 * 60),
    diastolic: createOrnsteinUhlenbeck(random, 2, 40 * 60),
  };

  return (localHour, { sleep, load }, { shift }) => {
    const clock = -Math.cos((2 * Math.PI * (localHour - COLDEST_HOUR)) / 24);
    const systolicNoise = noise.systolic();
    const systolicPressure = bounded(
      "systolicPressure",
      profile.systolicPressure +
        sleep * ASLEEP.systolic +
        load * WALKING.systolic +
        shift.systolicPressure +
        systolicNoise,
    );
    const diastolicPressure = bounded(
      "diastolicPressure",
      profile.diastolicPressure +
        sleep * ASLEEP.diastolic +
        load * WALKING.diastolic +
        shift.diastolicPressure +
        0.5 * systolicNoise +
        noise.diastolic(),
    );
    return {
      heartRate: bounded(
        "heartRate",
        profile.heartRate +
          clock * CIRCADIAN.heartRate +
          sleep * ASLEEP.heartRate +
          load * WALKING.heartRate +
          shift.heartRate +
          noise.heartFast() +
          noise.heartSlow(),
      ),
      respiratoryRate: bounded(
        "respiratoryRate",
        profile.respiratoryRate +
          sleep * ASLEEP.respiratoryRate +
          load * WALKING.respiratoryRate +
          shift.respiratoryRate +
          noise.respiration(),
      ),
      oxygenSaturation: bounded(
        "oxygenSaturation",
        profile.oxygenSaturation +
          sleep * ASLEEP.oxygenSaturation +
          load * WALKING.oxygenSaturation +
          shift.oxygenSaturation +
          noise.saturation(),
      ),
      bodyTemperature: bounded(
        "bodyTemperature",
        profile.bodyTemperature +
          clock * CIRCADIAN.bodyTemperature +
          shift.bodyTemperature +
          noise.temperature(),
      ),
      systolicPressure,
      diastolicPressure: Math.min(diastolicPressure, systolicPressure - LEAST_PULSE_PRESSURE),
    };
  };
}

/** `value` held within the physiological bounds of `sign`. */
export function bounded(sign: keyof BodyState, value: number): number {
  const [least, most] = PHYSIOLOGICAL_BOUNDS[sign];
  return Math.min(most, Math.max(least, value));
}
