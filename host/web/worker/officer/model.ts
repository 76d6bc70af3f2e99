import type { Answers } from "../messages.ts";
import type { ModelQuestions } from "./model-questions.ts";
import type { Post } from "./posts.ts";

export function createModelRoom(posts: readonly Post[]): Answers<ModelQuestions> {
  return {
    detectors: () =>
      Promise.all(
        posts.map(async ({ id, ids }) => {
          try {
            return { service: id, detector: await ids.detector(), trouble: null };
          } catch (error) {
            const trouble = error instanceof Error ? error.message : String(error);
            return { service: id, detector: null, trouble };
          }
        }),
      ),
  };
}
