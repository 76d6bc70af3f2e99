import { type Bytes, type Clock, toBase64Url } from "../base/index.ts";
import {
  fingerprint,
  generateSigningSeed,
  importSigningKey,
  type Recipient,
  type SealingSuite,
  type SigningKey,
  signIdentity,
} from "../sealing/index.ts";

/** The private halves of an identity: what a keystore keeps. 32 bytes each. */
export interface IdentitySecrets {
  readonly signingSeed: Bytes;
  readonly receivingKey: Bytes;
}

/** An identity ready for use. */
export interface PersonKeys {
  readonly signing: SigningKey;
  readonly receiving: Recipient;
}

/** What others compare before they share with this person. */
export function personFingerprint({ signing, receiving }: PersonKeys): string {
  return fingerprint({ signingKey: signing.publicKey, receivingKey: receiving.publicKey });
}

/** Makes a new identity on this machine and the self-signed statement to register it with. */
export async function createIdentity(
  suite: SealingSuite,
  clock: Clock,
): Promise<{ secrets: IdentitySecrets; keys: PersonKeys; statement: string }> {
  const signingSeed = generateSigningSeed();
  const { privateKey: receivingKey } = await suite.generateKeyPair();
  const secrets = { signingSeed, receivingKey };
  const keys = await openIdentity(suite, secrets);
  const statement = await signIdentity(
    {
      suite: 1,
      signingKey: toBase64Url(keys.signing.publicKey),
      receivingKey: toBase64Url(keys.receiving.publicKey),
      createdAt: clock.now(),
    },
    keys.signing,
  );
  return { secrets, keys, statement };
}

/** Makes the keys of kept secrets usable. */
export async function openIdentity(suite: SealingSuite, secrets: IdentitySecrets): Promise<PersonKeys> {
  return {
    signing: await importSigningKey(secrets.signingSeed),
    receiving: await suite.recipient(secrets.receivingKey),
  };
}
