import { z } from "zod";
import { type Bytes, fromBase64Url, MedcloudletError } from "../base/index.ts";
import { digestSchema, idSchema, signingKeySchema, verifyStatement } from "../sealing/index.ts";

/** How long an epoch of trust lasts: evidence fades, voices and comparisons are counted, by the week. */
export const TRUST_EPOCH_MS = 7 * 24 * 60 * 60 * 1000;

/** Number of the epoch a time lies in. `now`: ms since 1970-01-01 UTC. */
export function trustEpoch(now: number): number {
  return Math.floor(now / TRUST_EPOCH_MS);
}

const timeSchema = z.number().int().nonnegative();
const epochSchema = z.number().int().nonnegative();

/**
 * "This key is a patient of ours in this community, once." Signed by a hospital that the community admits.
 *
 * The pseudonym is the hospital's keyed hash of patient and community, so that the same patient gets the same one again,
 * with a lost key as with a bad name. The hospital knows who is behind it; it was there. Everybody else sees a
 * pseudonym that differs in each community. It is not blind: hospital and community together can name the patient,
 * and whoever sees the account that registers a credential can too, which is why a community is entered with the
 * credential's key and never with a session. Two hospitals can each admit the same patient.
 */
export const CREDENTIAL = {
  typ: "medcloudlet-community-credential",
  schema: z
    .strictObject({
      issuer: idSchema,
      community: idSchema,
      pseudonym: idSchema,
      /** Signs receipts and feedback under the pseudonym; made for this community alone. */
      signingKey: signingKeySchema,
      /** Clinicians are where the trust of a community comes from (EigenTrust's seeds); the hospital knows who is one. */
      standing: z.enum(["patient", "clinician"]),
      /** SHA-256 over a salt and the confirmed codes; opened in a dispute. */
      conditions: digestSchema,
      from: timeSchema,
      until: timeSchema,
    })
    .refine((credential) => credential.until > credential.from, "until must lie after from"),
};
export type Credential = z.infer<typeof CREDENTIAL.schema>;

/**
 * "We two exchanged this message." The very same payload signed by both: by the asker when the question goes out, by the
 * answerer when the answer does, and a relay passes neither on without. So neither can hold a signature back to
 * escape being rated.
 */
export const RECEIPT = {
  typ: "medcloudlet-exchange-receipt",
  schema: z
    .strictObject({
      exchange: idSchema,
      community: idSchema,
      epoch: epochSchema,
      asker: idSchema,
      answerer: idSchema,
      /** SHA-256 of the asker's signed statement about the question, so that the receipt belongs to one message. */
      question: digestSchema,
    })
    .refine((receipt) => receipt.asker !== receipt.answerer, "nobody exchanges with themselves"),
};
export type Receipt = z.infer<typeof RECEIPT.schema>;

/** "That exchange was good", or was not. Signed by one of the two who exchanged. */
export const FEEDBACK = {
  typ: "medcloudlet-feedback",
  schema: z
    .strictObject({
      exchange: idSchema,
      community: idSchema,
      epoch: epochSchema,
      rater: idSchema,
      target: idSchema,
      good: z.boolean(),
    })
    .refine((feedback) => feedback.rater !== feedback.target, "nobody rates themselves"),
};
export type Feedback = z.infer<typeof FEEDBACK.schema>;

/** A receipt as it travels: the same statement by both. */
export interface SignedReceipt {
  readonly byAsker: string;
  readonly byAnswerer: string;
}

/**
 * Checks a credential against the hospitals a community admits, and its time.
 * @param issuers signing keys by issuer id
 * @throws MedcloudletError `CREDENTIAL_ISSUER_UNKNOWN` (403), `STATEMENT_INVALID` (400), `CREDENTIAL_EXPIRED` (403)
 */
export async function verifyCredential(
  statement: string,
  issuers: ReadonlyMap<string, Bytes>,
  now: number,
): Promise<Credential> {
  const credential = await verifyByNamedIssuer(statement, issuers);
  if (now < credential.from || now >= credential.until) {
    throw new MedcloudletError(
      "CREDENTIAL_EXPIRED",
      "The credential is not valid now: ask the hospital for a new one.",
      { status: 403 },
    );
  }
  return credential;
}

/** Tries the admitted hospitals one after the other: there are few, and the payload is believed only once it verifies. */
async function verifyByNamedIssuer(
  statement: string,
  issuers: ReadonlyMap<string, Bytes>,
): Promise<Credential> {
  let failure: unknown;
  for (const [issuer, key] of issuers) {
    try {
      const credential: Credential = await verifyStatement(CREDENTIAL, statement, key);
      if (credential.issuer === issuer) {
        return credential;
      }
    } catch (cause) {
      failure = cause;
    }
  }
  throw new MedcloudletError(
    "CREDENTIAL_ISSUER_UNKNOWN",
    "No hospital that this community admits has signed this credential as it stands.",
    { status: 403, cause: failure },
  );
}

/**
 * Checks that both parties signed the same receipt.
 * @throws MedcloudletError `STATEMENT_INVALID`, `RECEIPT_MISMATCH` (400) when the two signed different things or one
 *   credential is not the party's
 */
export async function verifyReceipt(
  receipt: SignedReceipt,
  parties: { readonly asker: Credential; readonly answerer: Credential },
): Promise<Receipt> {
  const { asker, answerer } = parties;
  const asked: Receipt = await verifyStatement(RECEIPT, receipt.byAsker, fromBase64Url(asker.signingKey));
  const answered: Receipt = await verifyStatement(
    RECEIPT,
    receipt.byAnswerer,
    fromBase64Url(answerer.signingKey),
  );
  const same = (Object.keys(asked) as (keyof Receipt)[]).every((field) => asked[field] === answered[field]);
  const theirs =
    asked.asker === asker.pseudonym &&
    asked.answerer === answerer.pseudonym &&
    asked.community === asker.community &&
    asked.community === answerer.community;
  if (!same || !theirs) {
    throw new MedcloudletError("RECEIPT_MISMATCH", "The receipt is not one exchange signed by these two.", {
      status: 400,
    });
  }
  return asked;
}

/**
 * Checks a feedback and the receipt it rests on: signed by the rater, about the other party of that exchange, in its
 * community and epoch.
 * @throws MedcloudletError `STATEMENT_INVALID`, `RECEIPT_MISMATCH`, `FEEDBACK_MISMATCH` (400)
 */
export async function verifyFeedback(
  statement: string,
  receipt: SignedReceipt,
  parties: { readonly asker: Credential; readonly answerer: Credential },
  rater: Credential,
): Promise<Feedback> {
  const exchanged = await verifyReceipt(receipt, parties);
  const feedback: Feedback = await verifyStatement(FEEDBACK, statement, fromBase64Url(rater.signingKey));
  const bothWays =
    (feedback.rater === exchanged.asker && feedback.target === exchanged.answerer) ||
    (feedback.rater === exchanged.answerer && feedback.target === exchanged.asker);
  const fits =
    bothWays &&
    feedback.rater === rater.pseudonym &&
    feedback.exchange === exchanged.exchange &&
    feedback.community === exchanged.community &&
    feedback.epoch === exchanged.epoch;
  if (!fits) {
    throw new MedcloudletError(
      "FEEDBACK_MISMATCH",
      "The feedback is not about the exchange of its receipt, or not by one of the two.",
      { status: 400 },
    );
  }
  return feedback;
}
