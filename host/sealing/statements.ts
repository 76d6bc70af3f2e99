import { sha256 } from "@noble/hashes/sha2.js";
import { z } from "zod";
import { type Bytes, concatBytes, fromBase64Url, toHex, utf8 } from "../base/index.ts";
import { regionSchema } from "./region.ts";
import { isSoundPublicKey, SIGNING_KEY_BYTES, type SigningKey } from "./signing.ts";
import { type StatementKind, signStatement, verifySelfSigned } from "./statement.ts";
import { SUITE } from "./suite.ts";

/** 16 bytes as lower-case hex: account, device, stream, epoch and consent ids. */
export const idSchema = z.string().regex(/^[0-9a-f]{32}$/, "expected 32 lower-case hex digits");
/** SHA-256 as lower-case hex: digests, hashes and fingerprints. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits");
export const timeSchema = z.number().int().nonnegative();
const suiteSchema = z.literal(SUITE.ntruHps2048677X25519);

/** Base64url of a fixed or bounded number of bytes. */
export function bytesSchema(minimum: number, maximum = minimum) {
  return z
    .string()
    .max(Math.ceil((maximum * 4) / 3))
    .refine(
      (text) => {
        try {
          const { length } = fromBase64Url(text);
          return length >= minimum && length <= maximum;
        } catch {
          return false;
        }
      },
      `expected base64url of ${minimum === maximum ? minimum : `${minimum} to ${maximum}`} bytes`,
    );
}

/** An Ed25519 public key as base64url; keys that anybody can sign for are none. */
export const signingKeySchema = z
  .string()
  .max(43)
  .refine((text) => {
    try {
      return isSoundPublicKey(fromBase64Url(text));
    } catch {
      return false;
    }
  }, `expected base64url of ${SIGNING_KEY_BYTES} bytes: an Ed25519 key of full order in its one spelling`);

const PUBLIC_KEY_BYTES = 962;
export const ENC_BYTES = 962;

/** Who somebody is: one key to check their signatures with, one to seal to. Signed by the first. */
export const IDENTITY = {
  typ: "medcloudlet-identity",
  schema: z.strictObject({
    suite: suiteSchema,
    signingKey: signingKeySchema,
    receivingKey: bytesSchema(PUBLIC_KEY_BYTES),
    createdAt: timeSchema,
  }),
};
export type Identity = z.infer<typeof IDENTITY.schema>;

/** "Seal my readings of this region to this key from now on." Signed by the owner. */
export const EPOCH = {
  typ: "medcloudlet-epoch",
  schema: z.strictObject({
    owner: idSchema,
    region: regionSchema,
    streamId: idSchema,
    epochId: idSchema,
    /** Counts up from 1 in each region; a device refuses to go back. */
    number: z.number().int().positive(),
    suite: suiteSchema,
    publicKey: bytesSchema(PUBLIC_KEY_BYTES),
    createdAt: timeSchema,
  }),
};
export type Epoch = z.infer<typeof EPOCH.schema>;

/** "This device may write into this stream of mine until then." Signed by the owner. */
export const ENROLMENT = {
  typ: "medcloudlet-enrolment",
  schema: z.strictObject({
    owner: idSchema,
    deviceId: idSchema,
    signingKey: signingKeySchema,
    region: regionSchema,
    streamId: idSchema,
    createdAt: timeSchema,
    until: timeSchema,
  }),
};
export type Enrolment = z.infer<typeof ENROLMENT.schema>;

/** "This reader may read these regions of mine, for this purpose, from then until then." Signed by the owner. */
export const CONSENT = {
  typ: "medcloudlet-consent",
  schema: z
    .strictObject({
      consentId: idSchema,
      owner: idSchema,
      reader: idSchema,
      /** Fingerprint of the reader's identity that the owner saw when consenting. */
      readerFingerprint: digestSchema,
      regions: z.array(regionSchema).min(1).max(3),
      purpose: z.enum(["treatment", "research", "self-care"]),
      from: timeSchema,
      until: timeSchema,
      /**
       * `all` (and absent): every epoch so far opens to the reader. `from-now`: only epochs that still ran at `from`
       * or began later.
       */
      history: z.enum(["all", "from-now"]).optional(),
      createdAt: timeSchema,
    })
    .refine((consent) => consent.until > consent.from, "until must lie after from"),
};
export type Consent = z.infer<typeof CONSENT.schema>;

/** "This consent of mine is over." It cannot be taken back. Signed by the owner. */
export const REVOCATION = {
  typ: "medcloudlet-revocation",
  schema: z.strictObject({ consentId: idSchema, owner: idSchema, revokedAt: timeSchema }),
};
export type Revocation = z.infer<typeof REVOCATION.schema>;

/** "This device of mine writes nothing any more." It cannot be taken back. Signed by the owner. */
export const DEVICE_REVOCATION = {
  typ: "medcloudlet-device-revocation",
  schema: z.strictObject({ deviceId: idSchema, owner: idSchema, revokedAt: timeSchema }),
};
export type DeviceRevocation = z.infer<typeof DEVICE_REVOCATION.schema>;

/** An epoch's private key sealed to one reader under one consent. Signed by the owner. */
export const WRAPPED_KEY = {
  typ: "medcloudlet-wrapped-key",
  schema: z.strictObject({
    consentId: idSchema,
    owner: idSchema,
    reader: idSchema,
    epochId: idSchema,
    enc: bytesSchema(ENC_BYTES),
    ciphertext: bytesSchema(17, 512),
  }),
};
export type WrappedKey = z.infer<typeof WRAPPED_KEY.schema>;

/** The public halves of an identity as bytes. */
export function identityKeys(identity: Identity): { signingKey: Bytes; receivingKey: Bytes } {
  return {
    signingKey: fromBase64Url(identity.signingKey),
    receivingKey: fromBase64Url(identity.receivingKey),
  };
}

/** Signs an identity with the key it names. */
export function signIdentity(identity: Identity, key: SigningKey): Promise<string> {
  return signStatement(IDENTITY, identity, key);
}

/** Checks a self-signed identity. @throws MedcloudletError `STATEMENT_INVALID` */
export function verifyIdentity(statement: string): Promise<Identity> {
  const kind: StatementKind<Identity> = IDENTITY;
  return verifySelfSigned(kind, statement, (identity) => identityKeys(identity).signingKey);
}

/** What two people compare aloud: SHA-256 over both public keys, 64 hex digits. */
export function fingerprint(keys: { readonly signingKey: Bytes; readonly receivingKey: Bytes }): string {
  return toHex(sha256(concatBytes(utf8("medcloudlet identity v1"), keys.signingKey, keys.receivingKey)));
}
