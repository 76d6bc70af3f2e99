import type { Random } from "../base/index.ts";
import { createLag } from "./noise.ts";
import type { PhysiologyProfile } from "./profile.ts";

/** What the person does this second. */
export interface ActivityState {
  /** 0 awake, 1 asleep, in between on the way. */
  readonly sleep: number;
  /** Present movement, 0 still to 1 brisk walking. */
  readonly motion: number;
  /** Bodily load that heart and breath follow: the movement of the last minute or so, 0 to 1. */
  readonly load: number;
  /** Steps taken this second. */
  readonly steps: number;
}

const FALLING_ASLEEP_SECONDS = 15 * 60;
const LOAD_SECONDS = 45;
const MEAN_WALK_SECONDS = 7 * 60;
/** Cadence (steps a second) of a slow and a brisk walk: about 80 and 120 a minute. */
const SLOW_CADENCE = 1.35;
const BRISK_CADENCE = 2;
/** Awake and indoors people take a step here and there: this many a second on average. */
const IDLE_CADENCE = 0.02;

/**
 * Sleep and walking bouts, second by second. Walks begin at random while awake (exponential pauses) and last
 * some minutes; weakness (an episode's severity) makes them rarer and slower.
 */
export function createActivity(
  random: Random,
  profile: PhysiologyProfile,
  startHour: number,
): (localHour: number, weakness: number) => ActivityState {
  const lagSleep = createLag(isNight(profile, startHour) ? 1 : 0, FALLING_ASLEEP_SECONDS);
  const lagLoad = createLag(0, LOAD_SECONDS);
  let walkSecondsLeft = 0;
  let intensity = 0;
  let strideShare = 0;

  function beginOrContinueWalk(mayWalk: boolean, weakness: number): void {
    const begins = random.chance((1 - weakness) / (60 * profile.minutesBetweenWalks));
    const length = random.exponential(MEAN_WALK_SECONDS);
    const pace = random.between(0.35, 1);
    if (walkSecondsLeft > 0) {
      walkSecondsLeft = mayWalk ? walkSecondsLeft - 1 : 0;
      return;
    }
    if (begins && mayWalk) {
      walkSecondsLeft = 60 + Math.floor(length);
      intensity = pace * (1 - weakness);
    }
  }

  return (localHour, weakness) => {
    const night = isNight(profile, localHour);
    const sleep = lagSleep(night ? 1 : 0);
    beginOrContinueWalk(!night, weakness);
    const motion = walkSecondsLeft > 0 ? intensity : 0;
    const idle = random.uniform() < IDLE_CADENCE * (1 - sleep) ? 1 : 0;
    strideShare += motion > 0 ? SLOW_CADENCE + (BRISK_CADENCE - SLOW_CADENCE) * motion : idle;
    const steps = Math.floor(strideShare);
    strideShare -= steps;
    return { sleep, motion, load: lagLoad(motion), steps };
  };
}

function isNight({ sleepHour, wakeHour }: PhysiologyProfile, hour: number): boolean {
  return sleepHour > wakeHour ? hour >= sleepHour || hour < wakeHour : hour >= sleepHour && hour < wakeHour;
}
