import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import type { Told } from "./anomaly/counts.ts";
import { MOST_GRAMS, MOST_TOLD } from "./anomaly/merge.ts";

/** Greatest file that is read, unpacked. */
const MAX_BYTES = 128 * 1024 * 1024;

const count = z.number().int().min(0).max(1e12);
const categorical = z.strictObject({
  n: count,
  c: count,
  s: count,
  r: count,
  v: z
    .array(count)
    .max(2 * MOST_TOLD)
    .refine((list) => list.length % 2 === 0),
});
const field = z.strictObject({
  n: count,
  characters: categorical,
  coarse: categorical,
  fine: categorical,
  lengths: z
    .array(count)
    .max(400)
    .refine((list) => list.length % 2 === 0),
});
const toldSchema = z.strictObject({
  format: z.literal("medcloudlet-ids-told"),
  version: z.literal(1),
  told: z.strictObject({
    n: count,
    routes: categorical,
    known: z
      .array(
        z.strictObject({
          route: z.string().max(1024),
          n: count,
          methods: categorical,
          names: categorical,
          present: z.array(z.tuple([z.string().max(256), count])).max(1024),
          fields: z.record(z.string().max(256), field),
        }),
      )
      .max(4096),
    any: field,
    grams: z
      .array(count)
      .max(6 * MOST_GRAMS)
      .refine((list) => list.length % 6 === 0),
  }),
});

/** What a member tells, as a file: gzipped JSON. The same counts give the same bytes. */
export function encodeTold(told: Told): Uint8Array {
  return gzipSync(JSON.stringify({ format: "medcloudlet-ids-told", version: 1, told }), { level: 9 });
}

/** @throws MedcloudletError `IDS_TOLD_INVALID` */
export function decodeTold(bytes: Uint8Array): Told {
  try {
    const text = gunzipSync(bytes, { maxOutputLength: MAX_BYTES }).toString("utf8");
    return toldSchema.parse(JSON.parse(text)).told;
  } catch (cause) {
    throw new MedcloudletError(
      "IDS_TOLD_INVALID",
      "These are no counts of this version; have them made again with `ids tell`.",
      { status: 400, cause },
    );
  }
}
