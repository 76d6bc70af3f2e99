import { z } from "zod";
import {
  type Bytes,
  type Clock,
  fromBase64Url,
  MedcloudletError,
  randomBytes,
  toHex,
} from "../base/index.ts";
import {
  fingerprint,
  GUARDIAN_SHARE,
  GUARDIANS,
  type Guardians,
  identityKeys,
  idSchema,
  type SealingSuite,
  signStatement,
  verifyIdentity,
  verifyStatement,
} from "../sealing/index.ts";
import type { Reauthentication } from "./account.ts";
import {
  combineShares,
  createShareSealing,
  openGuardianShare,
  openReturnedShare,
  splitCode,
} from "./guardian-shares.ts";
import type { KdcClient, KdcSession } from "./kdc-client.ts";
import type { KeystoreContents } from "./keystore.ts";
import { handleSchema } from "./known-account.ts";
import { type PersonKeys, personFingerprint } from "./person-keys.ts";
import { lockForRecovery } from "./recovery.ts";
import { newRecoveryCode, recoveryVerifier } from "./recovery-code.ts";

/** What a future guardian hands to the owner, by whatever way: nobody can look patients up at the KDC. */
export const CONTACT_CARD = z.strictObject({
  accountId: idSchema,
  handle: handleSchema,
  identity: z.string().max(16_384),
});
export type ContactCard = z.infer<typeof CONTACT_CARD>;

const REQUEST = z.object({
  requestId: idSchema,
  fingerprint: z.string(),
  createdAt: z.number(),
  expiresAt: z.number(),
  state: z.enum(["open", "vetoed"]),
  answers: z.number(),
});
const REQUESTS = z.object({
  own: z.array(REQUEST),
  toAnswer: z.array(
    REQUEST.extend({
      owner: z.object({ accountId: idSchema, handle: z.string(), role: z.string(), identity: z.string() }),
      set: z.string(),
      identity: z.string(),
    }),
  ),
});
const NAMED = z.object({ statement: z.string().nullable() });
const OPENED = z.object({ requestId: idSchema, expiresAt: z.number() });
const SHARES = z.object({ state: z.enum(["open", "vetoed"]), shares: z.array(z.string()) });

/** A request as its owner sees it, who can still veto it. */
export type OwnRecoveryRequest = z.infer<typeof REQUEST>;
/** A request as the KDC tells a guardian; verified when it is answered. */
export type AskedShare = z.infer<typeof REQUESTS>["toAnswer"][number];

/** The fingerprint of somebody's contact card, to compare with them. @throws MedcloudletError `STATEMENT_INVALID` */
export async function cardFingerprint(card: ContactCard): Promise<string> {
  return fingerprint(identityKeys(await verifyIdentity(card.identity)));
}

/**
 * Names guardians: makes a code that nobody sees, splits it among them, and signs the choice. The fingerprints of the
 * cards must have been compared.
 * @throws MedcloudletError `GUARDIAN_UNKNOWN`, `PASSWORD_WRONG`, `SECOND_FACTOR_*`
 */
export async function nameGuardians(input: {
  readonly session: KdcSession;
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly keys: PersonKeys;
  readonly contents: KeystoreContents;
  readonly cards: readonly ContactCard[];
  readonly threshold: number;
  readonly given: Reauthentication;
}): Promise<void> {
  const { session, suite, clock, keys, contents, cards, threshold, given } = input;
  const owner = session.account.accountId;
  const setId = toHex(randomBytes(16));
  const code = newRecoveryCode();
  const shares = await splitCode(code, cards.length, threshold);
  const guardians = [];
  for (const [i, card] of cards.entries()) {
    const { receivingKey } = identityKeys(await verifyIdentity(card.identity));
    const guardian = card.accountId;
    const sealed = await createShareSealing(suite).toGuardian(
      { owner, setId, guardian },
      receivingKey,
      shares[i] as Bytes,
    );
    guardians.push({ guardian, fingerprint: await cardFingerprint(card), ...sealed });
  }
  const statement = await signStatement(
    GUARDIANS,
    { setId, owner, threshold, guardians, createdAt: clock.now() },
    keys.signing,
  );
  const locked = await lockForRecovery(code, contents);
  const json = { ...given, statement, verifier: recoveryVerifier(code), locked };
  code.fill(0);
  await session.call(z.unknown(), { method: "PUT", path: "/guardians", json });
}

/**
 * Does without guardians from now on: what they hold is worth nothing, also for a request that is under way.
 * @throws MedcloudletError `PASSWORD_WRONG`, `SECOND_FACTOR_*`
 */
export async function withdrawGuardians(session: KdcSession, given: Reauthentication): Promise<void> {
  await session.call(z.null(), { method: "POST", path: "/guardians/withdrawal", json: given });
}

/**
 * The guardians in force, as this person signed them; null where none were named.
 * @throws MedcloudletError `STATEMENT_INVALID`
 */
export async function namedGuardians(
  session: KdcSession,
  keys: PersonKeys,
): Promise<Pick<Guardians, "threshold" | "createdAt" | "guardians"> | null> {
  const { statement } = await session.call(NAMED, { method: "GET", path: "/guardians" });
  return statement === null ? null : verifyStatement(GUARDIANS, statement, keys.signing.publicKey);
}

/** Requests for this person's own account, and those that wait for this person's share. */
export function recoveryRequests(
  session: KdcSession,
): Promise<{ own: OwnRecoveryRequest[]; toAnswer: AskedShare[] }> {
  return session.call(REQUESTS, { method: "GET", path: "/recovery-requests" });
}

/** As the owner: "that was not me". @throws MedcloudletError `RECOVERY_REQUEST_UNKNOWN` */
export async function vetoRecovery(session: KdcSession, requestId: string): Promise<void> {
  await session.call(z.null(), { method: "DELETE", path: `/recovery-requests/${requestId}` });
}

/**
 * As a guardian: seals this guardian's share to the requester's temporary key. The KDC is not believed: the share
 * is the owner's by signature, and the key is the one whose fingerprint the guardian compared with the person.
 * @throws MedcloudletError `RECOVERY_REQUESTER_CHANGED`, `STATEMENT_INVALID`, `SEALED_OPEN_FAILED`
 */
export async function giveShare(input: {
  readonly session: KdcSession;
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly keys: PersonKeys;
  readonly asked: AskedShare;
  /** Fingerprint of the temporary identity as the person told it. */
  readonly expectedFingerprint: string;
}): Promise<void> {
  const { session, suite, clock, keys, asked, expectedFingerprint } = input;
  const { requestId } = asked;
  const guardian = session.account.accountId;
  const requester = identityKeys(await verifyIdentity(asked.identity));
  if (fingerprint(requester) !== expectedFingerprint) {
    throw new MedcloudletError(
      "RECOVERY_REQUESTER_CHANGED",
      "The request is not by the one who told you this fingerprint: give nothing, and warn the owner.",
      { status: 409 },
    );
  }
  const ownerKey = identityKeys(await verifyIdentity(asked.owner.identity)).signingKey;
  const { owner, setId, guardians } = await verifyStatement(GUARDIANS, asked.set, ownerKey);
  const own = guardians.find((candidate) => candidate.guardian === guardian);
  if (own === undefined || own.fingerprint !== personFingerprint(keys) || owner !== asked.owner.accountId) {
    throw new MedcloudletError("GUARDIAN_UNKNOWN", "The owner did not name you a guardian.", { status: 502 });
  }
  const share = await openGuardianShare(keys.receiving, { owner, setId, guardian }, own);
  const sealed = await createShareSealing(suite).toRequester(
    { requestId, guardian },
    requester.receivingKey,
    share,
  );
  const statement = await signStatement(
    GUARDIAN_SHARE,
    {
      requestId,
      setId,
      owner,
      guardian,
      requesterFingerprint: expectedFingerprint,
      ...sealed,
      createdAt: clock.now(),
    },
    keys.signing,
  );
  await session.call(z.unknown(), {
    method: "POST",
    path: `/recovery-requests/${requestId}/shares`,
    json: { statement },
  });
}

/** As somebody who lost everything: asks the guardians of a handle. The answer is the same for every handle. */
export function requestRecovery(
  kdc: KdcClient,
  handle: string,
  identity: string,
): Promise<{ requestId: string; expiresAt: number }> {
  return kdc.call(OPENED, { method: "POST", path: "/recovery-requests", json: { handle, identity } });
}

/**
 * The code, once enough guardians gave their shares.
 * @throws MedcloudletError `RECOVERY_SHARES_FEW`, `RECOVERY_VETOED`, `RECOVERY_REQUEST_UNKNOWN`
 */
export async function collectCode(kdc: KdcClient, requestId: string, keys: PersonKeys): Promise<Bytes> {
  const { state, shares } = await kdc.call(SHARES, {
    method: "GET",
    path: `/recovery-requests/${requestId}/shares`,
    key: keys.signing,
  });
  if (state === "vetoed") {
    throw new MedcloudletError("RECOVERY_VETOED", "The account's owner refused this recovery.", {
      status: 403,
    });
  }
  const opened: Bytes[] = [];
  for (const statement of shares) {
    // Not verified: the requester knows no guardian's key. A wrong share shows by the commitment in the others.
    const payload = new TextDecoder().decode(fromBase64Url(statement.split(".")[1] ?? ""));
    const share = GUARDIAN_SHARE.schema.safeParse(JSON.parse(payload));
    if (share.success) {
      const { guardian } = share.data;
      const packed = await openReturnedShare(keys.receiving, { requestId, guardian }, share.data).catch(
        () => null,
      );
      opened.push(...(packed === null ? [] : [packed]));
    }
  }
  return combineShares(opened);
}
