import { type Clock, isMedcloudletError, MedcloudletError } from "../../base/index.ts";
import type { Collection, Store } from "../../store/index.ts";
import type { Guarantee } from "../guarantee.ts";
import type { Study } from "./studies.ts";

/** States of a request in the order they come; the last three are for good. */
export const REQUEST_STATES = [
  "queued",
  "gathering",
  "anonymising",
  "checking",
  "publishing",
  "ready",
  "refused",
  "failed",
] as const;
export type RequestState = (typeof REQUEST_STATES)[number];
const OVER: readonly RequestState[] = ["ready", "refused", "failed"];

/** Whether nothing more comes of a request. */
export const isOver = ({ state }: { readonly state: RequestState }): boolean => OVER.includes(state);

/** What was made for a request. It counts once the request is `ready`. */
export interface Published {
  readonly at: number;
  /** SHA-256 over the ledger's digests of the people, as the ledger has it. */
  readonly population: string;
  /** An HMAC over all rows, under the ledger's salt: the same people with the same records. */
  readonly content: string;
  readonly schema: string;
  /** The signed statement of the release. */
  readonly statement: string;
  /** How many releases the ledger had: this one's entry comes behind. */
  readonly ledgerBefore: number;
}

/** A researcher's request, and the release that came of it: one document, so that both change at once. */
export interface ReleaseRequest {
  /** Also the id of the release, where one is made for it. */
  readonly _id: string;
  readonly study: string;
  /** Taken by one request of a study as long as it is under way; its own id afterwards. */
  readonly slot: string;
  /** Account of the researcher. */
  readonly by: string;
  readonly guarantee: Guarantee;
  readonly state: RequestState;
  /** How often it was begun: what ends the process each time must not do so for ever. */
  readonly attempts: number;
  readonly at: number;
  readonly updatedAt: number;
  /** The release that answers it; an earlier one's id, where that is the same. */
  readonly release: string | null;
  /** Why it was refused or failed. */
  readonly code: string | null;
  readonly published: Published | null;
}

/** The requests of a service. */
export interface Requests {
  /**
   * Enters a request; one of the same researcher for the same, that is under way, is given instead.
   * @throws MedcloudletError `RESEARCH_BUSY` (409) while another release of the study is being made
   */
  open(request: Pick<ReleaseRequest, "_id" | "study" | "by" | "guarantee">): Promise<ReleaseRequest>;
  find(id: string): Promise<ReleaseRequest | null>;
  /** Requests that are under way, the oldest first. */
  unfinished(): Promise<ReleaseRequest[]>;
  /** Releases that are out, newest first. */
  released(study?: Study["id"]): Promise<(ReleaseRequest & { readonly published: Published })[]>;
  change(
    id: string,
    to: Partial<Pick<ReleaseRequest, "state" | "attempts" | "release" | "code" | "published">>,
  ): Promise<void>;
}

export async function createRequests(store: Store, clock: Clock): Promise<Requests> {
  const requests: Collection<ReleaseRequest> = await store.collection<ReleaseRequest>({
    name: "research_requests",
    indexes: [{ fields: { slot: 1 }, unique: true }, { fields: { state: 1, at: 1 } }],
  });
  const slotOf = (study: string) => `study ${study}`;
  const find: Requests["find"] = (id) => requests.findOne({ _id: { $eq: id } });

  return {
    async open({ _id, study, by, guarantee }) {
      const now = clock.now();
      const request: ReleaseRequest = {
        ...{ _id, study, by, guarantee, slot: slotOf(study), state: "queued", attempts: 0 },
        ...{ at: now, updatedAt: now, release: null, code: null, published: null },
      };
      try {
        await requests.insertOne(request);
        return request;
      } catch (error) {
        if (!isMedcloudletError(error, "STORE_DUPLICATE")) {
          throw error;
        }
        const running = await requests.findOne({ slot: { $eq: slotOf(study) } });
        const { k, l, t, diversity } = guarantee;
        const same =
          running?.by === by &&
          running.guarantee.k === k &&
          running.guarantee.l === l &&
          running.guarantee.t === t &&
          running.guarantee.diversity === diversity;
        if (running !== null && same) {
          return running;
        }
        throw new MedcloudletError(
          "RESEARCH_BUSY",
          "A release of this study is being made just now: ask again when it is done.",
          { status: 409, cause: error, details: { retryAfterSeconds: 5 } },
        );
      }
    },
    find,
    unfinished: () =>
      requests.find(
        { state: { $in: REQUEST_STATES.filter((state) => !OVER.includes(state)) } },
        { sort: { at: 1 } },
      ),
    async released(study) {
      const found = await requests.find(
        { state: { $eq: "ready" }, ...(study === undefined ? {} : { study: { $eq: study } }) },
        { sort: { at: -1 } },
      );
      return found.flatMap(({ published, ...request }) =>
        published === null ? [] : [{ ...request, published }],
      );
    },
    async change(id, to) {
      const over = to.state !== undefined && OVER.includes(to.state);
      await requests.updateOne(
        { _id: { $eq: id } },
        { $set: { ...to, updatedAt: clock.now(), ...(over ? { slot: id } : {}) } },
      );
    },
  };
}
