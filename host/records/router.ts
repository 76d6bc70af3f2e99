import { Router } from "express";
import { z } from "zod";
import { type Clock, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import { createBinaryReader, parseInput } from "../http/index.ts";
import { admitBatch, type Grant, type TicketGuard, type TicketVerifier } from "../identity/index.ts";
import { BATCHES_TYPE, frameBatches, idSchema, MAX_BATCH_BYTES } from "../sealing/index.ts";
import type { Records } from "./records.ts";
import type { Subscriptions } from "./subscriptions.ts";

const STREAM = z.strictObject({ streamId: idSchema });
const PAGE = z.strictObject({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
const RECEIVED_AT = z.coerce.number().int().positive();

/** A batch may have waited this long in a cloudlet; its device's ticket is judged as of then. */
const LONGEST_WAIT_MS = 7 * 24 * 60 * 60 * 1000;
const CLOCK_SKEW_MS = 30_000;
/** A subscription ends, and its reader comes back with a new ticket. */
const SUBSCRIPTION_MS = 5 * 60_000;

/** The cloud's side: cloudlets hand sealed batches in, ticket holders read them, under `/v1`. */
export function createRecordsRouter(rooms: {
  readonly guard: TicketGuard;
  readonly tickets: TicketVerifier;
  readonly records: Records;
  readonly subscriptions: Subscriptions;
  readonly clock: Clock;
}): Router {
  const { guard, tickets, records, subscriptions, clock } = rooms;
  const readBinary = createBinaryReader(MAX_BATCH_BYTES);
  const router = Router();

  /** The device's grant at the moment the cloudlet took the batch in. */
  const deviceGrant = async (ticket: string | undefined, receivedAt: number): Promise<Grant<"upload">> => {
    try {
      return await tickets.verify(ticket ?? "", "upload", receivedAt);
    } catch (cause) {
      if (isMedcloudletError(cause, "TICKET_KEY_UNKNOWN")) {
        // After a change of the KDC's key the device may have a newer ticket than the keys here: that is not for good.
        throw new MedcloudletError(
          "DEVICE_TICKET_UNVERIFIED",
          "The key of the device's ticket is not known here yet: try again later.",
          { status: 503, cause, details: { retryAfterSeconds: 30 } },
        );
      }
      throw new MedcloudletError(
        "DEVICE_TICKET_INVALID",
        "The batch comes without a ticket that was valid when the cloudlet received it.",
        { status: 403, cause },
      );
    }
  };

  router.post("/batches", async (request, response) => {
    await guard.authorise(request, "forward");
    const receivedAt = RECEIVED_AT.safeParse(request.get("Received-At")).data ?? 0;
    const now = clock.now();
    if (receivedAt > now + CLOCK_SKEW_MS || receivedAt < now - LONGEST_WAIT_MS) {
      throw new MedcloudletError(
        "RECEIVED_AT_INVALID",
        "Received-At must be ms since 1970, of the last seven days.",
        {
          status: 400,
        },
      );
    }
    const grant = await deviceGrant(request.get("Device-Ticket"), receivedAt);
    const bytes = await readBinary(request, response);
    const { batch, digest } = await admitBatch(bytes, grant);
    const stored = await records.add(batch, bytes, digest, receivedAt);
    response.status(stored.status === "stored" ? 201 : 200).json(stored);
  });

  const authoriseReader = async (request: Parameters<TicketGuard["authorise"]>[0]): Promise<string> => {
    const { streamId } = parseInput(STREAM, request.params);
    const { grant } = await guard.authorise(request, "read");
    if (grant.stream !== streamId) {
      throw new MedcloudletError("TICKET_STREAM_MISMATCH", "This ticket is for another stream.", {
        status: 403,
      });
    }
    return streamId;
  };

  router.get("/streams/:streamId/batches", async (request, response) => {
    const streamId = await authoriseReader(request);
    const { after, limit } = parseInput(PAGE, request.query);
    const page = await records.page(streamId, after, limit);
    response
      .status(200)
      .set({ "Content-Type": BATCHES_TYPE, "Medcloudlet-Cursor": String(page.cursor) })
      .send(Buffer.from(frameBatches(page.batches)));
  });

  router.get("/streams/:streamId/events", async (request, response) => {
    const streamId = await authoriseReader(request);
    subscriptions.add(streamId, response, SUBSCRIPTION_MS);
  });

  return router;
}
