import { z } from "zod";
import { type Bytes, fromBase64Url, fromHex, MedcloudletError, toBase64Url, utf8 } from "../../base/index.ts";
import type { Community } from "../../community/index.ts";
import {
  bytesSchema,
  identityKeys,
  idSchema,
  type SealingSuite,
  signStatement,
  verifyIdentity,
  verifyStatement,
} from "../../sealing/index.ts";
import type { ContactCard } from "../guardians.ts";
import type { PersonKeys } from "../person-keys.ts";

const INFO = utf8("medcloudlet community code key v1");

/** "This is the community's code key, for you." Signed by the account of the first doctor that the community names. */
const CODE_KEY = {
  typ: "medcloudlet-community-code-key",
  schema: z.strictObject({
    community: idSchema,
    to: idSchema,
    enc: bytesSchema(962),
    ciphertext: bytesSchema(48),
  }),
};

function refuse(why: string): MedcloudletError {
  return new MedcloudletError("CODE_KEY_MISMATCH", `The code key is not taken: ${why}.`, { status: 409 });
}

/**
 * Seals the code key to another doctor of the community.
 * @throws MedcloudletError `CODE_KEY_MISMATCH` (409) for somebody the community does not name
 */
export async function handCodeKey(input: {
  readonly suite: SealingSuite;
  readonly keys: PersonKeys;
  readonly community: Community;
  readonly card: ContactCard;
  readonly codeKey: Bytes;
}): Promise<string> {
  const { suite, keys, community, card, codeKey } = input;
  const identity = await verifyIdentity(card.identity);
  const named = community.issuers.some(
    ({ id, signingKey }) => id === card.accountId && signingKey === identity.signingKey,
  );
  if (!named) {
    throw refuse(`the community does not name ${card.handle} with this key`);
  }
  const { receivingKey } = identityKeys(identity);
  const sealed = await suite.seal(receivingKey, INFO, fromHex(community.community), codeKey);
  return signStatement(
    CODE_KEY,
    {
      community: community.community,
      to: card.accountId,
      enc: toBase64Url(sealed.enc),
      ciphertext: toBase64Url(sealed.ciphertext),
    },
    keys.signing,
  );
}

/**
 * Opens a code key that the community's first doctor handed over.
 * @throws MedcloudletError `STATEMENT_INVALID`, `CODE_KEY_MISMATCH`, `SEALED_OPEN_FAILED`
 */
export async function takeCodeKey(input: {
  readonly keys: PersonKeys;
  readonly own: string;
  readonly community: Community;
  readonly text: string;
}): Promise<Bytes> {
  const { keys, own, community, text } = input;
  const first = community.issuers[0]?.signingKey ?? "";
  const said = await verifyStatement(CODE_KEY, text.trim(), fromBase64Url(first));
  if (said.community !== community.community || said.to !== own) {
    throw refuse("it is for another community or doctor");
  }
  const sealed = { enc: fromBase64Url(said.enc), ciphertext: fromBase64Url(said.ciphertext) };
  return keys.receiving.open(sealed, INFO, fromHex(community.community));
}
