import {
  type Bytes,
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
} from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { assertFresh } from "./common.ts";
import { type Community, verifyCommunity } from "./statements.ts";

interface CommunityRecord {
  readonly _id: string;
  readonly version: number;
  readonly community: Community;
  readonly statement: string;
}

/** The community documents of a cloudlet. */
export interface Communities {
  /**
   * Takes version 1 of a new community or the next version of one that is there.
   * @throws MedcloudletError `STATEMENT_INVALID` (400), `STATEMENT_STALE`, `COMMUNITY_VERSION` (409) for any other
   *   version, `COMMUNITY_QUESTIONS_CHANGED` (409) where an opening question is not what it was
   */
  publish(statement: string): Promise<{ community: Community; known: boolean }>;
  /** @throws MedcloudletError `COMMUNITY_UNKNOWN` (404) */
  get(community: string): Promise<{ readonly community: Community; readonly statement: string }>;
  page(options: { readonly after?: string | undefined; readonly limit: number }): Promise<CommunityRecord[]>;
}

export async function createCommunities(options: {
  readonly store: Store;
  readonly clock: Clock;
}): Promise<Communities> {
  const { store, clock } = options;
  const communities = await store.collection<CommunityRecord>({ name: "communities", indexes: [] });

  const wrongVersion = (next: number, cause?: unknown) =>
    new MedcloudletError(
      "COMMUNITY_VERSION",
      `The next version of this community is ${next}: start from the newest document.`,
      { status: 409, cause },
    );

  return {
    async publish(statement) {
      const community = await verifyCommunity(statement);
      const { community: id, version } = community;
      const there = await communities.findOne({ _id: { $eq: id } });
      if (there?.statement === statement) {
        return { community, known: true };
      }
      assertFresh(community.at, clock);
      if (version !== (there?.version ?? 0) + 1) {
        throw wrongVersion((there?.version ?? 0) + 1);
      }
      if (there === null) {
        try {
          await communities.insertOne({ _id: id, version, community, statement });
        } catch (cause) {
          if (isMedcloudletError(cause, "STORE_DUPLICATE")) {
            throw wrongVersion(2, cause);
          }
          throw cause;
        }
        return { community, known: false };
      }
      const kept = there.community.openingQuestions.every(
        (question, index) => community.openingQuestions[index] === question,
      );
      if (!kept) {
        throw new MedcloudletError(
          "COMMUNITY_QUESTIONS_CHANGED",
          "Opening questions are asked by their index: add to the end of the list, and leave the others as they are.",
          { status: 409 },
        );
      }
      const { matched } = await communities.updateOne(
        { _id: { $eq: id }, version: { $eq: version - 1 } },
        { $set: { version, community, statement } },
      );
      if (matched === 0) {
        throw wrongVersion(version + 1);
      }
      return { community, known: false };
    },
    async get(id) {
      const record = await communities.findOne({ _id: { $eq: id } });
      if (record === null) {
        throw new MedcloudletError(
          "COMMUNITY_UNKNOWN",
          "This cloudlet has no such community: check the id, or ask the founder which cloudlet relays it.",
          { status: 404 },
        );
      }
      return record;
    },
    page: ({ after, limit }) =>
      communities.find(after === undefined ? {} : { _id: { $gt: after } }, { sort: { _id: 1 }, limit }),
  };
}

/** Keys of the hospitals a community admits, by their id. */
export function issuersOf({ issuers }: Community): ReadonlyMap<string, Bytes> {
  return new Map(issuers.map(({ id, signingKey }) => [id, fromBase64Url(signingKey)]));
}
