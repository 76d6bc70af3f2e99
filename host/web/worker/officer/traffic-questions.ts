import type { IdsTraffic } from "../../../client/index.ts";
import type { ServiceId } from "./watch-questions.ts";

/** How many requests one service had; null where it did not say. */
export interface TrafficAt {
  readonly service: ServiceId;
  readonly traffic: IdsTraffic | null;
}

export interface TrafficQuestions {
  readonly traffic: { readonly ask: null; readonly answer: readonly TrafficAt[] };
}
