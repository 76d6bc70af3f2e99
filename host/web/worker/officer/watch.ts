import { isMedcloudletError, MedcloudletError } from "../../../base/index.ts";
import type { IdsAlert, IdsNews } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import { countMinutes, createTold, groupAlerts, type Told } from "./desk-of.ts";
import type { Post } from "./posts.ts";
import type { ServiceState, WatchQuestions } from "./watch-questions.ts";

/** Alerts come by events; the lists are read anew this often, should one have been missed. */
const LOOK_EVERY_MS = 15_000;
/** How long after a failure a service is asked again: longer each time, up to the last. */
const RETRY_MS = [1000, 2000, 4000, 8000];
const TELL_EVERY_MS = 250;
const PAGE = 200;
const HOUR_MS = 3_600_000;
/** Pages of alerts that are fetched to fill the chart of the last hour. */
const MOST_PAGES = 5;

interface Watched {
  readonly post: Post;
  readonly told: Told;
  state: ServiceState;
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The alerts of the last hour, and at least the newest page whatever its age. */
async function recentAlerts({ ids }: Post, since: number): Promise<IdsAlert[]> {
  const first = await ids.alerts({ limit: PAGE });
  const alerts = [...first.alerts];
  let { next } = first;
  for (let page = 1; next !== null && page < MOST_PAGES && (alerts.at(-1)?.at ?? 0) >= since; page++) {
    const more = await ids.alerts({ limit: PAGE, before: next, since });
    alerts.push(...more.alerts);
    ({ next } = more);
  }
  return alerts;
}

/** Follows every service apart from the others, so that one that is away hides none of them. */
export function createWatchRoom(work: Work, posts: readonly Post[]): Answers<WatchQuestions> {
  const { clock, signal } = work;
  const watched: Watched[] = posts.map((post) => ({
    post,
    told: createTold(),
    state: {
      ...{ id: post.id, url: post.url, state: "asking", since: clock.now() },
      ...{ trouble: null, faultAt: null },
    },
  }));
  let begun = false;
  let telling = false;

  const tellNow = (): void => {
    telling = false;
    if (signal.aborted) {
      return;
    }
    const now = clock.now();
    const of = <T, R extends object>(list: (told: Told) => readonly T[], row: (item: T) => R) =>
      watched.flatMap(({ post, told }) => list(told).map((item) => ({ ...row(item), service: post.id })));
    const newestFirst = (a: { readonly at: number }, b: { readonly at: number }) => b.at - a.at;
    const inForce = ({ endedAt, until }: { readonly endedAt: number | null; readonly until: number }) =>
      Number(endedAt === null && until > now);
    work.tell({
      told: "watch",
      state: {
        services: watched.map(({ state }) => state),
        groups: watched
          .flatMap(({ post, told }) => groupAlerts(post.id, told.alerts()))
          .sort((a, b) => b.lastAt - a.lastAt),
        decisions: of(
          (told) => told.decisions(),
          ({ voices: _, ...row }) => row,
        ).sort((a, b) => inForce(b) - inForce(a) || b.at - a.at),
        exemptions: of(
          (told) => told.exemptions().filter(({ until }) => until > now),
          (row) => row,
        ).sort(newestFirst),
        appeals: of(
          (told) => told.appeals(),
          (row) => row,
        ).sort(newestFirst),
        minutes: countMinutes(
          watched.flatMap(({ told }) => told.alerts()),
          watched.flatMap(({ told }) => told.decisions()),
          now,
        ),
        until: now,
      },
    });
  };
  const tellSoon = (): void => {
    if (!telling) {
      telling = true;
      setTimeout(tellNow, TELL_EVERY_MS);
    }
  };

  const become = (one: Watched, state: "here" | "away", trouble: string | null): void => {
    const since = one.state.state === state ? one.state.since : clock.now();
    one.state = { ...one.state, state, since, trouble };
    tellSoon();
  };

  const look = async ({ post, told }: Watched): Promise<void> => {
    const { ids } = post;
    const [alerts, decisions, running, { appeals }, exemptions] = await Promise.all([
      recentAlerts(post, clock.now() - HOUR_MS),
      ids.decisions({ limit: PAGE, state: "all" }),
      ids.decisions({ limit: PAGE, state: "in-force" }),
      ids.appeals({ limit: 50 }),
      ids.exemptions(),
    ]);
    told.take({
      ...{ alerts, appeals, exemptions },
      decisions: [...decisions.decisions, ...running.decisions],
    });
  };

  const hear = (one: Watched, news: IdsNews): void => {
    const now = clock.now();
    one.told.hear(news, now);
    if (news.event === "fault") {
      one.state = { ...one.state, faultAt: now };
    }
    tellSoon();
  };

  /** One subscription, and the lists beside it, until either ends. */
  const attend = async (one: Watched, onHere: () => void): Promise<void> => {
    const controller = new AbortController();
    const end = () => controller.abort();
    signal.addEventListener("abort", end);
    try {
      const follow = async () => {
        for await (const news of one.post.ids.follow(controller.signal)) {
          hear(one, news);
        }
      };
      const followed = follow();
      const looking = (async () => {
        while (!controller.signal.aborted) {
          await look(one);
          onHere();
          become(one, "here", null);
          await paused(LOOK_EVERY_MS, controller.signal);
        }
      })();
      await Promise.race([followed, looking]);
      // Whichever is left ends with the signal, and has nothing more to say.
      followed.catch(() => {});
      looking.catch(() => {});
    } finally {
      signal.removeEventListener("abort", end);
      controller.abort();
    }
  };

  const keepAttending = async (one: Watched): Promise<void> => {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await attend(one, () => {
          failures = 0;
        });
        // A service that ends subscriptions at once must not be asked in a circle.
        await paused(RETRY_MS[0] as number, signal);
      } catch (error) {
        become(one, "away", wordsOf(error));
        await paused(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] as number, signal);
        failures++;
      }
    }
  };

  const oneOf = (service: string): Watched => {
    const found = watched.find(({ post }) => post.id === service);
    if (found === undefined) {
      throw new MedcloudletError("PAGE_SERVICE", "This page knows no such service.", { status: 400 });
    }
    return found;
  };
  const lookSoon = (one: Watched): void => {
    look(one).then(tellSoon, () => {
      // The watch over it says so.
    });
  };

  return {
    watch() {
      if (!begun) {
        begun = true;
        for (const one of watched) {
          keepAttending(one);
        }
      }
      tellSoon();
      return null;
    },
    explainDecision: ({ service, decision }) => oneOf(service).post.ids.explain(decision),
    async ruleDecision({ service, decision, ruling, reason }) {
      const one = oneOf(service);
      const ruled = await one.post.ids.rule(decision, ruling, reason);
      one.told.replace(ruled.decision);
      tellSoon();
      return { stillHeld: ruled.stillHeld };
    },
    async exempt({ about, hours, reason }) {
      // An address is exempt wherever it is asked for; a decision is one service's.
      const where = "service" in about ? [oneOf(about.service)] : watched;
      const whom = "service" in about ? { decision: about.decision } : about;
      const results = await Promise.allSettled(where.map(({ post }) => post.ids.exempt(whom, hours, reason)));
      where.forEach(lookSoon);
      const refusal = results.find(
        (result) =>
          result.status === "rejected" && isMedcloudletError(result.reason) && result.reason.status < 500,
      );
      if (refusal?.status === "rejected") {
        throw refusal.reason;
      }
      return {
        made: where.filter((_, i) => results[i]?.status === "fulfilled").map(({ post }) => post.id),
        failed: where.flatMap(({ post }, i) => {
          const result = results[i];
          return result?.status === "rejected" ? [{ service: post.id, why: wordsOf(result.reason) }] : [];
        }),
      };
    },
    async endExemption({ service, id }) {
      const one = oneOf(service);
      await one.post.ids.endExemption(id);
      lookSoon(one);
      return null;
    },
  };
}

/** Waits, or until the signal aborts. */
function paused(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      done();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
