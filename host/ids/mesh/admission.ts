import { type Clock, fromBase64Url, MedcloudletError } from "../../base/index.ts";
import { unverifiedPayload, verifyStatement } from "../../sealing/index.ts";
import type { Member } from "../engine/contract.ts";
import { GRACE_MS, isCurrentEpoch, SKEW_MS } from "./pseudonyms.ts";
import { MESH_ALERT, MOST_ALERT_CHARACTERS, type Roster, type SignedAlert } from "./statements.ts";

/** An alert older than this says nothing any more, and is not taken again by whoever recorded it. */
export const ALERT_LIVES_MS = GRACE_MS;
/** Alerts that one member may tell: this many at once, and one a second in the long run. */
const BURST = 1000;
const REFILL_MS = 1000;

/** A bucket of tokens for each member. */
export interface Budget {
  /** False where the member has used up its share for now. */
  spend(member: string): boolean;
}

/** @param burst alerts at once */
export function createBudget(clock: Clock, burst = BURST): Budget {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    spend(member) {
      const now = clock.now();
      const bucket = buckets.get(member) ?? { tokens: burst, at: now };
      bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) / REFILL_MS);
      bucket.at = now;
      buckets.set(member, bucket);
      if (bucket.tokens < 1) {
        return false;
      }
      bucket.tokens--;
      return true;
    },
  };
}

function refuse(code: string, why: string, status = 400): MedcloudletError {
  return new MedcloudletError(code, why, { status });
}

/**
 * Checks one signed alert: form, member, signature, mesh, age and epoch; in this order, so that nothing is believed of a
 * statement before its signature fits.
 * @param from the member that hands over its own alerts; without it anybody's are taken, as in catching up
 * @throws MedcloudletError `MESH_ALERT_INVALID`, `MESH_ALERT_MEMBER`, `MESH_ALERT_FOREIGN`, `MESH_ALERT_EXPIRED`,
 *   `MESH_ALERT_EPOCH`
 */
export async function admit(
  statement: string,
  roster: Roster,
  now: number,
  from?: Member,
): Promise<SignedAlert> {
  const invalid = (cause: unknown) =>
    new MedcloudletError("MESH_ALERT_INVALID", "This is no alert that a member of the mesh signed.", {
      status: 400,
      cause,
    });
  if (statement.length > MOST_ALERT_CHARACTERS) {
    throw invalid(undefined);
  }
  let claimed: string;
  try {
    claimed = unverifiedPayload(MESH_ALERT, statement).alert.member;
  } catch (cause) {
    throw invalid(cause);
  }
  const member = roster.members.find(({ id }) => id === claimed);
  if (member === undefined || (from !== undefined && from.id !== member.id)) {
    throw refuse(
      "MESH_ALERT_MEMBER",
      "The alert speaks for a member that its sender is not, or that there is not.",
    );
  }
  let signed: SignedAlert;
  try {
    signed = await verifyStatement(MESH_ALERT, statement, fromBase64Url(member.signingKey));
  } catch (cause) {
    throw invalid(cause);
  }
  const { mesh, issuedAt, alert } = signed;
  if (mesh !== roster.mesh) {
    throw refuse("MESH_ALERT_FOREIGN", "The alert belongs to another mesh.");
  }
  if (issuedAt > now + SKEW_MS || alert.to > issuedAt + SKEW_MS) {
    throw refuse("MESH_ALERT_EXPIRED", "The alert is of a time to come: check both clocks.");
  }
  if (issuedAt <= now - ALERT_LIVES_MS) {
    throw refuse("MESH_ALERT_EXPIRED", "The alert is too old to say anything.");
  }
  if (!isCurrentEpoch(alert.epoch, now) || !isCurrentEpoch(alert.epoch, issuedAt)) {
    throw refuse("MESH_ALERT_EPOCH", "The alert names pseudonyms of another epoch.");
  }
  return signed;
}
