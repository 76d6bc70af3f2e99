import {
  type Bytes,
  concatBytes,
  fromBase64Url,
  fromHex,
  MedcloudletError,
  toBase64Url,
  utf8,
} from "../base/index.ts";
import { HYBRID_SEED_BYTES } from "./hybrid-kem.ts";
import { pad, unpad } from "./padding.ts";
import type { WrappedKey } from "./statements.ts";
import type { Recipient, SealingSuite } from "./suite.ts";

const INFO = utf8("medcloudlet wrapped epoch key v1");
const MAX_NAME_CHARACTERS = 100;
/** One length for all: length field, private key, and a name of at most three UTF-8 bytes a character. */
const PLAINTEXT_BYTES = 4 + HYBRID_SEED_BYTES + 3 * MAX_NAME_CHARACTERS;

/** What travels inside a wrapped key: the epoch's private key and what the owner wants to be called. */
export interface GrantedEpoch {
  readonly privateKey: Bytes;
  /** The patient's own words for themselves; nobody but the reader sees them. At most 100 characters. */
  readonly ownerName: string;
}

type Binding = Pick<WrappedKey, "consentId" | "owner" | "reader" | "epochId">;

/** The ids that a wrapped key belongs to are authenticated with it: it opens nowhere else. */
function aadOf({ consentId, owner, reader, epochId }: Binding): Bytes {
  return concatBytes(fromHex(consentId), fromHex(owner), fromHex(reader), fromHex(epochId));
}

/**
 * Seals an epoch's private key to a reader's identity key.
 * @throws MedcloudletError `WRAP_NAME_TOO_LONG`
 */
export async function wrapEpochKey(
  suite: SealingSuite,
  readerPublicKey: Bytes,
  binding: Binding,
  granted: GrantedEpoch,
): Promise<WrappedKey> {
  const { privateKey, ownerName } = granted;
  if (ownerName.length > MAX_NAME_CHARACTERS) {
    throw new MedcloudletError(
      "WRAP_NAME_TOO_LONG",
      `A name has at most ${MAX_NAME_CHARACTERS} characters.`,
      { status: 400 },
    );
  }
  // The KDC sees the ciphertext: its length must not tell the length of the name.
  const plaintext = new Uint8Array(PLAINTEXT_BYTES);
  plaintext.set(pad(concatBytes(privateKey, utf8(ownerName))));
  const sealed = await suite.seal(readerPublicKey, INFO, aadOf(binding), plaintext);
  plaintext.fill(0);
  const { consentId, owner, reader, epochId } = binding;
  return {
    consentId,
    owner,
    reader,
    epochId,
    enc: toBase64Url(sealed.enc),
    ciphertext: toBase64Url(sealed.ciphertext),
  };
}

/**
 * Opens a wrapped epoch key whose statement was verified.
 * @throws MedcloudletError `SEALED_OPEN_FAILED`, `WRAP_MALFORMED`
 */
export async function unwrapEpochKey(
  suite: SealingSuite,
  reader: Recipient,
  wrapped: WrappedKey,
): Promise<GrantedEpoch> {
  const sealed = { enc: fromBase64Url(wrapped.enc), ciphertext: fromBase64Url(wrapped.ciphertext) };
  const padded = await reader.open(sealed, INFO, aadOf(wrapped));
  const plaintext = padded.length === PLAINTEXT_BYTES ? unpadded(padded) : null;
  if (plaintext === null || plaintext.length < suite.privateKeyBytes) {
    throw new MedcloudletError("WRAP_MALFORMED", "There is no epoch key in the wrapped key.", {
      status: 422,
    });
  }
  return {
    privateKey: new Uint8Array(plaintext.subarray(0, suite.privateKeyBytes)),
    ownerName: new TextDecoder().decode(plaintext.subarray(suite.privateKeyBytes)),
  };
}

function unpadded(padded: Bytes): Uint8Array | null {
  try {
    return unpad(padded);
  } catch {
    return null;
  }
}
