import {
  addOutcome,
  type Evidence,
  expectation,
  FORGETTING,
  type Forgetting,
  forget,
  NO_EVIDENCE,
} from "../beta.ts";
import { createEigenTrust, standingOf } from "../eigentrust.ts";
import { assess, MOST_UNCERTAINTY, type Witness } from "../gate.ts";
import { NO_RECORD, recordOutcome, type WitnessRecord } from "../travos.ts";
import type { LoggedRating, World } from "./world.ts";

/** The same for everybody: what a patient asks for before sharing. */
const THRESHOLD = 0.7;
/** EigenTrust alone shares with whoever has at least this part of the average score; it has no scale of its own. */
const EIGENTRUST_PART = 0.5;

/** What a model says of a candidate to somebody who has to decide. */
export interface Verdict {
  readonly score: number;
  readonly share: boolean;
}
export type Model = (evaluator: number, candidate: number) => Verdict;

/** Which ratings a model takes. */
export interface Admission {
  /** Only with a receipt of both, and one voice for each pair and epoch. */
  readonly receipts: boolean;
  /** Only from holders of a credential, who also keep their name. */
  readonly credentials: boolean;
}

export const EVERYTHING: Admission = { receipts: false, credentials: false };
export const ADMITTED: Admission = { receipts: true, credentials: true };

/** Ratings by target, as a model that admits so sees them at the end. */
export type Seen = readonly (readonly LoggedRating[])[];

export function admit(world: World, { receipts, credentials }: Admission): Seen {
  const seen: LoggedRating[][] = Array.from({ length: world.identities }, () => []);
  const voices = new Set<number>();
  for (const rating of world.ratings) {
    const { epoch, rater, target, life } = rating;
    // Without a credential, or with a second one, a new name has no past.
    const forgotten = !credentials || world.secondCredential[target] === true;
    if (credentials && !rating.credential) {
      continue;
    }
    if (forgotten && life !== world.life[target]) {
      continue;
    }
    if (receipts) {
      const voice = (epoch * world.identities + rater) * world.identities + target;
      if (!rating.receipt || voices.has(voice)) {
        continue;
      }
      voices.add(voice);
    }
    (seen[target] as LoggedRating[]).push(rating);
  }
  return seen;
}

/** Shares with everybody. */
export function noTrust(): Model {
  return () => ({ score: 0, share: true });
}

/** The plain mean of all ratings; one half for somebody nobody has rated. */
export function plainMean(seen: Seen): Model {
  const scores = seen.map((about) =>
    about.length === 0 ? 0.5 : about.filter(({ good }) => good).length / about.length,
  );
  return byScore(scores, THRESHOLD);
}

/** (r + 1) / (r + s + 2) over all ratings, nothing forgotten, everybody believed. */
export function plainBeta(seen: Seen): Model {
  const scores = seen.map((about) =>
    expectation(about.reduce((sum, { good }) => addOutcome(sum, good), NO_EVIDENCE)),
  );
  return byScore(scores, THRESHOLD);
}

/** EigenTrust over all ratings, seeded by the clinicians. */
export function eigenTrustAlone(world: World, seen: Seen): Model {
  const scores = eigenTrustScores(world, seen);
  return byScore(scores, EIGENTRUST_PART / world.patients);
}

function byScore(scores: ArrayLike<number>, threshold: number): Model {
  return (_, candidate) => {
    const score = scores[candidate] as number;
    return { score, share: score >= threshold };
  };
}

function eigenTrustScores(world: World, seen: Seen): Float64Array {
  const all = seen.flat();
  const trust = createEigenTrust({
    patients: world.identities,
    seeds: world.clinicians,
    ratings: {
      raters: Uint32Array.from(all, ({ rater }) => rater),
      targets: Uint32Array.from(all, ({ target }) => target),
      values: Float32Array.from(all, ({ good }) => (good ? 1 : -1)),
    },
  });
  return trust.scores();
}

/** Parts of the gate that can be left out, to see what each is worth. */
export interface GateParts {
  readonly forgetting?: Forgetting;
  /** Witnesses weighed by their record, or everybody believed, or nobody asked. */
  readonly witnesses?: "weighed" | "believed" | "none";
  /** Strangers weighed by EigenTrust. */
  readonly standing?: boolean;
}

/** The gate of gate.ts on these ratings: the very functions that the services use. */
export function ourGate(world: World, seen: Seen, parts: GateParts = {}): Model {
  const { forgetting = FORGETTING, witnesses = "weighed", standing = true } = parts;
  const scores = standing ? eigenTrustScores(world, seen) : null;
  const claims = seen.map((about) => claimsOf(about, world.epochs, forgetting));
  const metBy = targetsByRater(seen);
  const records = new Map<number, Map<number, WitnessRecord>>();

  const recordsOf = (evaluator: number) => {
    const known = records.get(evaluator) ?? learn(seen, metBy.get(evaluator) ?? new Set(), evaluator);
    records.set(evaluator, known);
    return known;
  };
  return (evaluator, candidate) => {
    const about = claims[candidate] as Map<number, Evidence>;
    const own = about.get(evaluator) ?? NO_EVIDENCE;
    const heard: Witness[] = [];
    if (witnesses !== "none") {
      const known = witnesses === "weighed" ? recordsOf(evaluator) : null;
      for (const [witness, claim] of about) {
        if (witness === evaluator) {
          continue;
        }
        if (known === null) {
          heard.push({ claim, record: NO_RECORD, standing: 1 });
          continue;
        }
        const record = known.get(witness) ?? NO_RECORD;
        const rank =
          scores === null ? {} : { standing: standingOf(scores[witness] as number, world.patients) };
        heard.push({ claim, record, ...rank });
      }
    }
    const { bound, uncertainty } = assess(own, heard);
    return { score: bound, share: bound >= THRESHOLD && uncertainty <= MOST_UNCERTAINTY };
  };
}

/** What each rater has said of one target, faded to the end. */
function claimsOf(
  about: readonly LoggedRating[],
  epochs: number,
  forgetting: Forgetting,
): Map<number, Evidence> {
  const claims = new Map<number, Evidence>();
  for (const { rater, epoch, good } of about) {
    const one = forget(addOutcome(NO_EVIDENCE, good), epochs - 1 - epoch, forgetting);
    const sum = claims.get(rater) ?? NO_EVIDENCE;
    claims.set(rater, { positive: sum.positive + one.positive, negative: sum.negative + one.negative });
  }
  return claims;
}

/** An evaluator's records: what each witness had said of somebody before the evaluator met them, and how that went. */
function learn(seen: Seen, met: ReadonlySet<number>, evaluator: number): Map<number, WitnessRecord> {
  const records = new Map<number, WitnessRecord>();
  for (const target of met) {
    const about = seen[target] as readonly LoggedRating[];
    const claims = new Map<number, Evidence>();
    let next = 0;
    // Ratings lie in the order of their epochs.
    for (const own of about.filter(({ rater }) => rater === evaluator)) {
      for (; next < about.length && (about[next] as LoggedRating).epoch < own.epoch; next++) {
        const { rater, good } = about[next] as LoggedRating;
        claims.set(rater, addOutcome(claims.get(rater) ?? NO_EVIDENCE, good));
      }
      for (const [witness, claim] of claims) {
        if (witness !== evaluator) {
          records.set(witness, recordOutcome(records.get(witness) ?? NO_RECORD, claim, own.good));
        }
      }
    }
  }
  return records;
}

function targetsByRater(seen: Seen): Map<number, Set<number>> {
  const targets = new Map<number, Set<number>>();
  for (const { rater, target } of seen.flat()) {
    const so = targets.get(rater) ?? new Set();
    targets.set(rater, so.add(target));
  }
  return targets;
}
