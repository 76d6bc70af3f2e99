import type { Action } from "../../../host/identity/index.ts";
import type { Sample } from "./policy-samples.ts";

/** No decision has this number: who may ask learns that, and who may not is refused before. */
const NO_DECISION = "0".repeat(32);
const unknown = ["IDS_DECISION_UNKNOWN"];
const nothing: Sample = () => ({});

export const IDS_SAMPLES = {
  "ids.alerts": nothing,
  "ids.decisions": nothing,
  "ids.explain": () => ({ path: `/ids/decisions/${NO_DECISION}`, passes: unknown }),
  "ids.rule": () => ({
    path: `/ids/decisions/${NO_DECISION}/rulings`,
    json: { ruling: "lift", reason: "It was our own test." },
    passes: unknown,
  }),
  "ids.members": nothing,
  "ids.detector": nothing,
  "ids.traffic": nothing,
  "ids.exemptions": nothing,
  "ids.exempt": () => ({ json: { address: "192.0.2.7", hours: 1, reason: "It was our own test." } }),
  "ids.exempt-end": () => ({
    path: `/ids/exemptions/${NO_DECISION}`,
    passes: ["IDS_EXEMPTION_UNKNOWN"],
  }),
  "ids.appeals": nothing,
  "ids.follow": nothing,
  // So many callers here send more appeals than one address may.
  "ids.appeal": () => ({
    json: { decision: NO_DECISION, appeal: "I only forgot my password." },
    passes: [...unknown, "RATE_LIMITED"],
  }),
} satisfies Partial<Record<Action, Sample>>;
