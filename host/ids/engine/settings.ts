import { z } from "zod";
import type { EngineSettings } from "./contract.ts";

const MINUTE = 60_000;

/** Pseudonyms in the mesh change once a day (UTC). */
export const PSEUDONYM_EPOCH_MS = 24 * 60 * MINUTE;

/** Number of the pseudonyms' epoch at a time. */
export function pseudonymEpoch(at: number): number {
  return Math.floor(at / PSEUDONYM_EPOCH_MS);
}

/** What a service decides by that was told nothing else. */
export const DEFAULT_ENGINE_SETTINGS: EngineSettings = {
  mode: "enforce",
  prior: 0.01,
  missCost: 25,
  voteMs: 60 * MINUTE,
  throttleMs: 5 * MINUTE,
  challengeMs: 15 * MINUTE,
  banMs: 60 * MINUTE,
};

const duration = z
  .number()
  .int()
  .min(1000)
  .max(30 * PSEUDONYM_EPOCH_MS);

/** Schema of {@link EngineSettings}: durations in ms, from a second to thirty days. */
export const engineSettingsSchema = z.strictObject({
  mode: z.enum(["enforce", "simulate"]),
  prior: z.number().gt(0).lt(1),
  missCost: z.number().gt(0).max(1e6),
  voteMs: duration,
  throttleMs: duration,
  challengeMs: duration,
  banMs: duration,
});
