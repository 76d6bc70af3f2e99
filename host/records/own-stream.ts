import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import type { Relation } from "../identity/index.ts";
import { idSchema } from "../sealing/index.ts";

const STREAM = z.strictObject({ streamId: idSchema });

/** What every route of one stream has in common: its parameter, and that the ticket is for this stream and no other. */
export const OWN_STREAM = {
  params: STREAM,
  relation: (call: {
    readonly grant: { readonly stream: string };
    readonly params: z.infer<typeof STREAM>;
  }): Relation => (call.grant.stream === call.params.streamId ? "own" : "other"),
  refusal: () =>
    new MedcloudletError(
      "TICKET_STREAM_MISMATCH",
      "This ticket is for another stream: ask the KDC for one of this stream.",
      { status: 403 },
    ),
};
