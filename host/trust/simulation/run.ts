import { createRandom } from "../../base/index.ts";
import { type Estimate, estimate, type Judged, type Outcome, outcomeOf } from "./measure.ts";
import {
  ADMITTED,
  admit,
  EVERYTHING,
  eigenTrustAlone,
  type Model,
  noTrust,
  ourGate,
  plainBeta,
  plainMean,
} from "./models.ts";
import { ATTACKS, type Attack, playWorld, type World, type WorldOptions } from "./world.ts";

/** The models that are compared, by name. */
export const MODELS = {
  "no trust": () => noTrust(),
  "plain mean": (world) => plainMean(admit(world, EVERYTHING)),
  "plain Beta": (world) => plainBeta(admit(world, EVERYTHING)),
  "EigenTrust alone": (world) => eigenTrustAlone(world, admit(world, EVERYTHING)),
  medcloudlet: (world) => ourGate(world, admit(world, ADMITTED)),
} satisfies Record<string, (world: World) => Model>;

/** The gate with one part left out, and the plain models with our admission: what each part is worth. */
export const ABLATIONS = {
  medcloudlet: MODELS.medcloudlet,
  "without credentials": (world) => ourGate(world, admit(world, { receipts: true, credentials: false })),
  "without receipts": (world) => ourGate(world, admit(world, { receipts: false, credentials: true })),
  "without EigenTrust": (world) => ourGate(world, admit(world, ADMITTED), { standing: false }),
  "every witness believed": (world) => ourGate(world, admit(world, ADMITTED), { witnesses: "believed" }),
  "no witness asked": (world) => ourGate(world, admit(world, ADMITTED), { witnesses: "none" }),
  "one forgetting factor": (world) =>
    ourGate(world, admit(world, ADMITTED), { forgetting: { positive: 0.95, negative: 0.95 } }),
  "plain mean, admitted": (world) => plainMean(admit(world, ADMITTED)),
  "plain Beta, admitted": (world) => plainBeta(admit(world, ADMITTED)),
} satisfies Record<string, (world: World) => Model>;

/** Means and confidence intervals of an {@link Outcome}. */
export type Measured = { readonly [measure in keyof Outcome]: Estimate };

/** One model in one kind of world. */
export interface SimulationRow extends Measured {
  readonly attack: Attack;
  readonly honest: number;
  readonly model: string;
}

export interface SimulationOptions {
  /** Worlds of each kind; their seeds are `seed`, `seed` + 1, … */
  readonly runs: number;
  readonly seed: number;
  readonly attacks?: readonly Attack[];
  readonly honestShares: readonly number[];
  readonly models: Readonly<Record<string, (world: World) => Model>>;
  readonly world?: Partial<
    Pick<WorldOptions, "patients" | "communitySize" | "epochs" | "exchanges" | "sybils">
  >;
  /** Called after each world. */
  readonly onWorld?: () => void;
}

/** Who decides, and on how many candidates each. */
const EVALUATORS = 200;
const CANDIDATES = 15;

/** Plays every world once and lets every model decide the same cases in it. The same options give the same numbers. */
export function simulateTrust(options: SimulationOptions): SimulationRow[] {
  const { runs, seed, attacks = ATTACKS, honestShares, models, onWorld = () => {} } = options;
  const rows: SimulationRow[] = [];
  for (const attack of attacks) {
    for (const honest of honestShares) {
      const outcomes = new Map<string, Outcome[]>(Object.keys(models).map((name) => [name, []]));
      for (let run = 0; run < runs; run++) {
        const world = playWorld({ seed: seed + run, attack, honest, ...options.world });
        const cases = casesOf(world, seed + run);
        for (const [name, build] of Object.entries(models)) {
          outcomes.get(name)?.push(outcomeOf(judge(world, build(world), cases)));
        }
        onWorld();
      }
      for (const [model, results] of outcomes) {
        const measured = (measure: keyof Outcome) => estimate(results.map((one) => one[measure]));
        rows.push({
          attack,
          honest,
          model,
          auc: measured("auc"),
          wrongShares: measured("wrongShares"),
          refused: measured("refused"),
        });
      }
    }
  }
  return rows;
}

type Case = readonly [evaluator: number, candidate: number];

/** Honest patients, each with candidates of their community: honest and malicious as they come. */
function casesOf(world: World, seed: number): Case[] {
  const random = createRandom(seed, 2);
  const pick = (count: number) => Math.floor(random.uniform() * count);
  const { patients, communitySize, honest } = world;
  const evaluators = honest.flatMap((good, patient) => (good ? [patient] : []));
  return Array.from({ length: Math.min(EVALUATORS, evaluators.length) }, () => {
    const evaluator = evaluators.splice(pick(evaluators.length), 1)[0] as number;
    const first = Math.floor(evaluator / communitySize) * communitySize;
    const others = Array.from(
      { length: Math.min(communitySize, patients - first) },
      (_, i) => first + i,
    ).filter((other) => other !== evaluator);
    return Array.from({ length: Math.min(CANDIDATES, others.length) }, (): Case => {
      return [evaluator, others.splice(pick(others.length), 1)[0] as number];
    });
  }).flat();
}

function judge(world: World, model: Model, cases: readonly Case[]): Judged[] {
  return cases.map(([evaluator, candidate]) => ({
    ...model(evaluator, candidate),
    honest: world.honest[candidate] === true,
  }));
}
