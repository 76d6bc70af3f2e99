import type { Clock } from "../base/index.ts";
import {
  createEigenTrust,
  type EigenTrust,
  type Enrolment,
  type Enrolments,
  type Feedback,
  FORGETTING,
  type Ratings,
  standingOf,
  trustEpoch,
} from "../trust/index.ts";

const PAGE = 1_000;
/** Ratings older than this have faded to nothing worth adding up. */
const EPOCHS_BACK = 104;
/** Computed anew at least this often: another process of this cloudlet may have taken ratings too. */
const REBUILD_AFTER_MS = 60 * 60 * 1000;
/** Room for members who come before the next computation. */
const ROOM = 256;

export interface Standing {
  readonly pseudonym: string;
  /** 0 to 1; the average is 1/2. */
  readonly standing: number;
}

/** What the clinicians' chain of trust gives to each member, as far as this relay's ratings say. */
export interface Standings {
  /** In the order of pseudonyms, behind `after`. */
  page(
    community: string,
    options: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<{ readonly standings: readonly Standing[]; readonly errorBound: number }>;
  /** Folds one rating in that was just stored. */
  rated(feedback: Feedback): void;
  /** A member came, or came back. */
  enrolled(enrolment: Enrolment): void;
}

interface Engine {
  readonly numbers: Map<string, number>;
  /** Pseudonyms in their order; null after somebody came. */
  sorted: readonly string[] | null;
  readonly trust: EigenTrust | null;
  readonly capacity: number;
  readonly epoch: number;
  readonly builtAt: number;
}

/**
 * EigenTrust seeded with the members whose credential says clinician; computed from the stored ratings when first asked
 * for, and each rating folded in after that.
 */
export function createStandings(options: {
  readonly ratings: Pick<Ratings, "since">;
  readonly enrolments: Pick<Enrolments, "page">;
  readonly clock: Clock;
}): Standings {
  const { ratings, enrolments, clock } = options;
  const engines = new Map<string, Engine>();
  const building = new Map<string, Promise<Engine>>();
  /** Communities where something happened while they were computed: the result may lack it or count it twice. */
  const stale = new Set<string>();

  async function membersOf(community: string): Promise<Enrolment[]> {
    const members: Enrolment[] = [];
    for (;;) {
      const after = members.at(-1)?.pseudonym;
      const page = await enrolments.page(community, { after, limit: PAGE, valid: false });
      members.push(...page);
      if (page.length < PAGE) {
        return members;
      }
    }
  }

  async function build(community: string): Promise<Engine> {
    const now = clock.now();
    const epoch = trustEpoch(now);
    const members = await membersOf(community);
    const numbers = new Map(members.map(({ pseudonym }, number) => [pseudonym, number]));
    const seeds = members.flatMap(({ credential, until }, number) =>
      credential.standing === "clinician" && until > now ? [number] : [],
    );
    const records = (await ratings.since(community, epoch - EPOCHS_BACK)).filter(
      ({ rater, target }) => numbers.has(rater) && numbers.has(target),
    );
    const capacity = members.length + ROOM;
    const trust =
      seeds.length === 0
        ? null
        : createEigenTrust({
            patients: capacity,
            seeds,
            ratings: {
              raters: Uint32Array.from(records, ({ rater }) => numbers.get(rater) as number),
              targets: Uint32Array.from(records, ({ target }) => numbers.get(target) as number),
              values: Float64Array.from(records, (record) => fadedValue(record, epoch)),
            },
          });
    return { numbers, sorted: null, trust, capacity, epoch, builtAt: now };
  }

  async function engineOf(community: string): Promise<Engine> {
    const now = clock.now();
    const there = engines.get(community);
    const fresh =
      there !== undefined && there.epoch === trustEpoch(now) && now - there.builtAt < REBUILD_AFTER_MS;
    if (fresh) {
      return there;
    }
    const underWay = building.get(community);
    if (underWay !== undefined) {
      return underWay;
    }
    stale.delete(community);
    const work = build(community).finally(() => building.delete(community));
    building.set(community, work);
    const engine = await work;
    if (!stale.has(community)) {
      engines.set(community, engine);
    }
    return engine;
  }

  return {
    async page(community, { after = "", limit }) {
      const engine = await engineOf(community);
      const { numbers, trust } = engine;
      if (trust === null) {
        return { standings: [], errorBound: 0 };
      }
      engine.sorted ??= [...numbers.keys()].sort();
      const first = firstBehind(engine.sorted, after);
      const standings = engine.sorted.slice(first, first + limit).map((pseudonym) => ({
        pseudonym,
        standing: standingOf(trust.scoreOf(numbers.get(pseudonym) as number), numbers.size),
      }));
      return { standings, errorBound: trust.errorBound() };
    },
    rated(feedback) {
      const { community, rater, target, epoch } = feedback;
      if (building.has(community)) {
        stale.add(community);
      }
      const engine = engines.get(community);
      const from = engine?.numbers.get(rater);
      const to = engine?.numbers.get(target);
      if (engine === undefined || from === undefined || to === undefined) {
        engines.delete(community);
        return;
      }
      engine.trust?.rate(from, to, fadedValue({ good: feedback.good, epoch }, engine.epoch));
    },
    enrolled({ community, pseudonym, credential }) {
      if (building.has(community)) {
        stale.add(community);
      }
      const engine = engines.get(community);
      if (engine === undefined || engine.numbers.has(pseudonym)) {
        // A patient who became a clinician, or the other way round, is seen at the next computation.
        return;
      }
      if (credential.standing === "clinician" || engine.numbers.size === engine.capacity) {
        engines.delete(community);
        return;
      }
      engine.numbers.set(pseudonym, engine.numbers.size);
      engine.sorted = null;
    },
  };
}

/** Index of the first of the sorted names that comes behind `name`. */
function firstBehind(sorted: readonly string[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) > name) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/** One outcome faded by its age, good counting up and bad down. */
function fadedValue(
  { good, epoch }: { readonly good: boolean; readonly epoch: number },
  now: number,
): number {
  const age = Math.max(0, now - epoch);
  return good ? FORGETTING.positive ** age : -(FORGETTING.negative ** age);
}
