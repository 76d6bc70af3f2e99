import { type Clock, toBase64Url } from "../../host/base/index.ts";
import type { PersonAtWork } from "../../host/cli/home.ts";
import { signIdentity } from "../../host/sealing/index.ts";

/** An account as a community names its issuers and moderators. */
export async function identityCardOf({ contents, keys }: PersonAtWork, clock: Clock) {
  const { accountId, handle } = contents;
  const identity = await signIdentity(
    {
      suite: 1,
      signingKey: toBase64Url(keys.signing.publicKey),
      receivingKey: toBase64Url(keys.receiving.publicKey),
      createdAt: clock.now(),
    },
    keys.signing,
  );
  return { accountId, handle, identity };
}
