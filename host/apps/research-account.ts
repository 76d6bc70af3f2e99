import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Secret, TOTP } from "otpauth";
import { z } from "zod";
import {
  type Bytes,
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  toBase64Url,
  utf8,
} from "../base/index.ts";
import {
  createKdcClient,
  type HttpClient,
  type KdcSession,
  lockWith,
  openIdentity,
  type PersonKeys,
  unlockKeystore,
  unlockWith,
} from "../client/index.ts";
import type { SealingSuite } from "../sealing/index.ts";

/** The researcher's account that a service reads with. */
export interface ResearchAccount {
  readonly accountId: string;
  readonly handle: string;
  readonly keys: PersonKeys;
  /** A session that is in force now. @throws MedcloudletError the KDC's refusals */
  session(): Promise<KdcSession>;
}

const STEP_MS = 30_000;
/** A session that ends while it is worked with would be of no use. */
const LEAST_LEFT_MS = 10 * 60_000;
/** Asked so often whether the session is in force still; it ends after half an hour without a request. */
const ASK_EVERY_MS = 60_000;

const invalid = (why: string, cause?: unknown) =>
  new MedcloudletError("CONFIG_INVALID", why, { status: 400, cause });

/**
 * Unlocks the keystore of the service's account, which `medcloudlet keys register` made. Password and secret of the second
 * factor lie on the service's machine, since nobody is there to type: who has that machine has the account.
 * @throws MedcloudletError `CONFIG_INVALID`, `KEYSTORE_PASSPHRASE`, `KEYSTORE_MALFORMED`
 */
export async function openResearchAccount(options: {
  readonly keystoreFile: string;
  readonly passphrase: string;
  readonly password: string;
  /** Base32, as the KDC showed it. */
  readonly secondFactor: string;
  /** Where the session is kept, locked with the account's key: a restart needs no code. */
  readonly sessionFile: string;
  readonly kdcUrl: string;
  readonly suite: SealingSuite;
  readonly http: HttpClient;
  readonly clock: Clock;
}): Promise<ResearchAccount> {
  const { suite, http, clock, kdcUrl, password } = options;
  const text = await readFile(options.keystoreFile, "utf8").catch((cause) => {
    throw invalid(
      `The keystore ${options.keystoreFile} cannot be read: register the service's account with \`medcloudlet keys register\`, role researcher.`,
      cause,
    );
  });
  const { accountId, handle, role, signingSeed, receivingKey } = await unlockKeystore(
    text,
    options.passphrase,
  );
  if (role !== "researcher") {
    throw invalid(
      `The keystore ${options.keystoreFile} is of a ${role}; patients consent to research with a researcher.`,
    );
  }
  const totp = totpOf(options.secondFactor);
  const keys = await openIdentity(suite, {
    signingSeed: fromBase64Url(signingSeed),
    receivingKey: fromBase64Url(receivingKey),
  });
  const kdc = createKdcClient({ http, url: kdcUrl, accountKey: keys.signing });
  const place = { file: options.sessionFile, key: fromBase64Url(signingSeed) };
  let known = await readKept(place);
  let current: KdcSession | undefined;
  let askedAt = 0;

  /** Each code opens once: where this half minute's is used up, the KDC takes the next one's. */
  const login = async (): Promise<KdcSession> => {
    const step = Math.floor(clock.now() / STEP_MS);
    const tryWith = (at: number) =>
      kdc.login(handle, password, {
        code: totp.generate({ timestamp: at * STEP_MS }),
        ...(typeof known?.deviceToken === "string" ? { deviceToken: known.deviceToken } : {}),
      });
    const session = await tryWith(step).catch((error) => {
      if (isMedcloudletError(error, "SECOND_FACTOR_INVALID")) {
        return tryWith(step + 1);
      }
      throw error;
    });
    const { token, expiresAt } = session;
    known = { token, expiresAt, deviceToken: session.deviceToken ?? known?.deviceToken ?? null };
    await keep(place, known);
    return session;
  };

  return {
    accountId,
    handle,
    keys,
    async session() {
      const now = clock.now();
      if (current !== undefined && now - askedAt < ASK_EVERY_MS) {
        return current;
      }
      current = undefined;
      if (known !== null && known.expiresAt - now > LEAST_LEFT_MS) {
        current = await kdc.resume(known).catch((error) => {
          if (isMedcloudletError(error, "SESSION_INVALID")) {
            return undefined;
          }
          throw error;
        });
      }
      current ??= await login();
      askedAt = now;
      return current;
    },
  };
}

const KEPT = z.strictObject({ token: z.string(), expiresAt: z.number(), deviceToken: z.string().nullable() });
type Kept = z.infer<typeof KEPT>;
const LABEL = "medcloudlet research session v1";

interface Place {
  readonly file: string;
  readonly key: Bytes;
}

/** The session of the last start; null where there is none, or none that can be read: a login makes another. */
async function readKept({ file, key }: Place): Promise<Kept | null> {
  try {
    const opened = await unlockWith(key, LABEL, fromBase64Url((await readFile(file, "utf8")).trim()));
    return KEPT.parse(JSON.parse(new TextDecoder().decode(opened ?? undefined)));
  } catch {
    return null;
  }
}

async function keep({ file, key }: Place, kept: Kept): Promise<void> {
  const locked = await lockWith(key, LABEL, utf8(JSON.stringify(kept)));
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, `${toBase64Url(locked)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function totpOf(secret: string): TOTP {
  try {
    return new TOTP({ secret: Secret.fromBase32(secret.replace(/\s/g, "")) });
  } catch (cause) {
    throw invalid("MEDCLOUDLET_RESEARCH_SECOND_FACTOR is not the base32 secret of a second factor.", cause);
  }
}
