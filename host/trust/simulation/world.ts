import { createRandom, type Random } from "../../base/index.ts";

/** The attacks that trust models are measured against. */
export const ATTACKS = [
  "bad-mouthing",
  "ballot-stuffing",
  "on-off",
  "whitewashing",
  "sybil",
  "collusion",
] as const;
export type Attack = (typeof ATTACKS)[number];

/** What a simulated world is made of. */
export interface WorldOptions {
  readonly seed: number;
  readonly attack: Attack;
  /** Share of patients who are honest, 0 to 1. */
  readonly honest: number;
  readonly patients?: number;
  /** Patients of one condition, who exchange among themselves. */
  readonly communitySize?: number;
  readonly epochs?: number;
  /** Exchanges that each patient begins in an epoch. */
  readonly exchanges?: number;
  /** Additional identities of each attacker under `sybil`. */
  readonly sybils?: number;
}

/** One rating as it would lie in the store, with what the simulation knows beside it. */
export interface LoggedRating {
  readonly epoch: number;
  readonly rater: number;
  readonly target: number;
  readonly good: boolean;
  /** Both signed a receipt: there was an exchange, if only between friends. */
  readonly receipt: boolean;
  /** The rater holds a hospital's credential. */
  readonly credential: boolean;
  /** Which of the target's successive names was rated; 0 the first. */
  readonly life: number;
}

/** A history of exchanges and ratings. Patients come first, then clinicians, then the attackers' extra identities. */
export interface World {
  readonly patients: number;
  readonly identities: number;
  readonly epochs: number;
  readonly communitySize: number;
  readonly clinicians: readonly number[];
  /** By patient. */
  readonly honest: readonly boolean[];
  /** By patient: the name they go by at the end. */
  readonly life: readonly number[];
  /** By patient: found a second hospital, so that a new name has a credential too. */
  readonly secondCredential: readonly boolean[];
  readonly ratings: readonly LoggedRating[];
}

const CLINICIANS_A_COMMUNITY = 2;
/** Chance that an honest patient's conduct is good, from and to; an attacker's; and in an on-off attacker's good days. */
const HONEST_CONDUCT = [0.85, 1] as const;
const ATTACKER_CONDUCT = [0.1, 0.5] as const;
const ON_CONDUCT = 0.95;
const OFF_CONDUCT = 0.1;
const PHASE_EPOCHS = 4;
/** Votes without an exchange that a liar throws in each epoch where nothing asks for receipts. */
const EMPTY_VOTES = 5;
const CLIQUE_SIZE = 5;
/** Chance in each epoch that a whitewasher throws the name away. */
const WASH = 0.2;
const SECOND_CREDENTIAL = 0.1;

/**
 * Plays a history: in each epoch every patient exchanges with a random member of the community, and both rate. Honest
 * patients rate what happened; attackers do what their attack says. The history does not depend on any trust model, so
 * that all are judged on the very same ratings.
 */
export function playWorld(options: WorldOptions): World {
  const {
    seed,
    attack,
    honest: share,
    patients = 1000,
    communitySize = 50,
    epochs = 20,
    exchanges = 2,
    sybils = 5,
  } = options;
  const random = createRandom(seed, 1);
  const pick = (count: number) => Math.floor(random.uniform() * count);
  const honest = assignHonest(patients, share, random);
  const conduct = honest.map((good) =>
    good ? random.between(...HONEST_CONDUCT) : random.between(...ATTACKER_CONDUCT),
  );
  const phase = honest.map(() => pick(2 * PHASE_EPOCHS));
  const secondCredential = honest.map((good) => !good && random.chance(SECOND_CREDENTIAL));
  const life = honest.map(() => 0);
  const communities = Math.ceil(patients / communitySize);
  const clinicians = Array.from({ length: communities * CLINICIANS_A_COMMUNITY }, (_, i) => patients + i);
  const firstSybil = patients + clinicians.length;
  const attackers = honest.flatMap((good, patient) => (good ? [] : [patient]));
  const identities = firstSybil + (attack === "sybil" ? attackers.length * sybils : 0);
  const ratings: LoggedRating[] = [];

  const isOn = (patient: number, epoch: number) =>
    (epoch + (phase[patient] as number)) % (2 * PHASE_EPOCHS) < PHASE_EPOCHS;
  const goodOf = (patient: number, epoch: number): boolean => {
    if (attack === "on-off" && honest[patient] === false) {
      return random.chance(isOn(patient, epoch) ? ON_CONDUCT : OFF_CONDUCT);
    }
    return random.chance(conduct[patient] as number);
  };
  /** A neighbour in the community, not oneself. */
  const neighbour = (patient: number): number => {
    const first = Math.floor(patient / communitySize) * communitySize;
    const size = Math.min(communitySize, patients - first);
    const other = first + pick(size - 1);
    return other >= patient ? other + 1 : other;
  };
  const rate = (epoch: number, rater: number, target: number, good: boolean, receipt = true) => {
    ratings.push({
      epoch,
      rater,
      target,
      good,
      receipt,
      credential: rater < firstSybil,
      life: life[target] as number,
    });
  };
  /** What an attacker says of somebody, given what happened. */
  const liesOf = (rater: number, target: number, epoch: number, good: boolean): boolean => {
    const friend = honest[target] === false;
    switch (attack) {
      case "bad-mouthing":
        return friend ? good : false;
      case "ballot-stuffing":
        return friend ? true : good;
      case "on-off":
        return isOn(rater, epoch) || friend ? good : false;
      case "whitewashing":
        return good;
      case "sybil":
      case "collusion":
        return friend;
    }
  };
  const emptyVotes = (epoch: number, rater: number) => {
    for (let i = 0; i < EMPTY_VOTES; i++) {
      const target = neighbour(rater);
      const friend = honest[target] === false;
      if (friend === (attack === "ballot-stuffing")) {
        rate(epoch, rater, target, friend, false);
      }
    }
  };
  const schemes = (epoch: number) => {
    attackers.forEach((attacker, index) => {
      switch (attack) {
        case "bad-mouthing":
        case "ballot-stuffing":
          emptyVotes(epoch, attacker);
          break;
        case "sybil":
          for (let i = 0; i < sybils; i++) {
            const identity = firstSybil + index * sybils + i;
            // Where nobody asks for credentials it takes part, so that it has receipts with its victims too.
            rate(epoch, identity, attacker, true);
            const victim = neighbour(attacker);
            if (honest[victim] === true) {
              rate(epoch, identity, victim, false);
            }
          }
          break;
        case "collusion": {
          const from = index - (index % CLIQUE_SIZE);
          for (const friend of attackers.slice(from, from + CLIQUE_SIZE)) {
            if (friend !== attacker) {
              rate(epoch, attacker, friend, true);
            }
          }
          break;
        }
        case "whitewashing":
          if (random.chance(WASH)) {
            life[attacker] = (life[attacker] as number) + 1;
          }
          break;
        case "on-off":
          break;
      }
    });
  };

  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let patient = 0; patient < patients; patient++) {
      for (let i = 0; i < exchanges; i++) {
        const other = neighbour(patient);
        for (const [rater, target] of [
          [patient, other],
          [other, patient],
        ] as const) {
          const good = goodOf(target, epoch);
          rate(epoch, rater, target, honest[rater] === true ? good : liesOf(rater, target, epoch, good));
        }
      }
    }
    clinicians.forEach((clinician, i) => {
      const patient = Math.min(
        patients - 1,
        Math.floor(i / CLINICIANS_A_COMMUNITY) * communitySize + pick(communitySize),
      );
      rate(epoch, clinician, patient, goodOf(patient, epoch));
    });
    schemes(epoch);
  }
  return { patients, identities, epochs, communitySize, clinicians, honest, life, secondCredential, ratings };
}

/** Exactly the share, spread at random (Fisher and Yates). */
function assignHonest(patients: number, share: number, random: Random): boolean[] {
  const honest = Array.from({ length: patients }, (_, i) => i < Math.round(patients * share));
  for (let i = patients - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    [honest[i], honest[j]] = [honest[j] as boolean, honest[i] as boolean];
  }
  return honest;
}
