import type { Routes } from "../identity/index.ts";
import type { Erasures } from "./erasures.ts";
import { OWN_STREAM } from "./own-stream.ts";

/** Deleting a stream for good, under `/v1` of the cloud. */
export function addErasureRoute(routes: Routes, rooms: { readonly erasures: Erasures }): void {
  const { erasures } = rooms;
  routes.ticket("erase", {
    method: "delete",
    path: "/streams/:streamId",
    action: "stream.erase",
    ...OWN_STREAM,
    async handle({ params: { streamId } }) {
      await erasures.erase(streamId);
      return { status: 200, json: { status: "deleted" } };
    },
  });
}
