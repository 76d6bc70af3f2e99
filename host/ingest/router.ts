import { Router } from "express";
import type { Clock } from "../base/index.ts";
import { createBinaryReader } from "../http/index.ts";
import { admitBatch, type TicketGuard } from "../identity/index.ts";
import { MAX_BATCH_BYTES } from "../sealing/index.ts";
import type { Spool } from "./spool.ts";

/** Where wearables hand in sealed batches: `POST /v1/batches` of a cloudlet. */
export function createIngestRouter(rooms: {
  readonly guard: TicketGuard;
  readonly spool: Spool;
  readonly clock: Clock;
  /** Called after a batch was kept, so that the uplink need not wait for its timer. */
  readonly onAccepted: () => void;
}): Router {
  const { guard, spool, clock, onAccepted } = rooms;
  const readBinary = createBinaryReader(MAX_BATCH_BYTES);
  const router = Router();

  router.post("/batches", async (request, response) => {
    // Taken before the ticket is judged, and passed on: the cloud judges the ticket as of this moment, and a slow
    // upload must not outlive its ticket on the way.
    const receivedAt = clock.now();
    const { grant, ticket } = await guard.authorise(request, "upload");
    const bytes = await readBinary(request, response);
    const { batch, digest } = await admitBatch(bytes, grant);
    const receipt = await spool.add({ batch, bytes, digest, ticket, receivedAt });
    if (receipt.status === "accepted") {
      onAccepted();
    }
    response.status(receipt.status === "accepted" ? 202 : 200).json(receipt);
  });

  return router;
}
