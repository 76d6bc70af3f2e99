import { z } from "zod";
import type { Clock } from "../base/index.ts";
import { createBinaryReader } from "../http/index.ts";
import { admitBatch, type Routes, type TicketVerifier } from "../identity/index.ts";
import { BATCHES_TYPE, frameBatches, idSchema, MAX_BATCH_BYTES } from "../sealing/index.ts";
import { createDeviceGrants } from "./device-grant.ts";
import type { Erasures } from "./erasures.ts";
import { OWN_STREAM } from "./own-stream.ts";
import type { Records } from "./records.ts";
import type { Subscriptions } from "./subscriptions.ts";

const POSITION = z.coerce.number().int();
const PAGE = z
  .strictObject({
    after: POSITION.nonnegative().optional(),
    /** Backwards instead: the newest that arrived before this position. */
    before: POSITION.positive().optional(),
    limit: z.coerce.number().int().min(1).max(500).default(100),
  })
  .refine(({ after, before }) => after === undefined || before === undefined, "after or before, not both");
const EPOCH = z.strictObject({ epochId: idSchema });
const RECEIVED_AT = z.coerce.number().int().positive();

/** A subscription ends, and its reader comes back with a new ticket. */
const SUBSCRIPTION_MS = 5 * 60_000;

/** The cloud's side: cloudlets hand sealed batches in, ticket holders read them, under `/v1`. */
export function addRecordsRoutes(
  routes: Routes,
  rooms: {
    readonly tickets: TicketVerifier;
    readonly records: Records;
    readonly subscriptions: Subscriptions;
    readonly erasures: Erasures;
    readonly clock: Clock;
  },
): void {
  const { tickets, records, subscriptions, erasures, clock } = rooms;
  const readBinary = createBinaryReader(MAX_BATCH_BYTES);

  const deviceGrant = createDeviceGrants({ tickets, clock });

  routes.ticket("forward", {
    method: "post",
    path: "/batches",
    action: "batch.forward",
    async handle({ request, response, concerning }) {
      const receivedAt = RECEIVED_AT.safeParse(request.get("Received-At")).data ?? 0;
      const grant = await deviceGrant(request.get("Device-Ticket"), receivedAt);
      const bytes = await readBinary(request, response);
      const { batch, digest } = await admitBatch(bytes, grant);
      concerning({ object: batch.header.deviceId });
      const stored = await records.add(batch, bytes, digest, receivedAt);
      return { status: stored.status === "stored" ? 201 : 200, json: stored };
    },
  });

  routes.ticket("read", {
    method: "get",
    path: "/streams/:streamId/batches",
    action: "batch.read",
    ...OWN_STREAM,
    query: PAGE,
    async handle({ params, query }) {
      await erasures.requireKept(params.streamId);
      const { after = 0, before, limit } = query;
      const page =
        before === undefined
          ? await records.page(params.streamId, after, limit)
          : await records.pageBack(params.streamId, before, limit);
      return {
        status: 200,
        headers: {
          "Content-Type": BATCHES_TYPE,
          "Medcloudlet-Cursor": String(page.cursor),
          "Medcloudlet-First": String(page.first),
        },
        bytes: frameBatches(page.batches),
      };
    },
  });

  routes.ticket("read", {
    method: "get",
    path: "/streams/:streamId/summary",
    action: "batch.summary",
    ...OWN_STREAM,
    query: EPOCH,
    async handle({ params, query }) {
      await erasures.requireKept(params.streamId);
      return { status: 200, json: await records.summary(params.streamId, query.epochId) };
    },
  });

  routes.ticket("read", {
    method: "get",
    path: "/streams/:streamId/events",
    action: "batch.follow",
    ...OWN_STREAM,
    async handle({ params }) {
      await erasures.requireKept(params.streamId);
      return {
        status: 200,
        stream: (response) => subscriptions.add(params.streamId, response, SUBSCRIPTION_MS),
      };
    },
  });
}
