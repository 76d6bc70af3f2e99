import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import type { Routes } from "../identity/index.ts";
import { idSchema } from "../sealing/index.ts";
import type { Erasures } from "./erasures.ts";

const STREAM = z.strictObject({ streamId: idSchema });

/** Deleting a stream for good, under `/v1` of the cloud. */
export function addErasureRoute(routes: Routes, rooms: { readonly erasures: Erasures }): void {
  const { erasures } = rooms;
  routes.ticket("erase", {
    method: "delete",
    path: "/streams/:streamId",
    action: "stream.erase",
    params: STREAM,
    relation: ({ grant, params: { streamId } }) => (grant.stream === streamId ? "own" : "other"),
    refusal: () =>
      new MedcloudletError("TICKET_STREAM_MISMATCH", "This ticket is for another stream.", { status: 403 }),
    async handle({ params: { streamId } }) {
      await erasures.erase(streamId);
      return { status: 200, json: { status: "deleted" } };
    },
  });
}
