import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { CommunityQuestions } from "./questions.ts";

type Room = Answers<CommunityQuestions>;

/**
 * The room of communities, fetched when something is first asked in it: it brings the arithmetic of curves along, and most
 * patients ask nothing of it on most days.
 */
export function createCommunityDoor(work: Work): Room {
  let opened: Promise<Room> | undefined;
  const open = (): Promise<Room> => {
    opened ??= import("./room.ts")
      .then(({ createCommunityRoom }) => createCommunityRoom(work))
      .catch((error) => {
        // The KDC was away: the next question fetches it again.
        opened = undefined;
        throw error;
      });
    return opened;
  };
  return {
    communities: async (ask) => (await open()).communities(ask),
    applyToCommunity: async (ask) => (await open()).applyToCommunity(ask),
    joinCommunity: async (ask) => (await open()).joinCommunity(ask),
    inCommunity: async (ask) => (await open()).inCommunity(ask),
    gateDecisions: async (ask) => (await open()).gateDecisions(ask),
    exportPlace: async (ask) => (await open()).exportPlace(ask),
    importPlace: async (ask) => (await open()).importPlace(ask),
  };
}
