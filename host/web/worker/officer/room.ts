import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import { createAuditRoom } from "./audit.ts";
import { createKeysRoom } from "./keys.ts";
import { createModelRoom } from "./model.ts";
import { createNetworkRoom } from "./network.ts";
import { createPosts } from "./posts.ts";
import type { OfficerQuestions } from "./questions.ts";
import { createTrafficRoom } from "./traffic.ts";
import { createWatchRoom } from "./watch.ts";

/** A security officer's desk: what the services found and did, the log of who did what, the keys. */
export async function createOfficerRoom(work: Work): Promise<Answers<OfficerQuestions>> {
  const posts = createPosts(work);
  return {
    ...createWatchRoom(work, posts),
    ...createNetworkRoom(work, posts),
    ...createModelRoom(posts),
    ...createTrafficRoom(posts),
    ...createAuditRoom(work),
    ...createKeysRoom(work),
  };
}
