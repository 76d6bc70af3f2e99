import { Secret, TOTP } from "otpauth";
import {
  base32Groups,
  type Clock,
  cleanBase32,
  fromBase64Url,
  MedcloudletError,
  randomBytes,
  toBase32,
  toBase64Url,
} from "../base/index.ts";
import type { Account, Accounts } from "./accounts.ts";
import { factorContext } from "./factor-key.ts";
import type { SecretBox } from "./secret-box.ts";
import { secretHash } from "./secrets.ts";

const ISSUER = "medcloudlet";
/** RFC 6238 with what every authenticator app understands: SHA-1, six digits, half a minute. */
const PERIOD_SECONDS = 30;
const SECRET_BYTES = 20;
/** One step to either side, for clocks that differ and people who type slowly (RFC 6238, section 5.2). */
const WINDOW = 1;
const PENDING_MS = 15 * 60 * 1000;
const BACKUP_CODES = 8;
/** 80 bits: a plain hash of one cannot be searched. */
const BACKUP_CODE_BYTES = 10;
const TOTP_CODE = /^\d{6}$/;

/** Time-based one-time passwords (RFC 6238) and the backup codes on paper beside them. */
export interface SecondFactors {
  /** Makes a new secret, in force once its first code has come. Shown this one time. */
  propose(account: Account): Promise<{ secret: string; uri: string }>;
  /**
   * Puts the proposed factor into force by its first code, ends all sessions, and gives the backup codes, shown this
   * one time.
   * @throws MedcloudletError `SECOND_FACTOR_NOT_PROPOSED`, `SECOND_FACTOR_INVALID`
   */
  confirm(account: Account, code: string): Promise<{ account: Account; backupCodes: string[] }>;
  /**
   * Uses a code up, where the account has a factor: a TOTP code of this minute or a backup code.
   * @throws MedcloudletError `SECOND_FACTOR_REQUIRED` without a code, `SECOND_FACTOR_INVALID`
   */
  require(account: Account, code: string | undefined): Promise<void>;
}

function invalid(): MedcloudletError {
  return new MedcloudletError(
    "SECOND_FACTOR_INVALID",
    "This code is wrong, over, or was used before: wait for the next one.",
    { status: 401 },
  );
}

export function createSecondFactors(rooms: {
  readonly accounts: Accounts;
  readonly box: SecretBox;
  readonly clock: Clock;
}): SecondFactors {
  const { accounts, box, clock } = rooms;

  const totpOf = async (account: Account, sealed: string): Promise<TOTP> => {
    const secret = await box.open(fromBase64Url(sealed), factorContext(account._id));
    return authenticator(account, new Secret({ buffer: secret.buffer }));
  };

  /** The step that a code is of, or null when it is of none near now. */
  const stepOf = (totp: TOTP, code: string): number | null => {
    const timestamp = clock.now();
    const delta = totp.validate({ token: code, timestamp, window: WINDOW });
    return delta === null ? null : Math.floor(timestamp / 1000 / PERIOD_SECONDS) + delta;
  };

  return {
    async propose(account) {
      const secret = randomBytes(SECRET_BYTES);
      const sealed = toBase64Url(await box.seal(secret, factorContext(account._id)));
      await accounts.proposeFactor(account._id, { sealed, createdAt: clock.now() });
      const shown = new Secret({ buffer: secret.buffer });
      return { secret: shown.base32, uri: authenticator(account, shown).toString() };
    },
    async confirm(account, code) {
      const pending = account.pendingFactor;
      if (pending === null || clock.now() - pending.createdAt > PENDING_MS) {
        throw new MedcloudletError(
          "SECOND_FACTOR_NOT_PROPOSED",
          "There is no second factor that waits for its first code: ask for a new one.",
          { status: 409 },
        );
      }
      const step = TOTP_CODE.test(code) ? stepOf(await totpOf(account, pending.sealed), code) : null;
      if (step === null) {
        throw invalid();
      }
      const backupCodes = Array.from({ length: BACKUP_CODES }, () =>
        toBase32(randomBytes(BACKUP_CODE_BYTES)),
      );
      const renewed = await accounts.renew(account, {
        secondFactor: {
          sealed: pending.sealed,
          confirmedAt: clock.now(),
          lastStep: step,
          backupCodes: backupCodes.map(secretHash),
        },
      });
      return { account: renewed, backupCodes: backupCodes.map(base32Groups) };
    },
    async require(account, code) {
      const factor = account.secondFactor;
      if (factor === null) {
        return;
      }
      if (code === undefined) {
        throw new MedcloudletError(
          "SECOND_FACTOR_REQUIRED",
          "This account has a second factor: send the code that the authenticator shows, or a backup code.",
          { status: 401 },
        );
      }
      if (!TOTP_CODE.test(code)) {
        if (!(await accounts.useBackupCode(account._id, secretHash(cleanBase32(code))))) {
          throw invalid();
        }
        return;
      }
      const step = stepOf(await totpOf(account, factor.sealed), code);
      if (step === null || !(await accounts.useStep(account._id, step))) {
        throw invalid();
      }
    },
  };
}

function authenticator(account: Account, secret: Secret): TOTP {
  return new TOTP({
    issuer: ISSUER,
    label: account.handle,
    algorithm: "SHA1",
    digits: 6,
    period: PERIOD_SECONDS,
    secret,
  });
}
