import { z } from "zod";
import type { ReportMode } from "../analytics/index.ts";
import type { Store } from "../store/index.ts";

const MODE = z.object({
  mode: z.enum(["regular", "emergency"]),
  cause: z.enum(["news2", "fall"]).nullable(),
  since: z.number().nullable(),
  fallAt: z.number().nullable(),
  calmSince: z.number().nullable(),
  mustKnow: z.array(z.string()),
  worstPoints: z.number(),
});

/** How a wearable reports, over a restart: an emergency is not over because a battery was changed. */
export interface KeptMode {
  /** Null where none was kept, and for one that a later version wrote. */
  load(): Promise<ReportMode | null>;
  /** Writes it down where it has changed; when this fulfils it survives a crash. */
  keep(mode: ReportMode): Promise<void>;
}

interface Kept {
  readonly _id: "mode";
  readonly mode: ReportMode;
}

/** @param store the device's own */
export async function createKeptMode(store: Store): Promise<KeptMode> {
  const modes = await store.collection<Kept>({ name: "report_mode", indexes: [] });
  let written = "";
  return {
    async load() {
      const kept = await modes.findOne({ _id: { $eq: "mode" } });
      const parsed = MODE.safeParse(kept?.mode);
      if (!parsed.success) {
        return null;
      }
      written = JSON.stringify(parsed.data);
      return parsed.data as ReportMode;
    },
    async keep(mode) {
      const text = JSON.stringify(mode);
      if (text === written) {
        return;
      }
      await modes.updateOne(
        { _id: { $eq: "mode" } },
        { $set: { mode: { ...mode, mustKnow: [...mode.mustKnow] } } },
        { upsert: true },
      );
      written = text;
    },
  };
}
