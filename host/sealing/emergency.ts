import { sha256 } from "@noble/hashes/sha2.js";
import { combine, split } from "shamir-secret-sharing";
import { z } from "zod";
import {
  type Bytes,
  concatBytes,
  fromBase64Url,
  fromHex,
  MedcloudletError,
  toBase64Url,
  utf8,
} from "../base/index.ts";
import { reasonSchema } from "./emergency-reason.ts";
import { HYBRID_SEED_BYTES } from "./hybrid-kem.ts";
import { bytesSchema, digestSchema, ENC_BYTES, idSchema, timeSchema } from "./statements.ts";
import { AEAD_TAG_BYTES, type Recipient, type SealingSuite } from "./suite.ts";

/** Trustees of one patient. Two at least: one person alone never opens anything. */
export const TRUSTEES_LEAST = 2;
export const TRUSTEES_MOST = 16;
/** How long break-glass may last, in minutes. */
export const EMERGENCY_MINUTES = { least: 5, most: 240 } as const;
/** How long an approval waits for the others, in milliseconds. */
export const APPROVAL_LIFETIME_MS = 15 * 60 * 1000;
/** Epochs that one emergency opens: the newest ones. Its approvals stay small enough for one request. */
export const EMERGENCY_EPOCHS_MOST = 64;

/** The seed's 32 bytes and the x coordinate of GF(256), as shamir-secret-sharing writes a share. */
const SHARE_BYTES = HYBRID_SEED_BYTES + 1;
const SHARE_INFO = utf8("medcloudlet emergency share v1");
const APPROVAL_INFO = utf8("medcloudlet emergency approval v1");
const DIGEST_PREFIX = utf8("medcloudlet emergency share digest v1");

const sealedShare = { enc: bytesSchema(ENC_BYTES), ciphertext: bytesSchema(SHARE_BYTES + AEAD_TAG_BYTES) };
const trusteesSchema = z.number().int().min(TRUSTEES_LEAST).max(TRUSTEES_MOST);

/** One share of one medical epoch's private key, sealed to one trustee. Signed by the owner. */
export const EMERGENCY_SHARE = {
  typ: "medcloudlet-emergency-share",
  schema: z
    .strictObject({
      /** One preparation: the same trustees and threshold for every epoch shared under it. */
      setId: idSchema,
      owner: idSchema,
      epochId: idSchema,
      trustee: idSchema,
      trusteeFingerprint: digestSchema,
      threshold: trusteesSchema,
      shares: trusteesSchema,
      ...sealedShare,
      /** Of the share: whoever hands on another one is found out, by name. */
      digest: bytesSchema(32),
      createdAt: timeSchema,
    })
    .refine(({ threshold, shares }) => threshold <= shares, "more shares needed than there are"),
};
export type EmergencyShare = z.infer<typeof EMERGENCY_SHARE.schema>;

/** "I need this patient's medical data now, for this reason, until then." Signed by the requester. */
export const EMERGENCY_REQUEST = {
  typ: "medcloudlet-emergency-request",
  schema: z
    .strictObject({
      emergencyId: idSchema,
      requester: idSchema,
      /** The patient's handle: whoever asks knows no account id. */
      patient: z.string().min(1).max(40),
      reason: reasonSchema,
      requestedAt: timeSchema,
      until: timeSchema,
    })
    .refine(({ requestedAt, until }) => until > requestedAt, "until must lie after requestedAt"),
};
export type EmergencyRequest = z.infer<typeof EMERGENCY_REQUEST.schema>;

/** "I agree to this emergency, and hand my shares on to its requester alone." Signed by the approver. */
export const EMERGENCY_APPROVAL = {
  typ: "medcloudlet-emergency-approval",
  schema: z
    .strictObject({
      emergencyId: idSchema,
      approver: idSchema,
      requester: idSchema,
      requesterFingerprint: digestSchema,
      setId: idSchema,
      epochs: z
        .array(z.strictObject({ epochId: idSchema, ...sealedShare }))
        .min(1)
        .max(EMERGENCY_EPOCHS_MOST),
      approvedAt: timeSchema,
      expiresAt: timeSchema,
    })
    .refine(({ approvedAt, expiresAt }) => expiresAt > approvedAt, "expiresAt must lie after approvedAt")
    .refine(
      ({ epochs }) => new Set(epochs.map(({ epochId }) => epochId)).size === epochs.length,
      "each epoch once",
    ),
};
export type EmergencyApproval = z.infer<typeof EMERGENCY_APPROVAL.schema>;

type ShareBinding = Pick<EmergencyShare, "setId" | "owner" | "epochId" | "trustee" | "threshold" | "shares">;

/** What a share that is handed on belongs to. */
export interface HandedShareBinding {
  readonly emergencyId: string;
  readonly requester: string;
  readonly approver: string;
  readonly setId: string;
  readonly epochId: string;
}

function shareAad({ setId, owner, epochId, trustee, threshold, shares }: ShareBinding): Bytes {
  return concatBytes(
    ...[setId, owner, epochId, trustee].map(fromHex),
    Uint8Array.of(threshold),
    Uint8Array.of(shares),
  );
}

function approvalAad({ emergencyId, requester, approver, setId, epochId }: HandedShareBinding): Bytes {
  return concatBytes(...[emergencyId, requester, approver, setId, epochId].map(fromHex));
}

/** Bound to where the share belongs, so that no digest tells that two shares are equal. 32 bytes, base64url. */
function shareDigest(binding: ShareBinding, share: Bytes): string {
  return toBase64Url(sha256(concatBytes(DIGEST_PREFIX, shareAad(binding), share)));
}

/**
 * Splits an epoch's private key among trustees (Shamir, "How to share a secret", CACM 22(11), 1979, over GF(256))
 * and seals a share to each. Any `threshold` of them give the key back, fewer say nothing about it. The payloads
 * are for the owner to sign.
 */
export async function sealEmergencyShares(
  suite: SealingSuite,
  set: Pick<EmergencyShare, "setId" | "owner" | "epochId" | "threshold" | "createdAt">,
  trustees: readonly {
    readonly accountId: string;
    readonly fingerprint: string;
    readonly receivingKey: Bytes;
  }[],
  privateKey: Bytes,
): Promise<EmergencyShare[]> {
  const shares = await split(privateKey, trustees.length, set.threshold);
  return Promise.all(
    trustees.map(async ({ accountId, fingerprint, receivingKey }, i) => {
      const share = new Uint8Array(shares[i] as Uint8Array);
      const binding = { ...set, trustee: accountId, shares: trustees.length };
      const sealed = await suite.seal(receivingKey, SHARE_INFO, shareAad(binding), share);
      const digest = shareDigest(binding, share);
      share.fill(0);
      shares[i]?.fill(0);
      return {
        ...binding,
        trusteeFingerprint: fingerprint,
        enc: toBase64Url(sealed.enc),
        ciphertext: toBase64Url(sealed.ciphertext),
        digest,
      };
    }),
  );
}

function checkShare(expected: EmergencyShare, share: Bytes): Bytes {
  if (shareDigest(expected, share) !== expected.digest) {
    throw new MedcloudletError(
      "EMERGENCY_SHARE_FALSE",
      "This is not the share that the patient made for the trustee.",
      { status: 422 },
    );
  }
  return share;
}

/**
 * Opens a trustee's own share, whose statement was verified.
 * @throws MedcloudletError `SEALED_OPEN_FAILED`, `EMERGENCY_SHARE_FALSE`
 */
export async function openEmergencyShare(trustee: Recipient, share: EmergencyShare): Promise<Bytes> {
  const sealed = { enc: fromBase64Url(share.enc), ciphertext: fromBase64Url(share.ciphertext) };
  return checkShare(share, await trustee.open(sealed, SHARE_INFO, shareAad(share)));
}

/** Seals an opened share to the requester of one emergency. */
export async function handOnShare(
  suite: SealingSuite,
  requesterKey: Bytes,
  binding: HandedShareBinding,
  share: Bytes,
): Promise<EmergencyApproval["epochs"][number]> {
  const sealed = await suite.seal(requesterKey, APPROVAL_INFO, approvalAad(binding), share);
  const { epochId } = binding;
  return { epochId, enc: toBase64Url(sealed.enc), ciphertext: toBase64Url(sealed.ciphertext) };
}

/**
 * Opens a share that an approver handed on and compares it with what the owner signed.
 * @throws MedcloudletError `SEALED_OPEN_FAILED`, `EMERGENCY_SHARE_FALSE`
 */
export async function openHandedShare(
  requester: Recipient,
  binding: HandedShareBinding,
  handed: EmergencyApproval["epochs"][number],
  expected: EmergencyShare,
): Promise<Bytes> {
  const sealed = { enc: fromBase64Url(handed.enc), ciphertext: fromBase64Url(handed.ciphertext) };
  return checkShare(expected, await requester.open(sealed, APPROVAL_INFO, approvalAad(binding)));
}

/**
 * The private key that checked shares of one epoch give. The caller compares its public half with the epoch's.
 * @throws MedcloudletError `EMERGENCY_KEY_MISMATCH` for shares that belong together in no way
 */
export async function joinShares(shares: readonly Bytes[]): Promise<Bytes> {
  try {
    return new Uint8Array(await combine(shares.map((share) => new Uint8Array(share))));
  } catch (cause) {
    throw new MedcloudletError("EMERGENCY_KEY_MISMATCH", "The shares do not belong to one key.", {
      status: 422,
      cause,
    });
  }
}
