import { createRandom, type Random } from "../../base/index.ts";

/** A neighbourhood in which somebody needs help. Lengths in metres, times in seconds. */
export interface World {
  /** Side of the square. */
  readonly side: number;
  /** People on foot with the system on their telephone, besides the patient. */
  readonly people: number;
  /** How far two telephones reach each other. */
  readonly reach: number;
  readonly slowest: number;
  readonly fastest: number;
  /** Longest rest at the end of a walk. */
  readonly longestRest: number;
  /** Codes of symptoms and conditions that there are. */
  readonly symptoms: number;
  /** How many of them the patient has. */
  readonly own: number;
  /** Chance that somebody else has any one of them. */
  readonly prevalence: number;
  /** Share of people whose credential is one that the patient asks for. */
  readonly credentialed: number;
  /** How long the emergency lasts, and how often the patient reports in it. */
  readonly duration: number;
  readonly reportEvery: number;
  /** Work of the private comparison with one person, for either of the two, in units of processing one report. */
  readonly comparison: number;
}

/** Ours: a town square for half an hour; the papers' settings are not claimed. */
export const TOWN_SQUARE: World = {
  side: 500,
  people: 100,
  reach: 50,
  slowest: 0.5,
  fastest: 1.5,
  longestRest: 60,
  symptoms: 16,
  own: 8,
  prevalence: 0.4,
  credentialed: 0.7,
  duration: 30 * 60,
  reportEvery: 10,
  comparison: 0.2,
};

/** What happened in one run under one threshold. */
export interface Run {
  /** Different people who came near, had a credential, and were similar enough: SPOC's NQH. */
  readonly qualified: number;
  /** The patient's part of all work that was done: SPOC's RCR. */
  readonly consumption: number;
  /** Different people who were compared with. */
  readonly compared: number;
  /** Share of the reports for which a helper was near. */
  readonly helped: number;
}

interface Person {
  x: number;
  y: number;
  towards: { x: number; y: number };
  speed: number;
  restUntil: number;
  readonly credentialed: boolean;
  /** Symptoms in common with the patient. */
  readonly common: number;
}

const STREAM = { people: 1, walks: 2 } as const;

/**
 * One emergency: people walk (random waypoint: Johnson and Maltz 1996), the patient lies in the middle. With each report,
 * whoever is in reach shows a credential (phase 1) and, once, compares symptoms privately (phase 2: the number in
 * common, as `trust` counts it by private set intersection). The work of a report is shared evenly by the patient and the
 * helpers who are near at that moment. Measures after Lu, Lin and Shen, SPOC, IEEE TPDS 24(3), 2013.
 *
 * @param thresholds least numbers of symptoms in common; all are judged on the same walks
 * @returns one run for each threshold, in their order
 */
export function runEmergency(world: World, seed: number, thresholds: readonly number[]): Run[] {
  const compared = new Set<number>();
  const met = thresholds.map(() => new Set<number>());
  const patientWork = thresholds.map(() => 0);
  const allWork = thresholds.map(() => 0);
  const helped = thresholds.map(() => 0);
  let reports = 0;
  for (const near of passersBy(world, seed)) {
    reports++;
    for (const { index, common } of near) {
      const isNew = !compared.has(index);
      compared.add(index);
      for (const [t, threshold] of thresholds.entries()) {
        if (isNew) {
          patientWork[t] = (patientWork[t] as number) + world.comparison;
          allWork[t] = (allWork[t] as number) + 2 * world.comparison;
        }
        if (common >= threshold) {
          met[t]?.add(index);
        }
      }
    }
    for (const [t, threshold] of thresholds.entries()) {
      const helpers = near.filter(({ common }) => common >= threshold).length;
      patientWork[t] = (patientWork[t] as number) + 1 / (1 + helpers);
      allWork[t] = (allWork[t] as number) + 1;
      helped[t] = (helped[t] as number) + (helpers > 0 ? 1 : 0);
    }
  }
  return thresholds.map((_, t) => ({
    qualified: met[t]?.size ?? 0,
    consumption: (patientWork[t] as number) / (allWork[t] as number),
    compared: compared.size,
    helped: (helped[t] as number) / reports,
  }));
}

/** Somebody with a fitting credential in reach of the patient, and how many symptoms they share. */
export interface Passerby {
  readonly index: number;
  readonly common: number;
}

/** Who is near with each report. The same seed gives the same walks. */
export function* passersBy(world: World, seed: number): Generator<readonly Passerby[]> {
  const people = populate(world, createRandom(seed, STREAM.people));
  const walks = createRandom(seed, STREAM.walks);
  const reports = Math.floor(world.duration / world.reportEvery);
  for (let report = 0; report < reports; report++) {
    const near: Passerby[] = [];
    for (const [index, person] of people.entries()) {
      walk(person, world, walks, report * world.reportEvery);
      const distance = Math.hypot(person.x - world.side / 2, person.y - world.side / 2);
      if (distance <= world.reach && person.credentialed) {
        near.push({ index, common: person.common });
      }
    }
    yield near;
  }
}

function populate(world: World, random: Random): Person[] {
  return Array.from({ length: world.people }, () => {
    let common = 0;
    for (let i = 0; i < world.own; i++) {
      common += random.chance(world.prevalence) ? 1 : 0;
    }
    return {
      x: random.between(0, world.side),
      y: random.between(0, world.side),
      towards: { x: random.between(0, world.side), y: random.between(0, world.side) },
      speed: random.between(world.slowest, world.fastest),
      restUntil: 0,
      credentialed: random.chance(world.credentialed),
      common,
    };
  });
}

/** Moves somebody on by one report's time. */
function walk(person: Person, world: World, random: Random, now: number): void {
  if (now < person.restUntil) {
    return;
  }
  const [dx, dy] = [person.towards.x - person.x, person.towards.y - person.y];
  const left = Math.hypot(dx, dy);
  const step = person.speed * world.reportEvery;
  if (left <= step) {
    [person.x, person.y] = [person.towards.x, person.towards.y];
    person.towards = { x: random.between(0, world.side), y: random.between(0, world.side) };
    person.speed = random.between(world.slowest, world.fastest);
    person.restUntil = now + random.between(0, world.longestRest);
    return;
  }
  person.x += (dx / left) * step;
  person.y += (dy / left) * step;
}
