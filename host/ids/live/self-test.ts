import type { Clock } from "../../base/index.ts";
import {
  ATTACK_KINDS,
  ATTACK_SET_VERSION,
  type Attack,
  type AttackKind,
  attackSet,
} from "../attacks/index.ts";
import { ALARM_AT, type Detector } from "../detector.ts";
import { BINS, type BinnedRoc, binnedRoc, binOf } from "../evaluation/binned.ts";
import { type InspectedRequest, parseRequest } from "../request.ts";

/** Of paths, parameters, headers and fields; requests of ours have a dozen. */
const MOST_PARTS = 100;
/** So many attacks are judged upon one honest request: about a millisecond, after that request was answered. */
const AT_ONCE = 4;
/** Once every attack was judged, so many of them are judged anew this often: carriers and the model's ease change. */
const ANEW_EVERY_MS = 60_000;
/** Without a model no request is judged as a whole: so often one is, to be counted. */
const JUDGE_EVERY_MS = 250;

/** How the detector of a running service does, measured on its own traffic and on attacks that are built in. */
export interface SelfTestReport extends BinnedRoc {
  readonly benign: {
    /** Requests of callers who had proved who they are and got what they asked for, counted since then (ms). */
    readonly requests: number;
    readonly since: number;
  };
  readonly attacks: {
    readonly version: number;
    /** How many the set has, and how many of them were judged here so far; each counts once, by its newest score. */
    readonly of: number;
    readonly judged: number;
    /** How many kinds of requests of this service, by their routes, carried them. */
    readonly carriers: number;
    /** When the newest was judged, ms; null before the first. */
    readonly at: number | null;
    readonly kinds: readonly {
      readonly kind: AttackKind;
      readonly judged: number;
      readonly found: number;
    }[];
  };
}

/** What benign requests scored, to be kept: counts of one detector and nothing of any request. */
export interface BenignCounts {
  readonly since: number;
  readonly bins: readonly number[];
}

/** Measures the detector that runs, with the requests that it meets. Keeps scores, never a request. */
export interface SelfTest {
  /**
   * Told of an honest request after it was answered: of a caller who had proved who they are, and who got what they asked
   * for. Whether it alarmed must not matter to who tells, or the rate of false alarms would be no rate.
   * @param route the pattern that took it, ours and not the client's
   * @param score what the detector said of the whole of it, where it was asked anyway
   */
  took(request: () => InspectedRequest, route: string, score: number | null): void;
  report(): SelfTestReport;
  /** What is worth keeping over a restart. */
  counts(): BenignCounts;
}

/** Whether a request leaves room for an attack: there is a bound to what of one is looked at. */
function isOrdinary(request: InspectedRequest): boolean {
  const { parts, truncated } = parseRequest(request);
  return !truncated && parts.length <= MOST_PARTS;
}

/** @param options `later`: runs work when the request is out of the way; `kept`: what was counted before a restart */
export function createSelfTest(options: {
  readonly detector: Detector;
  readonly clock: Clock;
  readonly later: (work: () => void) => void;
  readonly kept?: BenignCounts | undefined;
  readonly attacks?: readonly Attack[];
}): SelfTest {
  const { detector, clock, later, kept } = options;
  const since = kept?.since ?? clock.now();
  const benign = Array.from({ length: BINS }, (_, bin) => kept?.bins[bin] ?? 0);
  const judged = new Map<
    string,
    { readonly kind: AttackKind; readonly score: number; readonly route: string }
  >();
  let attacks = options.attacks;
  let next = 0;
  let lastAttackAt: number | null = null;
  let lastJudgedAt = Number.NEGATIVE_INFINITY;
  let waiting = false;

  const attackUpon = (request: InspectedRequest, route: string): void => {
    attacks ??= attackSet();
    for (let i = 0; i < Math.min(AT_ONCE, attacks.length); i++) {
      const { id, kind, apply } = attacks[next % attacks.length] as Attack;
      next++;
      judged.set(id, { kind, score: detector.judge(apply(request)).score, route });
    }
    lastAttackAt = clock.now();
  };
  const isAttackDue = (now: number): boolean =>
    attacks === undefined || next < attacks.length || now - (lastAttackAt ?? 0) >= ANEW_EVERY_MS;

  return {
    took(request, route, score) {
      const now = clock.now();
      if (score !== null) {
        const bin = binOf(score);
        benign[bin] = (benign[bin] as number) + 1;
      } else if (now - lastJudgedAt < JUDGE_EVERY_MS) {
        return;
      }
      const attacking = !waiting && isAttackDue(now);
      if (score !== null && (!attacking || score >= ALARM_AT)) {
        return;
      }
      lastJudgedAt = now;
      waiting = true;
      // Taken now, for the request is gone later.
      const carrier = request();
      later(() => {
        waiting = false;
        const own = score ?? detector.judge(carrier).score;
        if (score === null) {
          const bin = binOf(own);
          benign[bin] = (benign[bin] as number) + 1;
        }
        // What is found in a request that alarmed by itself would not be the attack's doing; in one that is
        // stuffed, the attack would stand beyond what is looked at.
        if (attacking && own < ALARM_AT && isOrdinary(carrier)) {
          attackUpon(carrier, route);
        }
      });
    },
    report() {
      const scores = [...judged.values()];
      const counts = new Array<number>(BINS).fill(0);
      for (const { score } of scores) {
        const bin = binOf(score);
        counts[bin] = (counts[bin] as number) + 1;
      }
      return {
        ...binnedRoc(benign, counts, ALARM_AT),
        benign: { requests: benign.reduce((total, count) => total + count, 0), since },
        attacks: {
          version: ATTACK_SET_VERSION,
          of: (attacks ?? attackSet()).length,
          judged: scores.length,
          carriers: new Set(scores.map(({ route }) => route)).size,
          at: lastAttackAt,
          kinds: ATTACK_KINDS.map((kind) => {
            const own = scores.filter((one) => one.kind === kind);
            return {
              kind,
              judged: own.length,
              found: own.filter(({ score }) => score >= ALARM_AT).length,
            };
          }),
        },
      };
    },
    counts: () => ({ since, bins: [...benign] }),
  };
}
