import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { z } from "zod";
import {
  type Bytes,
  type Clock,
  concatBytes,
  equalBytes,
  fromBase64Url,
  fromHex,
  MedcloudletError,
  randomBytes,
  toBase64Url,
  toHex,
  utf8,
} from "../../base/index.ts";
import {
  bytesSchema,
  digestSchema,
  idSchema,
  type SealingSuite,
  type SigningKey,
  signStatement,
} from "../../sealing/index.ts";
import {
  ATTESTED_SEED_BYTES,
  ATTESTED_SET,
  blindSet,
  CREDENTIAL,
  type Credential,
  confirmedCode,
  verifyAttestedSet,
  verifyCredential,
} from "../../trust/index.ts";
import type { PersonKeys } from "../person-keys.ts";
import { deriveSecret } from "../small-lock.ts";
import { readApplication } from "./application.ts";

const INFO = utf8("medcloudlet community admission v1");
const SALT_BYTES = 32;
const MOST_CODES = 32;
const DAY_MS = 24 * 60 * 60 * 1000;

const FILE = z.strictObject({
  format: z.literal("medcloudlet-admission-1"),
  community: idSchema,
  enc: bytesSchema(962),
  ciphertext: bytesSchema(16, 65_536),
});
/** A set as the hospital signed it, and the seed that it was blinded with. */
const ATTESTED = z.strictObject({ statement: z.string().max(8_192), seed: bytesSchema(ATTESTED_SEED_BYTES) });
const CONTENTS = z.strictObject({
  credential: z.string().max(4096),
  salt: bytesSchema(SALT_BYTES),
  codes: z
    .array(z.strictObject({ code: z.string().min(1).max(128), confirmed: digestSchema }))
    .min(1)
    .max(MOST_CODES),
  /** The same codes, blinded and signed, for helping strangers in an emergency; admissions of before have none. */
  attested: ATTESTED.optional(),
});

/** What a hospital knows of a community and the community does not: 32 bytes each. */
export interface IssuerSecrets {
  /** Makes pseudonyms; the hospital's own. */
  readonly pseudonymKey: Bytes;
  /** Makes confirmed codes; the same at every hospital of the community, or their patients never match. */
  readonly codeKey: Bytes;
}

/**
 * A hospital's secrets in a community. They follow from the doctor's key (HKDF-SHA256), so that there is nothing more
 * to lose; the code key is another hospital's where that was handed over.
 */
export function issuerSecrets(signingSeed: Bytes, community: string, codeKey?: Bytes): IssuerSecrets {
  return {
    pseudonymKey: deriveSecret(signingSeed, `medcloudlet community pseudonyms v1 ${community}`),
    codeKey: codeKey ?? deriveSecret(signingSeed, `medcloudlet community codes v1 ${community}`),
  };
}

/**
 * The pseudonym of a patient of a hospital in a community: the first 16 bytes of HMAC-SHA-256 under the hospital's
 * secret, as hex. Whoever comes back, with a lost key as with a bad name, gets the same one again.
 * @param patient how the hospital names the patient: a record number, never reused
 */
function pseudonymOf(pseudonymKey: Bytes, community: string, patient: string): string {
  const label = `medcloudlet community pseudonym v1 ${community} ${patient.normalize("NFC").trim()}`;
  return toHex(hmac(sha256, pseudonymKey, utf8(label)).subarray(0, 16));
}

/** What a credential commits to: SHA-256 over salt and confirmed codes in order, opened in a dispute alone. */
function conditionsDigest(salt: Bytes, confirmed: readonly string[]): string {
  return toHex(sha256(concatBytes(salt, ...[...confirmed].sort().map(fromHex))));
}

/** A patient (or clinician) let into a community: a file for them, which only their key opens. */
export interface Admission {
  readonly pseudonym: string;
  readonly until: number;
  readonly file: string;
}

/** Diagnoses, each with what the hospitals' code key makes of it. @throws MedcloudletError `ADMISSION_CODES` (400) */
function confirm(given: readonly string[], secrets: IssuerSecrets) {
  const codes = [...new Set(given.map((code) => code.trim()))];
  if (
    codes.length < 1 ||
    codes.length > MOST_CODES ||
    codes.some((code) => code.length < 1 || code.length > 128)
  ) {
    throw new MedcloudletError(
      "ADMISSION_CODES",
      `Confirm 1 to ${MOST_CODES} codes of 1 to 128 characters: those that the community is about.`,
      { status: 400 },
    );
  }
  return codes.map((code) => ({ code, confirmed: confirmedCode(secrets.codeKey, code) }));
}

/** The file that only the applicant's key opens: diagnoses are in it, and it may travel by any way. */
async function sealTo(
  receivingKey: string,
  what: {
    readonly suite: SealingSuite;
    readonly community: string;
    readonly contents: z.infer<typeof CONTENTS>;
  },
): Promise<string> {
  const { suite, community, contents } = what;
  const sealed = await suite.seal(
    fromBase64Url(receivingKey),
    INFO,
    fromHex(community),
    utf8(JSON.stringify(contents)),
  );
  const file = FILE.parse({
    format: "medcloudlet-admission-1",
    community,
    enc: toBase64Url(sealed.enc),
    ciphertext: toBase64Url(sealed.ciphertext),
  });
  return JSON.stringify(file);
}

/**
 * Lets somebody in, as a doctor of an admitted hospital who knows them and has seen their diagnoses.
 * @throws MedcloudletError `STATEMENT_INVALID`, `APPLICATION_COMMUNITY` (409), `ADMISSION_CODES` (400)
 */
export async function admitMember(input: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly issuer: { readonly id: string; readonly key: SigningKey; readonly secrets: IssuerSecrets };
  readonly community: string;
  readonly application: string;
  readonly patient: string;
  /** Diagnoses that the doctor confirms (SNOMED CT or ICD-10 codes as opaque strings). */
  readonly codes: readonly string[];
  readonly standing: Credential["standing"];
  readonly days: number;
}): Promise<Admission> {
  const { suite, clock, issuer, community } = input;
  const application = await readApplication(input.application);
  if (application.community !== community) {
    throw new MedcloudletError(
      "APPLICATION_COMMUNITY",
      "This application is for another community: ask for one made with this community's id.",
      { status: 409 },
    );
  }
  const confirmed = confirm(input.codes, issuer.secrets);
  const digests = confirmed.map((entry) => entry.confirmed);
  const salt = randomBytes(SALT_BYTES);
  const pseudonym = pseudonymOf(issuer.secrets.pseudonymKey, community, input.patient);
  const from = clock.now();
  const until = from + input.days * DAY_MS;
  const credential = await signStatement(
    CREDENTIAL,
    {
      issuer: issuer.id,
      community,
      pseudonym,
      signingKey: application.signingKey,
      standing: input.standing,
      conditions: conditionsDigest(salt, digests),
      from,
      until,
    },
    issuer.key,
  );
  const seed = randomBytes(ATTESTED_SEED_BYTES);
  const points = blindSet(digests, seed);
  const set = await signStatement(
    ATTESTED_SET,
    {
      ...{ issuer: issuer.id, community, pseudonym, signingKey: application.signingKey },
      ...{ points: toBase64Url(points), from, until },
    },
    issuer.key,
  );
  const contents = CONTENTS.parse({
    credential,
    salt: toBase64Url(salt),
    codes: confirmed,
    attested: { statement: set, seed: toBase64Url(seed) },
  });
  const file = await sealTo(application.receivingKey, { suite, community, contents });
  return { pseudonym, until, file };
}

/** What a member takes out of an admission. */
export interface OpenedAdmission {
  readonly credential: Credential;
  /** The credential as signed. */
  readonly statement: string;
  readonly salt: string;
  /** Own codes and what to compare in their place. */
  readonly codes: readonly { readonly code: string; readonly confirmed: string }[];
  /** For helping in emergencies; null in admissions of before. */
  readonly attested: { readonly statement: string; readonly seed: string } | null;
}

/**
 * Opens an admission and checks that it is what it says: by a hospital of the community, for these keys, and that the
 * credential commits to the very codes in it.
 * @throws MedcloudletError `ADMISSION_MALFORMED` (400), `CREDENTIAL_ISSUER_UNKNOWN`,
 *   `CREDENTIAL_EXPIRED`, `ADMISSION_MISMATCH` (409)
 */
export async function openAdmission(input: {
  readonly keys: PersonKeys;
  readonly community: string;
  readonly issuers: ReadonlyMap<string, Bytes>;
  readonly file: string;
  readonly now: number;
}): Promise<OpenedAdmission> {
  const { keys, community } = input;
  const file = parseFile(input.file);
  if (file.community !== community) {
    throw mismatch("it is for another community");
  }
  const sealed = { enc: fromBase64Url(file.enc), ciphertext: fromBase64Url(file.ciphertext) };
  const opened = await keys.receiving.open(sealed, INFO, fromHex(community)).catch((cause) => {
    throw mismatch("it was sealed to other keys than yours", cause);
  });
  const parsed = CONTENTS.safeParse(jsonOf(new TextDecoder().decode(opened)));
  if (!parsed.success) {
    throw malformed(parsed.error);
  }
  const { credential: statement, salt, codes, attested = null } = parsed.data;
  const credential = await verifyCredential(statement, input.issuers, input.now);
  if (credential.community !== community) {
    throw mismatch("its credential is for another community");
  }
  if (credential.signingKey !== toBase64Url(keys.signing.publicKey)) {
    throw mismatch("its credential is for another key");
  }
  const digest = conditionsDigest(
    fromBase64Url(salt),
    codes.map(({ confirmed }) => confirmed),
  );
  if (credential.conditions !== digest) {
    throw mismatch("its credential commits to other codes");
  }
  if (attested !== null) {
    const issuerKey = input.issuers.get(credential.issuer) as Bytes;
    const signed = await verifyAttestedSet(attested.statement, credential, issuerKey, input.now);
    const own = blindSet(
      codes.map(({ confirmed }) => confirmed),
      fromBase64Url(attested.seed),
    );
    if (!equalBytes(signed, own)) {
      throw mismatch("its confirmed set is of other codes");
    }
  }
  return { credential, statement, salt, codes, attested };
}

function parseFile(text: string): z.infer<typeof FILE> {
  const parsed = FILE.safeParse(jsonOf(text));
  if (!parsed.success) {
    throw malformed(parsed.error);
  }
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function malformed(cause: unknown): MedcloudletError {
  return new MedcloudletError(
    "ADMISSION_MALFORMED",
    "This is no admission, or it is damaged: ask the doctor again.",
    { status: 400, cause },
  );
}

function mismatch(why: string, cause?: unknown): MedcloudletError {
  return new MedcloudletError(
    "ADMISSION_MISMATCH",
    `The admission does not fit: ${why}. Apply anew and hand the new application to your doctor.`,
    { status: 409, cause },
  );
}
