import { readFile } from "node:fs/promises";
import { Secret, TOTP } from "otpauth";
import { type Clock, fromBase64Url, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import {
  createKdcClient,
  type HttpClient,
  type KdcSession,
  openIdentity,
  type PersonKeys,
  unlockKeystore,
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
  let current: KdcSession | undefined;
  let askedAt = 0;
  let lastStep = 0;

  /** Each code opens once, also after a restart: where this half minute's is used up, the KDC takes the next one's. */
  const login = async (): Promise<KdcSession> => {
    const now = Math.floor(clock.now() / STEP_MS);
    const codeOf = (step: number) => {
      lastStep = step;
      return { code: totp.generate({ timestamp: step * STEP_MS }) };
    };
    const first = Math.max(now, Math.min(lastStep + 1, now + 1));
    return kdc.login(handle, password, codeOf(first)).catch((error) => {
      if (first === now && isMedcloudletError(error, "SECOND_FACTOR_INVALID")) {
        return kdc.login(handle, password, codeOf(now + 1));
      }
      throw error;
    });
  };

  return {
    accountId,
    handle,
    keys,
    async session() {
      const now = clock.now();
      if (current !== undefined && current.expiresAt - now > LEAST_LEFT_MS) {
        if (now - askedAt < ASK_EVERY_MS) {
          return current;
        }
        try {
          current = await kdc.resume(current);
          askedAt = now;
          return current;
        } catch (error) {
          if (!isMedcloudletError(error, "SESSION_INVALID")) {
            throw error;
          }
        }
      }
      current = await login();
      askedAt = now;
      return current;
    },
  };
}

function totpOf(secret: string): TOTP {
  try {
    return new TOTP({ secret: Secret.fromBase32(secret.replace(/\s/g, "")) });
  } catch (cause) {
    throw invalid("MEDCLOUDLET_RESEARCH_SECOND_FACTOR is not the base32 secret of a second factor.", cause);
  }
}
