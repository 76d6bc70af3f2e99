import type { Clock } from "../base/index.ts";
import type { Routes } from "../identity/index.ts";
import type { Store } from "../store/index.ts";
import { createEnrolments, createRatings } from "../trust/index.ts";
import { createAgreements } from "./agreements.ts";
import { createStamps } from "./common.ts";
import { createCommunities } from "./communities.ts";
import { addCommunityRoutes } from "./community-routes.ts";
import { addExchangeRoutes } from "./exchange-routes.ts";
import { createExchanges } from "./exchanges.ts";
import { createInbox } from "./inbox.ts";
import type { CallLimit } from "./member-route.ts";
import { createMembers, type Members } from "./members.ts";
import { addReportRoutes } from "./report-routes.ts";
import { createReports } from "./reports.ts";
import { createSimilarityRuns } from "./similarity-runs.ts";
import { createStandings } from "./standings.ts";

/** The communities of one cloudlet. */
export interface CommunityRooms {
  /** Who is in: for what else members do at a cloudlet. */
  readonly members: Members;
  addRoutes(routes: Routes, options: { readonly limit: CallLimit }): void;
  /** Deletes what has expired: contents that both sides have, runs, agreements, reports. */
  forget(): Promise<void>;
}

/** Opens everything that a cloudlet keeps of communities. */
export async function createCommunityRooms(options: {
  readonly store: Store;
  readonly clock: Clock;
}): Promise<CommunityRooms> {
  const { store, clock } = options;
  const stamp = createStamps(clock);
  const enrolments = await createEnrolments({ store, clock });
  const ratings = await createRatings({ store, clock });
  const communities = await createCommunities({ store, clock });
  const reports = await createReports({ store, clock, stamp });
  const members = createMembers({ enrolments, communities, reports, clock });
  const runs = await createSimilarityRuns({ store, clock, members, stamp });
  const agreements = await createAgreements({ store, clock, members, stamp });
  const exchanges = await createExchanges({ store, clock, members, agreements, stamp });
  const standings = createStandings({ ratings, enrolments, clock });
  const inbox = createInbox({ runs, agreements, exchanges, reports, clock });
  return {
    members,
    addRoutes(routes, { limit }) {
      const rooms = { communities, members, enrolments, ratings, standings, inbox, limit };
      addCommunityRoutes(routes, rooms);
      addExchangeRoutes(routes, { ...rooms, runs, agreements, exchanges });
      addReportRoutes(routes, { communities, members, exchanges, reports, limit });
    },
    async forget() {
      await runs.forget();
      await agreements.forget();
      await exchanges.forget();
      await reports.forget();
    },
  };
}
