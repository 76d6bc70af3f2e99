import { scryptAsync } from "@noble/hashes/scrypt.js";
import { z } from "zod";
import {
  type Bytes,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  randomBytes,
  toBase64Url,
  utf8,
} from "../base/index.ts";
import { digestSchema, idSchema, regionSchema } from "../sealing/index.ts";
import { EMERGENCY_PLAN } from "./emergency-plan.ts";
import { KEPT_REVOCATION } from "./revocations.ts";

const secretSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "expected base64url of 32 bytes");

const CONTENTS = z.strictObject({
  accountId: idSchema,
  handle: z.string(),
  role: z.string(),
  /** What the person wants to be called by those they share with; nobody else sees it. */
  name: z.string(),
  signingSeed: secretSchema,
  receivingKey: secretSchema,
  /** The private keys of a patient's own epochs, newest last. */
  epochs: z.array(
    z.strictObject({
      region: regionSchema,
      streamId: idSchema,
      epochId: idSchema,
      number: z.number().int().positive(),
      privateKey: secretSchema,
    }),
  ),
  /** Fingerprints of the people dealt with before: a changed one is refused. */
  known: z.record(z.string(), z.string()),
  /** By `owner:region`, the newest version of a record that was seen: an older one is refused. */
  seenRecords: z
    .record(
      z.string().regex(/^[0-9a-f]{32}:[a-z]+$/),
      z.strictObject({ version: z.number().int().positive(), digest: digestSchema }),
    )
    .exactOptional(),
  /** Revocations that must not be forgotten yet. */
  revocations: z.array(KEPT_REVOCATION).optional(),
  /** Whom a patient chose as trustees; absent where nobody was chosen. */
  emergency: EMERGENCY_PLAN.optional(),
});

/** Everything a person must not lose: identity, epochs, whom they know. Byte strings as base64url. */
export type KeystoreContents = z.infer<typeof CONTENTS>;

/** Canonical base64url of at least so many bytes, or exactly so many. */
function bytesSchema(minimum: number, maximum = minimum) {
  return z.string().transform((text, context) => {
    try {
      const bytes = fromBase64Url(text);
      if (bytes.length >= minimum && bytes.length <= maximum) {
        return bytes;
      }
    } catch {
      // Told below, as for a wrong length.
    }
    context.addIssue({ code: "custom", message: `expected base64url of ${minimum} bytes or more` });
    return z.NEVER;
  });
}

/** Work factors taken: 16 to 256 MiB of memory. A hostile file can ask for no more, a weak one is not ours. */
const SCRYPT_N = [2 ** 14, 2 ** 15, 2 ** 16, 2 ** 17, 2 ** 18];

const LOCKED = z.strictObject({
  format: z.literal("medcloudlet-keystore-1"),
  scrypt: z.strictObject({
    N: z.literal(SCRYPT_N),
    r: z.literal(8),
    p: z.literal(1),
    salt: bytesSchema(16),
  }),
  nonce: bytesSchema(12),
  ciphertext: bytesSchema(16, Number.POSITIVE_INFINITY),
});

/** RFC 7914; 64 MiB of memory for each guess. */
const SCRYPT = { N: 2 ** 16, r: 8, p: 1 } as const;
const AAD = utf8("medcloudlet-keystore-1");

const LEAST_PASSPHRASE = 8;

/**
 * Refuses a passphrase that would be no lock; asked before anything is done that could not be undone.
 * @throws MedcloudletError `KEYSTORE_PASSPHRASE_WEAK`
 */
export function requirePassphrase(passphrase: string): void {
  if ([...passphrase].length < LEAST_PASSPHRASE) {
    throw new MedcloudletError(
      "KEYSTORE_PASSPHRASE_WEAK",
      `A passphrase has at least ${LEAST_PASSPHRASE} characters: whoever copies the keystore can try for ever.`,
      { status: 400 },
    );
  }
}

async function deriveKey(passphrase: string, N: number, salt: Bytes): Promise<Bytes> {
  const derived = await scryptAsync(utf8(passphrase.normalize("NFKC")), salt, { ...SCRYPT, N, dkLen: 32 });
  return new Uint8Array(derived);
}

function aesKey(raw: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** The plaintext that a keystore locks. @throws when the contents could not be taken back */
export function encodeContents(contents: KeystoreContents): Bytes {
  return utf8(JSON.stringify(CONTENTS.parse(contents)));
}

/** @throws MedcloudletError `KEYSTORE_MALFORMED` */
export function decodeContents(plaintext: Uint8Array): KeystoreContents {
  try {
    return CONTENTS.parse(JSON.parse(new TextDecoder().decode(plaintext)));
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause: unknown): MedcloudletError {
  return new MedcloudletError(
    "KEYSTORE_MALFORMED",
    "This is not a keystore of medcloudlet, or it is damaged: bring back a copy, or restore the backup.",
    { status: 400, cause },
  );
}

/** A locked keystore and the 32 bytes that its passphrase became. */
export interface LockedKeystore {
  readonly text: string;
  readonly key: Bytes;
}

async function lockedText(
  contents: KeystoreContents,
  key: Bytes,
  { N, salt }: { readonly N: number; readonly salt: Bytes },
): Promise<string> {
  const nonce = randomBytes(12);
  const ciphertext = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: AAD },
    await aesKey(key),
    encodeContents(contents),
  );
  return `${JSON.stringify({
    format: "medcloudlet-keystore-1",
    scrypt: { ...SCRYPT, N, salt: toBase64Url(salt) },
    nonce: toBase64Url(nonce),
    ciphertext: toBase64Url(new Uint8Array(ciphertext)),
  })}\n`;
}

/** Like `lockKeystore`, and gives the key, for who keeps it sealed elsewhere. */
export async function lockKeystoreWithKey(
  contents: KeystoreContents,
  passphrase: string,
): Promise<LockedKeystore> {
  requirePassphrase(passphrase);
  const salt = randomBytes(16);
  const key = await deriveKey(passphrase, SCRYPT.N, salt);
  return { text: await lockedText(contents, key, { N: SCRYPT.N, salt }), key };
}

/**
 * Locks a keystore with a passphrase (scrypt, AES-256-GCM); salt and nonce are new every time.
 * @throws MedcloudletError `KEYSTORE_PASSPHRASE_WEAK`
 */
export async function lockKeystore(contents: KeystoreContents, passphrase: string): Promise<string> {
  const { text, key } = await lockKeystoreWithKey(contents, passphrase);
  key.fill(0);
  return text;
}

/** A keystore that was unlocked, and can be locked again the way it was. */
export interface OpenedKeystore {
  readonly contents: KeystoreContents;
  /** Locks other contents with the same passphrase without asking for it: same salt and key, a new nonce. */
  relock(contents: KeystoreContents): Promise<LockedKeystore>;
  /**
   * Opens another copy of the keystore. One that `relock` made costs no work on the passphrase.
   * @throws MedcloudletError as `openKeystore`
   */
  openCopy(text: string): Promise<KeystoreContents>;
}

/**
 * Unlocks a keystore by its passphrase, or by the key itself.
 * @throws MedcloudletError `KEYSTORE_MALFORMED`, `KEYSTORE_PASSPHRASE`
 */
export async function openKeystore(text: string, opener: string | Bytes): Promise<OpenedKeystore> {
  let locked: z.infer<typeof LOCKED>;
  try {
    locked = LOCKED.parse(JSON.parse(text));
  } catch (cause) {
    throw malformed(cause);
  }
  const { scrypt } = locked;
  const key = typeof opener === "string" ? await deriveKey(opener, scrypt.N, scrypt.salt) : opener.slice();
  let plaintext: ArrayBuffer;
  try {
    plaintext = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: locked.nonce, additionalData: AAD },
      await aesKey(key),
      locked.ciphertext,
    );
  } catch (cause) {
    throw new MedcloudletError("KEYSTORE_PASSPHRASE", "The passphrase does not open this keystore.", {
      status: 401,
      cause,
    });
  }
  return {
    contents: decodeContents(new Uint8Array(plaintext)),
    relock: async (contents) => ({ text: await lockedText(contents, key, scrypt), key: key.slice() }),
    async openCopy(copy) {
      try {
        return (await openKeystore(copy, key)).contents;
      } catch (error) {
        if (!isMedcloudletError(error, "KEYSTORE_PASSPHRASE")) {
          throw error;
        }
        return (await openKeystore(copy, opener)).contents;
      }
    },
  };
}

/** Like `openKeystore`, for who only looks. @throws MedcloudletError `KEYSTORE_MALFORMED`, `KEYSTORE_PASSPHRASE` */
export async function unlockKeystore(text: string, opener: string | Bytes): Promise<KeystoreContents> {
  return (await openKeystore(text, opener)).contents;
}
