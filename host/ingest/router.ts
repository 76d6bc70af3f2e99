import type { Clock } from "../base/index.ts";
import { createBinaryReader } from "../http/index.ts";
import { admitBatch, type Routes } from "../identity/index.ts";
import { MAX_BATCH_BYTES } from "../sealing/index.ts";
import type { Spool } from "./spool.ts";

/** Where wearables hand in sealed batches: `POST /v1/batches` of a cloudlet. */
export function addIngestRoutes(
  routes: Routes,
  rooms: {
    readonly spool: Spool;
    readonly clock: Clock;
    /** Called after a batch was kept, so that the uplink need not wait for its timer. */
    readonly onAccepted: () => void;
  },
): void {
  const { spool, clock, onAccepted } = rooms;
  const readBinary = createBinaryReader(MAX_BATCH_BYTES);

  routes.ticket("upload", {
    method: "post",
    path: "/batches",
    action: "batch.upload",
    async handle({ grant, ticket, request, response }) {
      // Taken before the body is read, and passed on: the cloud judges the ticket as of this moment, and a slow
      // upload must not outlive its ticket on the way.
      const receivedAt = clock.now();
      const bytes = await readBinary(request, response);
      const { batch, digest } = await admitBatch(bytes, grant);
      const receipt = await spool.add({ batch, bytes, digest, ticket, receivedAt });
      if (receipt.status === "accepted") {
        onAccepted();
      }
      return { status: receipt.status === "accepted" ? 202 : 200, json: receipt };
    },
  });
}
