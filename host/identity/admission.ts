import { type Bytes, fromBase64Url, MedcloudletError } from "../base/index.ts";
import { batchDigest, parseBatch, type SealedBatch, verifyBatch } from "../sealing/index.ts";
import type { Grant } from "./tickets.ts";

/**
 * Everything that can be checked of a sealed batch without opening it: its form, that it comes from the ticket's
 * device and goes into the ticket's stream, and the device's signature. Cloudlet and cloud both do this.
 * @throws MedcloudletError the codes of `parseBatch`, `BATCH_DEVICE_MISMATCH`, `BATCH_STREAM_MISMATCH`,
 *   `BATCH_SIGNATURE_INVALID`
 */
export async function admitBatch(
  bytes: Bytes,
  grant: Grant<"upload">,
): Promise<{ batch: SealedBatch; digest: string }> {
  const batch = parseBatch(bytes);
  // The signature first: of a batch that was changed on the way no other field deserves a word.
  await verifyBatch(batch, fromBase64Url(grant.deviceKey));
  if (batch.header.deviceId !== grant.device) {
    throw new MedcloudletError("BATCH_DEVICE_MISMATCH", "The batch names another device than the ticket.", {
      status: 403,
    });
  }
  if (batch.header.streamId !== grant.stream || batch.header.region !== grant.region) {
    throw new MedcloudletError(
      "BATCH_STREAM_MISMATCH",
      "The batch goes into another stream than the ticket allows.",
      { status: 403 },
    );
  }
  return { batch, digest: batchDigest(bytes) };
}
