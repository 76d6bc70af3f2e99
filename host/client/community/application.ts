import { z } from "zod";
import { type Clock, fromBase64Url, toBase64Url } from "../../base/index.ts";
import {
  bytesSchema,
  idSchema,
  type SealingSuite,
  signingKeySchema,
  signStatement,
  unverifiedPayload,
  verifyStatement,
} from "../../sealing/index.ts";
import { createIdentity, type IdentitySecrets, openIdentity, type PersonKeys } from "../person-keys.ts";

/**
 * "These are the keys I want to be known by in this community." Signed by the first of them; handed to the doctor, who
 * is sitting opposite. It names no account and no person.
 */
export const APPLICATION = {
  typ: "medcloudlet-community-application",
  schema: z.strictObject({
    community: idSchema,
    signingKey: signingKeySchema,
    receivingKey: bytesSchema(962),
    createdAt: z.number().int().nonnegative(),
  }),
};
export type Application = z.infer<typeof APPLICATION.schema>;

/** Keys that are made for one community and used in no other place, so that nothing joins two communities. */
export async function createMemberKeys(
  suite: SealingSuite,
  clock: Clock,
): Promise<{ secrets: IdentitySecrets; keys: PersonKeys }> {
  const { secrets, keys } = await createIdentity(suite, clock);
  return { secrets, keys };
}

/** Makes kept keys of a member usable. */
export const openMemberKeys = openIdentity;

/** The application for a community: a statement. */
export function applyTo(community: string, keys: PersonKeys, clock: Clock): Promise<string> {
  return signStatement(
    APPLICATION,
    {
      community,
      signingKey: toBase64Url(keys.signing.publicKey),
      receivingKey: toBase64Url(keys.receiving.publicKey),
      createdAt: clock.now(),
    },
    keys.signing,
  );
}

/** Checks an application with the key it names. @throws MedcloudletError `STATEMENT_INVALID` */
export async function readApplication(statement: string): Promise<Application> {
  const { signingKey } = unverifiedPayload(APPLICATION, statement);
  return verifyStatement(APPLICATION, statement, fromBase64Url(signingKey));
}
