import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { createBinaryReader } from "../http/index.ts";
import type { Routes } from "../identity/index.ts";
import { BATCHES_TYPE, frameBatches, MAX_NOTE_BYTES, parseNote } from "../sealing/index.ts";
import type { Erasures } from "./erasures.ts";
import type { Notes } from "./notes.ts";
import { OWN_STREAM } from "./own-stream.ts";

/** 200 of the longest are 3.2 MB. */
const PAGE = z.strictObject({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(200).default(100),
});

/** Storing and fetching sealed notes at the cloud, under `/v1`. */
export function addNoteRoutes(
  routes: Routes,
  rooms: { readonly notes: Notes; readonly erasures: Erasures },
): void {
  const { notes, erasures } = rooms;
  const readBinary = createBinaryReader(MAX_NOTE_BYTES);

  routes.ticket("note", {
    method: "post",
    path: "/streams/:streamId/notes",
    action: "note.store",
    ...OWN_STREAM,
    async handle({ grant, request, response }) {
      const bytes = await readBinary(request, response);
      const { header } = parseNote(bytes);
      if (header.streamId !== grant.stream || header.region !== grant.region) {
        throw new MedcloudletError(
          "NOTE_STREAM_MISMATCH",
          "The note belongs to another stream or region than the ticket.",
          { status: 403 },
        );
      }
      await erasures.requireKept(grant.stream);
      const { status, digest, position } = await notes.add(grant.stream, bytes, grant.cnf.jkt);
      await erasures.settle(grant.stream);
      return { status: status === "stored" ? 201 : 200, json: { status, digest, position } };
    },
  });

  routes.ticket("read", {
    method: "get",
    path: "/streams/:streamId/notes",
    action: "note.read",
    ...OWN_STREAM,
    query: PAGE,
    async handle({ params, query }) {
      await erasures.requireKept(params.streamId);
      const page = await notes.page(params.streamId, query.after, query.limit);
      return {
        status: 200,
        headers: { "Content-Type": BATCHES_TYPE, "Medcloudlet-Cursor": String(page.cursor) },
        bytes: frameBatches(page.notes),
      };
    },
  });
}
