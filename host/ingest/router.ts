import { Router } from "express";
import { createBinaryReader } from "../http/index.ts";
import { admitBatch, type TicketGuard } from "../identity/index.ts";
import { MAX_BATCH_BYTES } from "../sealing/index.ts";
import type { Spool } from "./spool.ts";

/** Where wearables hand in sealed batches: `POST /v1/batches` of a cloudlet. */
export function createIngestRouter(rooms: {
  readonly guard: TicketGuard;
  readonly spool: Spool;
  /** Called after a batch was kept, so that the uplink need not wait for its timer. */
  readonly onAccepted: () => void;
}): Router {
  const { guard, spool, onAccepted } = rooms;
  const readBinary = createBinaryReader(MAX_BATCH_BYTES);
  const router = Router();

  router.post("/batches", async (request, response) => {
    const { grant, ticket } = await guard.authorise(request, "upload");
    const bytes = await readBinary(request, response);
    const { batch, digest } = await admitBatch(bytes, grant);
    const receipt = await spool.add(batch, bytes, digest, ticket);
    if (receipt.status === "accepted") {
      onAccepted();
    }
    response.status(receipt.status === "accepted" ? 202 : 200).json(receipt);
  });

  return router;
}
