export { type SweepRow, sweepThresholds } from "./simulation/sweep.ts";
export {
  type Passerby,
  passersBy,
  type Run,
  runEmergency,
  TOWN_SQUARE,
  type World,
} from "./simulation/world.ts";
