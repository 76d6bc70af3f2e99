import { MedcloudletError } from "../../base/index.ts";
import type { Decision } from "../engine/contract.ts";

/** What somebody reads who is held back: what holds, until when, how to go on, and where to object. */
export function refusalOf(decision: Decision, now: number, waitMs: number): MedcloudletError {
  const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000));
  const until = new Date(decision.until).toISOString();
  const details = { decision: decision.id, until, appeal: "/v1/ids/appeals" };
  const object = `To object, send its number ${decision.id} to /v1/ids/appeals, or tell the security officer.`;
  switch (decision.measure) {
    case "throttle":
      return new MedcloudletError(
        "IDS_THROTTLED",
        `Slow down: ${about(decision)} until ${until}. ${object}`,
        {
          status: 429,
          details: { ...details, retryAfterSeconds: seconds(waitMs) },
        },
      );
    case "challenge":
      return new MedcloudletError(
        "IDS_CHALLENGED",
        `Prove a key or log in from a program that did before: ${about(decision)} until ${until}. ${object}`,
        { status: 403, details: { ...details, retryAfterSeconds: seconds(decision.until - now) } },
      );
    case "ban":
      return new MedcloudletError("IDS_BANNED", `Refused: ${about(decision)} until ${until}. ${object}`, {
        status: 403,
        details: { ...details, retryAfterSeconds: seconds(decision.until - now) },
      });
  }
}

function about({ subject: { kind } }: Decision): string {
  switch (kind) {
    case "source":
      return "requests that look like attacks came from this network address, and this holds";
    case "account":
      return "this account did what accounts do not, and this holds";
    case "device":
      return "this device did what devices do not, and this holds";
  }
}
