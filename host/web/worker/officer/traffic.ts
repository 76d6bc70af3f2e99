import type { Answers } from "../messages.ts";
import type { Post } from "./posts.ts";
import type { TrafficQuestions } from "./traffic-questions.ts";

/** Each service is asked apart. Why one is away, the watch over it says. */
export function createTrafficRoom(posts: readonly Post[]): Answers<TrafficQuestions> {
  return {
    traffic: () =>
      Promise.all(
        posts.map(async ({ id, ids }) => ({ service: id, traffic: await ids.traffic().catch(() => null) })),
      ),
  };
}
