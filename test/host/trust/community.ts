import { type Bytes, randomBytes, toBase64Url, toHex } from "../../../host/base/index.ts";
import { type SigningKey, signStatement } from "../../../host/sealing/index.ts";
import {
  CREDENTIAL,
  type Credential,
  FEEDBACK,
  type Feedback,
  RECEIPT,
  type Receipt,
  type SignedReceipt,
  trustEpoch,
} from "../../../host/trust/index.ts";
import { newSigningKey } from "../sealing/fixtures.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
export const someId = () => toHex(randomBytes(16));
export const NOW = 1_800_000_000_000;

/** A patient under a pseudonym, with the key and the credential. */
export interface Member {
  readonly key: SigningKey;
  readonly credential: Credential;
  readonly statement: string;
}

/** A community with one hospital. */
export async function newCommunity() {
  const hospital = await newSigningKey();
  const issuer = someId();
  const community = someId();
  const issuers: ReadonlyMap<string, Bytes> = new Map([[issuer, hospital.publicKey]]);

  async function admit(changes: Partial<Credential> = {}, by = hospital): Promise<Member> {
    const key = await newSigningKey();
    const credential: Credential = {
      issuer,
      community,
      pseudonym: someId(),
      signingKey: toBase64Url(key.publicKey),
      standing: "patient",
      conditions: toHex(randomBytes(32)),
      from: NOW - DAY_MS,
      until: NOW + 365 * DAY_MS,
      ...changes,
    };
    return { key, credential, statement: await signStatement(CREDENTIAL, credential, by) };
  }
  return { hospital, issuer, community, issuers, admit };
}

/** A receipt both signed; `changes` are what the answerer signs differently, `both` what stands in both. */
export async function exchange(
  asker: Member,
  answerer: Member,
  changes: Partial<Receipt> = {},
  both: Partial<Receipt> = {},
): Promise<{ receipt: Receipt; signed: SignedReceipt }> {
  const receipt: Receipt = {
    exchange: someId(),
    community: asker.credential.community,
    epoch: trustEpoch(NOW),
    asker: asker.credential.pseudonym,
    answerer: answerer.credential.pseudonym,
    question: toHex(randomBytes(32)),
    ...both,
  };
  const signed = {
    byAsker: await signStatement(RECEIPT, receipt, asker.key),
    byAnswerer: await signStatement(RECEIPT, { ...receipt, ...changes }, answerer.key),
  };
  return { receipt, signed };
}

/** The asker's word on an exchange, or with `changes` something else. */
export async function feedback(receipt: Receipt, good: boolean, by: Member, changes: Partial<Feedback> = {}) {
  const mine = by.credential.pseudonym;
  return signStatement(
    FEEDBACK,
    {
      exchange: receipt.exchange,
      community: receipt.community,
      epoch: receipt.epoch,
      rater: mine,
      target: receipt.asker === mine ? receipt.answerer : receipt.asker,
      good,
      ...changes,
    },
    by.key,
  );
}
