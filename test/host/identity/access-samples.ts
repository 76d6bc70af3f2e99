import { createAccessRequests } from "../../../host/client/index.ts";
import type { Action } from "../../../host/identity/index.ts";
import type { Sample } from "./policy-samples.ts";

type AccessAction = Extract<Action, `access.${string}`>;

let asked = 0;

/** Samples of asking patients for access. */
export const ACCESS_SAMPLES: Readonly<Record<AccessAction, Sample>> = {
  "access.ask": (_world, { patient }, caller) => ({
    json: {
      handle: patient.session.account.handle,
      regions: ["medical"],
      purpose: caller?.session.account.role === "researcher" ? "research" : "treatment",
      days: 30,
      reason: `number ${++asked}`,
    },
  }),
  "access.list": () => ({}),
  // A patient's own is one to them, another's own is one that they made.
  "access.end": async ({ stranger }, { patient }, caller, relation) => {
    const role = caller?.session.account.role;
    const isAsker = relation === "own" && (role === "doctor" || role === "researcher");
    const { requestId } = await createAccessRequests(
      (isAsker ? caller : stranger)?.session ?? stranger.session,
    ).ask({
      handle: patient.session.account.handle,
      regions: ["medical"],
      purpose: role === "researcher" && isAsker ? "research" : "treatment",
      days: 30,
      reason: "to end it",
    });
    return { path: `/access-requests/${requestId}` };
  },
};
