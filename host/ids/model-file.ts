import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import { KINDS, type Kind } from "./anomaly/evidence.ts";
import { type AnomalyModel, MODEL_VERSION } from "./anomaly/model.ts";
import type { TailJson } from "./anomaly/tail.ts";

/** Greatest model that is read, unpacked. Training keeps far below. */
const MAX_BYTES = 256 * 1024 * 1024;

const count = z.number().min(0);
const categorical = z.strictObject({ n: count, c: count, s: count, r: count, v: z.array(count).max(4096) });
const field = z.strictObject({
  n: count,
  values: categorical,
  characters: categorical,
  coarse: categorical,
  fine: categorical,
  lengths: z.array(count).max(400),
  text: z.tuple([z.number(), z.number().positive(), z.number(), z.number().positive()]),
});
const tail = z.strictObject({
  n: count,
  knots: z
    .array(z.tuple([z.number(), z.number()]))
    .min(1)
    .max(64),
  slope: z.number().min(0).max(10),
});
const fileSchema = z.strictObject({
  format: z.literal("medcloudlet-ids-model"),
  version: z.literal(MODEL_VERSION),
  table: z.string().max(2_000_000),
  traffic: z.strictObject({
    n: count,
    routes: categorical,
    known: z
      .array(
        z.strictObject({
          route: z.string().max(1024),
          n: count,
          methods: categorical,
          names: categorical,
          always: z.array(z.tuple([z.string().max(256), z.number().min(0).max(1)])).max(256),
          fields: z.record(z.string().max(256), field),
        }),
      )
      .max(4096),
    any: field,
  }),
  kinds: z.strictObject(Object.fromEntries(KINDS.map((kind) => [kind, tail])) as Record<Kind, typeof tail>),
  fields: tail,
  whole: tail,
});

/** The model as a file: gzipped JSON with the table in base64. The same model gives the same bytes. */
export function encodeModel(model: AnomalyModel): Uint8Array {
  const { table, ...traffic } = model.traffic;
  const json = {
    format: "medcloudlet-ids-model",
    version: model.version,
    table: Buffer.from(table).toString("base64"),
    traffic,
    kinds: model.kinds,
    fields: model.fields,
    whole: model.whole,
  };
  return gzipSync(JSON.stringify(json), { level: 9 });
}

/** @throws MedcloudletError `IDS_MODEL_INVALID` */
export function decodeModel(bytes: Uint8Array): AnomalyModel {
  let parsed: z.output<typeof fileSchema>;
  try {
    parsed = fileSchema.parse(JSON.parse(gunzipSync(bytes, { maxOutputLength: MAX_BYTES }).toString("utf8")));
  } catch (cause) {
    throw new MedcloudletError(
      "IDS_MODEL_INVALID",
      "This is no model of this version; train it again with `ids train`.",
      { status: 400, cause },
    );
  }
  const table = new Uint8Array(Buffer.from(parsed.table, "base64"));
  if (table.length < 2 || (table.length & (table.length - 1)) !== 0) {
    throw new MedcloudletError(
      "IDS_MODEL_INVALID",
      "The model's table is damaged; train it again with `ids train`.",
      { status: 400 },
    );
  }
  const kinds = parsed.kinds as Record<Kind, TailJson>;
  return {
    version: parsed.version,
    traffic: { ...parsed.traffic, table },
    kinds,
    fields: parsed.fields,
    whole: parsed.whole,
  };
}

/** Names a model by its bytes. */
export function modelHash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
