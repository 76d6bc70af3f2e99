import { CompactSign, compactVerify } from "jose";
import type { z } from "zod";
import { type Bytes, equalBytes, fromBase64Url, MedcloudletError, utf8 } from "../base/index.ts";
import { importVerifyingKey, type SigningKey } from "./signing.ts";

/**
 * A kind of signed statement: the `typ` of its JWS header (RFC 7515, section 4.1.9) and the schema of its payload.
 * The `typ` keeps kinds apart: a consent can never pass for an epoch, whoever signed it.
 */
export interface StatementKind<T> {
  readonly typ: string;
  readonly schema: z.ZodType<T>;
}

/** Signs a payload as a compact JWS (RFC 7515) with Ed25519 (RFC 8037). */
export function signStatement<T>(kind: StatementKind<T>, payload: T, key: SigningKey): Promise<string> {
  return new CompactSign(utf8(JSON.stringify(kind.schema.parse(payload))))
    .setProtectedHeader({ alg: "EdDSA", typ: kind.typ })
    .sign(key.privateKey);
}

/**
 * Checks kind, signature and schema of a statement and gives its payload.
 * @throws MedcloudletError `STATEMENT_INVALID`
 */
export async function verifyStatement<T>(
  kind: StatementKind<T>,
  statement: string,
  signer: Bytes,
): Promise<T> {
  const refuse = (why: string, cause?: unknown) =>
    new MedcloudletError("STATEMENT_INVALID", `The ${kind.typ} statement is not valid: ${why}.`, {
      status: 400,
      cause,
    });
  if (partsOf(statement) === null) {
    throw refuse("it is not a compact JWS");
  }
  let verified: Awaited<ReturnType<typeof compactVerify>>;
  try {
    verified = await compactVerify(statement, await importVerifyingKey(signer), { algorithms: ["EdDSA"] });
  } catch (cause) {
    throw refuse("its signature does not fit the signer", cause);
  }
  const { alg, typ, ...others } = verified.protectedHeader;
  if (typ !== kind.typ) {
    throw refuse("it is a statement of another kind");
  }
  if (Object.keys(others).length > 0) {
    throw refuse("its header says more than algorithm and kind");
  }
  return readPayload(kind, verified.payload, refuse);
}

/**
 * Checks a statement that carries its signer's key in its own payload, such as an identity.
 * @throws MedcloudletError `STATEMENT_INVALID`
 */
export async function verifySelfSigned<T>(
  kind: StatementKind<T>,
  statement: string,
  signerOf: (payload: T) => Bytes,
): Promise<T> {
  const refuse = (why: string) =>
    new MedcloudletError("STATEMENT_INVALID", `The ${kind.typ} statement is not valid: ${why}.`, {
      status: 400,
    });
  const parts = partsOf(statement);
  if (parts === null) {
    throw refuse("it is not a compact JWS");
  }
  const signer = signerOf(readPayload(kind, parts[1], refuse));
  const payload = await verifyStatement(kind, statement, signer);
  if (!equalBytes(signerOf(payload), signer)) {
    throw refuse("it is not signed by the key it names");
  }
  return payload;
}

/**
 * The payload of a statement whose signature is NOT checked: for a caller who knows by other means what it must say,
 * such as a fingerprint that they signed themselves.
 * @throws MedcloudletError `STATEMENT_INVALID`
 */
export function unverifiedPayload<T>(kind: StatementKind<T>, statement: string): T {
  const refuse = (why: string) =>
    new MedcloudletError("STATEMENT_INVALID", `The ${kind.typ} statement is not valid: ${why}.`, {
      status: 400,
    });
  const parts = partsOf(statement);
  if (parts === null) {
    throw refuse("it is not a compact JWS");
  }
  return readPayload(kind, parts[1], refuse);
}

/** Header, payload and signature, or null: each part has one spelling, so that a statement has one too. */
function partsOf(statement: string): [Bytes, Bytes, Bytes] | null {
  try {
    const [header, payload, signature, ...others] = statement.split(".").map(fromBase64Url);
    const whole = header !== undefined && payload !== undefined && signature !== undefined;
    return whole && others.length === 0 ? [header, payload, signature] : null;
  } catch {
    return null;
  }
}

function readPayload<T>(
  kind: StatementKind<T>,
  raw: Uint8Array,
  refuse: (why: string) => MedcloudletError,
): T {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw));
  } catch {
    throw refuse("its payload is not JSON");
  }
  const parsed = kind.schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw refuse(`${issue?.path.join(".") || "payload"}: ${issue?.message ?? "unexpected"}`);
  }
  return parsed.data;
}
