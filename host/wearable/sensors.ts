import { createRandom } from "../base/index.ts";
import type { ActivityState } from "./activity.ts";
import { type BodyState, bounded } from "./body.ts";
import { createDropout, createOrnsteinUhlenbeck } from "./noise.ts";

/** What the worn sensors show this second, in their own resolution; `null` where a sensor has no value. */
export interface SensorState {
  readonly heartRate: number | null;
  readonly pulseRate: number | null;
  readonly respiratoryRate: number | null;
  readonly oxygenSaturation: number | null;
  readonly bodyTemperature: number | null;
  readonly systolicPressure: number | null;
  readonly diastolicPressure: number | null;
}

/** Probability a second that a sensor at rest loses its signal: some times a day for each. */
const LOSS_AT_REST = { electrodes: 1 / 14_400, optical: 1 / 5_400, thermometer: 1 / 28_800 };
/** What full motion adds. Light at the wrist or finger suffers most, a patch least. */
const LOSS_IN_MOTION = { electrodes: 1 / 1_800, optical: 1 / 60, breathing: 1 / 240, cuff: 0.7 };
const CUFF_FAILS_AT_REST = 0.02;
/** Motion also makes the oximeter read low before it gives up. */
const MOTION_BIAS_SATURATION = -1.2;

/**
 * The sensors between body and record: rounding to whole numbers (temperature to 0.1 degrees), a pulse rate that
 * differs a little from the heart rate, artefacts and gaps. Motion disturbs the optical sensor, so pulse rate
 * and saturation fail together; an electrode that comes off takes heart rate and respiration with it.
 * @returns a function reading every sensor for the next second
 */
export function createSensors(
  seed: number,
  stream: number,
): (body: BodyState, activity: ActivityState) => SensorState {
  const random = createRandom(seed, stream);
  const electrodesOff = createDropout(random, 40);
  const opticalLost = createDropout(random, 12);
  const breathingLost = createDropout(random, 8);
  const thermometerOff = createDropout(random, 300);
  const pulseError = createOrnsteinUhlenbeck(random, 0.5, 10);

  return (body, { motion }) => {
    const noElectrodes = electrodesOff(LOSS_AT_REST.electrodes + motion * LOSS_IN_MOTION.electrodes);
    const noLight = opticalLost(LOSS_AT_REST.optical + motion * LOSS_IN_MOTION.optical);
    const noBreathing = breathingLost(motion * LOSS_IN_MOTION.breathing);
    const noTemperature = thermometerOff(LOSS_AT_REST.thermometer);
    const noCuff = random.chance(CUFF_FAILS_AT_REST + motion * LOSS_IN_MOTION.cuff);
    const pulse = bounded("heartRate", body.heartRate + pulseError() * (1 + 3 * motion));
    const saturation = bounded("oxygenSaturation", body.oxygenSaturation + motion * MOTION_BIAS_SATURATION);
    return {
      heartRate: noElectrodes ? null : Math.round(body.heartRate),
      pulseRate: noLight ? null : Math.round(pulse),
      respiratoryRate: noElectrodes || noBreathing ? null : Math.round(body.respiratoryRate),
      oxygenSaturation: noLight ? null : Math.round(saturation),
      bodyTemperature: noTemperature ? null : Math.round(body.bodyTemperature * 10) / 10,
      systolicPressure: noCuff ? null : Math.round(body.systolicPressure),
      diastolicPressure: noCuff ? null : Math.round(body.diastolicPressure),
    };
  };
}
