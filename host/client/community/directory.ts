import { type Bytes, fromBase64Url, isMedcloudletError } from "../../base/index.ts";
import { type Community, MEMBER_KEY } from "../../community/index.ts";
import { unverifiedPayload, verifyStatement } from "../../sealing/index.ts";
import { CREDENTIAL, type Credential, verifyCredential } from "../../trust/index.ts";
import type { UnverifiedMember } from "./relay.ts";

/** A member, as a hospital's signature and their own say. */
export interface KnownMember {
  readonly pseudonym: string;
  /** The newest credential; it may be over, see `valid`. */
  readonly credential: Credential;
  readonly valid: boolean;
  /** This one and earlier ones of the same pseudonym: older signatures are by their keys. */
  readonly credentials: readonly Credential[];
  readonly receivingKey: Bytes;
  readonly suspendedUntil: number | null;
}

/** Signing keys of a community's hospitals by their ids. */
export function issuersOf(community: Community): ReadonlyMap<string, Bytes> {
  return new Map(community.issuers.map(({ id, signingKey }) => [id, fromBase64Url(signingKey)]));
}

/** A credential as it was when it began: what was signed under it stays signed when it is over. */
async function readCredential(statement: string, issuers: ReadonlyMap<string, Bytes>): Promise<Credential> {
  const { from } = unverifiedPayload(CREDENTIAL, statement);
  return verifyCredential(statement, issuers, from);
}

/**
 * Checks what the relay says of a member. It can leave members out and invent none.
 * @returns null for one that does not verify
 */
export async function verifyMember(
  unverified: UnverifiedMember,
  community: Community,
  now: number,
): Promise<KnownMember | null> {
  const issuers = issuersOf(community);
  try {
    const credential = await readCredential(unverified.credential, issuers);
    const key = await verifyStatement(MEMBER_KEY, unverified.memberKey, fromBase64Url(credential.signingKey));
    const { pseudonym } = unverified;
    const theirs = [credential, key].every(
      (said) => said.pseudonym === pseudonym && said.community === community.community,
    );
    if (!theirs) {
      return null;
    }
    const credentials = [credential];
    for (const statement of unverified.earlier) {
      const earlier = await readCredential(statement, issuers);
      if (earlier.pseudonym === pseudonym && earlier.community === community.community) {
        credentials.push(earlier);
      }
    }
    return {
      pseudonym,
      credential,
      valid: credential.from <= now && now < credential.until,
      credentials,
      receivingKey: fromBase64Url(key.receivingKey),
      suspendedUntil: unverified.suspendedUntil,
    };
  } catch (error) {
    if (isMedcloudletError(error)) {
      return null;
    }
    throw error;
  }
}
