import { MedcloudletError } from "../../base/index.ts";
import { bootstrapClusters, type Interval } from "../../statistics/index.ts";
import { type Run, runEmergency, TOWN_SQUARE, type World } from "./world.ts";

/** Means over the runs of one crowd and threshold, with 95 % intervals. */
export interface SweepRow {
  readonly people: number;
  readonly threshold: number;
  readonly qualified: Interval;
  readonly consumption: Interval;
  readonly compared: Interval;
  readonly helped: Interval;
}

/**
 * Sweeps how many symptoms a helper must share, for several crowds. The same seed gives the same rows.
 * @throws MedcloudletError `EMERGENCY_SIMULATION` where there is nothing to run
 */
export function sweepThresholds(options: {
  readonly runs: number;
  readonly seed: number;
  readonly crowds: readonly number[];
  readonly thresholds: readonly number[];
  readonly world?: Partial<World>;
  readonly onRun?: () => void;
}): SweepRow[] {
  const { runs, seed, crowds, thresholds, onRun } = options;
  if (runs < 1 || crowds.length === 0 || thresholds.length === 0) {
    throw new MedcloudletError(
      "EMERGENCY_SIMULATION",
      "At least one run, one crowd and one threshold are needed.",
      { status: 400 },
    );
  }
  return crowds.flatMap((people) => {
    const world: World = { ...TOWN_SQUARE, ...options.world, people };
    const all = Array.from({ length: runs }, (_, run) => {
      onRun?.();
      return runEmergency(world, seed + run, thresholds);
    });
    return thresholds.map((threshold, t) => {
      const mean = (of: (run: Run) => number) =>
        bootstrapClusters(
          all.map((run) => of(run[t] as Run)),
          (drawn) => drawn.reduce((sum, value) => sum + value, 0) / drawn.length,
          { rounds: 300 },
        );
      return {
        people,
        threshold,
        qualified: mean(({ qualified }) => qualified),
        consumption: mean(({ consumption }) => consumption),
        compared: mean(({ compared }) => compared),
        helped: mean(({ helped }) => helped),
      };
    });
  });
}
