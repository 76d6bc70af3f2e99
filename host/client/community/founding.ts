import { type Bytes, type Clock, MedcloudletError, toBase64Url } from "../../base/index.ts";
import { COMMUNITY, type Community, communityIdOf, verifyCommunity } from "../../community/index.ts";
import {
  generateSigningSeed,
  identityKeys,
  importSigningKey,
  signStatement,
  verifyIdentity,
} from "../../sealing/index.ts";
import type { ContactCard } from "../guardians.ts";
import type { Relay, StaffCredentials } from "./relay.ts";

/** What a founder decides on. Cards are those of `medcloudlet account card`, their fingerprints compared. */
export interface CommunityPlan {
  readonly title: string;
  /** Doctors who admit members for their hospitals. */
  readonly issuers: readonly ContactCard[];
  readonly moderators: readonly ContactCard[];
  /** What newcomers may be asked by their number; a revision adds at the end. */
  readonly openingQuestions: readonly string[];
}

/** A community and the seed of the key that alone can revise it. */
export interface Founded {
  readonly community: Community;
  readonly founderSeed: Bytes;
}

async function documentOf(
  plan: CommunityPlan,
  founder: { readonly seed: Bytes; readonly version: number },
  clock: Clock,
): Promise<string> {
  const key = await importSigningKey(founder.seed);
  const issuers = await Promise.all(
    plan.issuers.map(async ({ accountId, identity }) => ({
      id: accountId,
      signingKey: (await verifyIdentity(identity)).signingKey,
    })),
  );
  const moderators = await Promise.all(
    plan.moderators.map(async ({ accountId, identity }) => {
      const keys = identityKeys(await verifyIdentity(identity));
      return {
        id: accountId,
        signingKey: toBase64Url(keys.signingKey),
        receivingKey: toBase64Url(keys.receivingKey),
      };
    }),
  );
  const parsed = COMMUNITY.schema.safeParse({
    community: communityIdOf(key.publicKey),
    version: founder.version,
    title: plan.title.trim(),
    founder: toBase64Url(key.publicKey),
    issuers,
    moderators,
    openingQuestions: plan.openingQuestions.map((question) => question.trim()),
    at: clock.now(),
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new MedcloudletError(
      "COMMUNITY_INVALID",
      `The community cannot be founded so: ${issue?.path.join(".") || "document"}: ${issue?.message}.`,
      { status: 400, cause: parsed.error },
    );
  }
  return signStatement(COMMUNITY, parsed.data, key);
}

/**
 * Founds a community on a cloudlet, as an operator. `keepSeed` is called before anything is sent: without the seed the
 * community could never be revised.
 * @throws MedcloudletError `COMMUNITY_INVALID` (400), `STATEMENT_INVALID`
 */
export async function foundCommunity(input: {
  readonly plan: CommunityPlan;
  readonly clock: Clock;
  readonly relay: Relay;
  readonly staff: StaffCredentials;
  readonly keepSeed: (community: string, seed: Bytes) => Promise<void>;
}): Promise<Founded> {
  const { plan, clock, relay, staff } = input;
  const founderSeed = generateSigningSeed();
  const statement = await documentOf(plan, { seed: founderSeed, version: 1 }, clock);
  const community = await verifyCommunity(statement);
  await input.keepSeed(community.community, founderSeed);
  await relay.found(statement, staff);
  return { community, founderSeed };
}

/**
 * The document of a community as the relay shows it: by whose founder made the id, and no older than one seen before.
 * @param seen the newest statement known; an older version from the relay is not taken
 * @returns the newer of both, with its statement
 * @throws MedcloudletError `STATEMENT_INVALID`, `COMMUNITY_MISMATCH` (502)
 */
export async function newestCommunity(
  id: string,
  shown: string,
  seen?: string,
): Promise<{ community: Community; statement: string }> {
  const community = await verifyCommunity(shown);
  if (community.community !== id) {
    throw new MedcloudletError(
      "COMMUNITY_MISMATCH",
      "The relay shows another community than the one asked for.",
      { status: 502 },
    );
  }
  if (seen !== undefined) {
    const known = await verifyCommunity(seen);
    if (known.version > community.version) {
      return { community: known, statement: seen };
    }
  }
  return { community, statement: shown };
}

/** True when this identity is one of the community's hospitals. */
export function isIssuer(community: Community, accountId: string, signingKey: Bytes): boolean {
  return community.issuers.some(
    ({ id, signingKey: key }) => id === accountId && toBase64Url(signingKey) === key,
  );
}
