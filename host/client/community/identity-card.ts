import { z } from "zod";
import { type Clock, MedcloudletError } from "../../base/index.ts";
import {
  fingerprint,
  identityKeys,
  idSchema,
  signStatement,
  unverifiedPayload,
  verifyIdentity,
  verifyStatement,
} from "../../sealing/index.ts";
import { handleSchema, type KnownAccount } from "../known-account.ts";
import type { PersonKeys } from "../person-keys.ts";

/**
 * "Behind this pseudonym am I, and I tell this one partner." Signed by the account's key, sent inside a sealed message,
 * and only where its owner chose to: it joins account and pseudonym for whoever reads it.
 */
const IDENTITY_CARD = {
  typ: "medcloudlet-community-identity-card",
  schema: z.strictObject({
    community: idSchema,
    pseudonym: idSchema,
    /** The one partner it is for: shown to another it is void. */
    to: idSchema,
    accountId: idSchema,
    handle: handleSchema,
    /** What the person wants to be called; may be empty. */
    name: z.string().max(100),
    /** The account's identity statement. */
    identity: z.string().max(8_192),
    createdAt: z.number().int().nonnegative(),
  }),
};

/** A card whose signatures were checked. */
export interface IdentityCard {
  readonly accountId: string;
  readonly handle: string;
  readonly name: string;
  readonly identity: string;
  /** Of the account's identity: to compare with them in person. */
  readonly fingerprint: string;
}

type Addressed = { readonly community: string; readonly from: string; readonly to: string };

/** Makes a card for one partner. */
export function makeIdentityCard(input: {
  readonly account: Pick<KnownAccount, "accountId" | "handle" | "identity">;
  readonly name: string;
  readonly keys: PersonKeys;
  readonly addressed: Addressed;
  readonly clock: Clock;
}): Promise<string> {
  const { account, name, keys, addressed, clock } = input;
  const { accountId, handle, identity } = account;
  const { community, from: pseudonym, to } = addressed;
  const createdAt = clock.now();
  return signStatement(
    IDENTITY_CARD,
    { community, pseudonym, to, accountId, handle, name, identity, createdAt },
    keys.signing,
  );
}

/**
 * Checks a card that came inside a message: signed by the account it names, for the pseudonym that signed the message,
 * and for this reader. That account id and handle belong to these keys only the KDC can say, and the fingerprint is to be
 * compared in person.
 * @throws MedcloudletError `STATEMENT_INVALID`, `IDENTITY_CARD_MISMATCH` (409)
 */
export async function readIdentityCard(statement: string, addressed: Addressed): Promise<IdentityCard> {
  const { identity } = unverifiedPayload(IDENTITY_CARD, statement);
  const keys = identityKeys(await verifyIdentity(identity));
  const card = await verifyStatement(IDENTITY_CARD, statement, keys.signingKey);
  const fits =
    card.community === addressed.community && card.pseudonym === addressed.from && card.to === addressed.to;
  if (!fits) {
    throw new MedcloudletError(
      "IDENTITY_CARD_MISMATCH",
      "The identity card was made for another partner or pseudonym: do not believe who its sender says to be.",
      { status: 409 },
    );
  }
  const { accountId, handle, name } = card;
  return { accountId, handle, name, identity, fingerprint: fingerprint(keys) };
}
