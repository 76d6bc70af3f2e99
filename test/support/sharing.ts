import type { Owner } from "../../host/client/index.ts";
import { DAY_MS, type Doctor, type System } from "./system.ts";

export type Terms = Parameters<Owner["share"]>[0];

/** What `owner.share` takes to let somebody read the medical region for a day, unless `changes` say otherwise. */
export function termsFor(
  { clock }: Pick<System, "clock">,
  { handle, fingerprint }: Pick<Doctor, "handle" | "fingerprint">,
  changes: Partial<Terms> = {},
): Terms {
  const now = clock.now();
  return {
    reader: handle,
    expectedFingerprint: fingerprint,
    regions: ["medical"],
    purpose: "treatment",
    from: now,
    until: now + DAY_MS,
    ...changes,
  };
}
