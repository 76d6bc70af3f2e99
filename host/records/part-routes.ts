import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { createBinaryReader } from "../http/index.ts";
import type { Routes } from "../identity/index.ts";
import { digestSchema, MAX_RECORD_PART_BYTES, parseRecordPart } from "../sealing/index.ts";
import type { Erasures } from "./erasures.ts";
import { OWN_STREAM } from "./own-stream.ts";
import type { Parts } from "./parts.ts";

const WHICH = z.strictObject({
  digest: digestSchema.optional(),
});

/** Storing and fetching the sealed parts of records at the cloud, under `/v1`. */
export function addPartRoutes(
  routes: Routes,
  rooms: { readonly parts: Parts; readonly erasures: Erasures },
): void {
  const { parts, erasures } = rooms;
  const readBinary = createBinaryReader(MAX_RECORD_PART_BYTES);

  routes.ticket("write", {
    method: "put",
    path: "/streams/:streamId/record",
    action: "record.store",
    ...OWN_STREAM,
    async handle({ grant, request, response }) {
      const bytes = await readBinary(request, response);
      const part = parseRecordPart(bytes);
      if (part.header.streamId !== grant.stream || part.header.region !== grant.region) {
        throw new MedcloudletError(
          "RECORD_PART_STREAM_MISMATCH",
          "The part belongs to another stream or region than the ticket.",
          { status: 403 },
        );
      }
      await erasures.requireKept(grant.stream);
      const { status, digest } = await parts.add(part, bytes);
      await erasures.settle(grant.stream);
      return { status: status === "stored" ? 201 : 200, json: { status, digest } };
    },
  });

  routes.ticket("read", {
    method: "get",
    path: "/streams/:streamId/record",
    action: "record.fetch",
    ...OWN_STREAM,
    query: WHICH,
    async handle({ params, query }) {
      await erasures.requireKept(params.streamId);
      const bytes = await parts.find(params.streamId, query.digest);
      if (bytes === null) {
        throw new MedcloudletError(
          "RECORD_PART_MISSING",
          "The cloud does not hold this part of the record: ask its owner to save it again.",
          { status: 404 },
        );
      }
      return { status: 200, headers: { "Content-Type": "application/octet-stream" }, bytes };
    },
  });
}
