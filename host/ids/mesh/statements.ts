import { z } from "zod";
import { type Bytes, fromBase64Url, MedcloudletError, toBase64Url } from "../../base/index.ts";
import { idSchema, type SigningKey, signStatement, verifyStatement } from "../../sealing/index.ts";
import type { Member, SharedAlert } from "../engine/contract.ts";
import { MOST_MEMBERS, memberSchema, sharedAlertSchema } from "../engine/schema.ts";

const time = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const unique = (values: readonly string[]) => new Set(values).size === values.length;

/** "These are the members." Signed by a key that every member was given by its operator. */
const MESH_ROSTER = {
  typ: "medcloudlet-mesh-roster",
  schema: z.strictObject({
    mesh: idSchema,
    /** Counts up; no member goes back. */
    version: z.number().int().positive(),
    createdAt: time,
    members: z
      .array(memberSchema)
      .min(1)
      .max(MOST_MEMBERS)
      .refine((members) => unique(members.map(({ id }) => id)), "two members have one id")
      .refine((members) => unique(members.map(({ signingKey }) => signingKey)), "two members have one key"),
  }),
};

export interface Roster {
  readonly mesh: string;
  readonly version: number;
  readonly createdAt: number;
  readonly members: readonly Member[];
}

/** "I found this." Signed by the member that found it; anybody may hand it on. */
export const MESH_ALERT = {
  typ: "medcloudlet-mesh-alert",
  schema: z.strictObject({ mesh: idSchema, issuedAt: time, alert: sharedAlertSchema }),
};

export interface SignedAlert {
  readonly mesh: string;
  readonly issuedAt: number;
  readonly alert: SharedAlert;
}

/** Longest statements that are read: an alert has some 900 characters, a roster 300 a member. */
export const MOST_ALERT_CHARACTERS = 2048;
export const MOST_ROSTER_CHARACTERS = 40_000;

/** @param key of an operator, whose public half the members were given */
export async function signRoster(roster: Roster, key: SigningKey): Promise<string> {
  return signStatement(MESH_ROSTER, { ...roster, members: [...roster.members] }, key);
}

/**
 * Checks a roster against the keys that this service was given to believe.
 * @param anchors base64url
 * @throws MedcloudletError `MESH_ROSTER_INVALID`
 */
export async function verifyRoster(statement: string, anchors: readonly string[]): Promise<Roster> {
  let cause: unknown;
  for (const anchor of statement.length > MOST_ROSTER_CHARACTERS ? [] : anchors) {
    try {
      return await verifyStatement(MESH_ROSTER, statement, fromBase64Url(anchor));
    } catch (error) {
      cause = error;
    }
  }
  throw new MedcloudletError(
    "MESH_ROSTER_INVALID",
    "The roster of the mesh is not signed by a key that this service was told to believe, or damaged.",
    { status: 400, cause },
  );
}

export async function signAlert(alert: SignedAlert, key: SigningKey): Promise<string> {
  return signStatement(MESH_ALERT, alert, key);
}

/** The member that a key belongs to, or undefined. */
export function memberByKey(roster: Roster | null, publicKey: Bytes): Member | undefined {
  const key = toBase64Url(publicKey);
  return roster?.members.find(({ signingKey }) => signingKey === key);
}
