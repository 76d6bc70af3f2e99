import { Secret, TOTP } from "otpauth";
import type { Clock } from "../../host/base/index.ts";
import { createAccountClient, type KdcSession } from "../../host/client/index.ts";

const STEP_MS = 30_000;

/** Somebody's telephone: shows a code that the KDC has not seen, and moves the clock on where there is none left. */
export interface Authenticator {
  readonly secret: string;
  code(): string;
}

export function createAuthenticator(
  secret: string,
  clock: Clock & { advance(ms: number): void },
): Authenticator {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  let lastStep = 0;
  return {
    secret,
    code() {
      // Not the step before, which the KDC would take too: it could be over by the time it arrives.
      const step = Math.max(Math.floor(clock.now() / STEP_MS), lastStep + 1);
      while (step > Math.floor(clock.now() / STEP_MS) + 1) {
        clock.advance(STEP_MS);
      }
      lastStep = step;
      return totp.generate({ timestamp: step * STEP_MS });
    },
  };
}

/** Staff's sessions end after half an hour without a request. */
const IDLE_MS = 25 * 60_000;

/** The session of somebody who logs in again when they come back after a while, as tests that move the clock need. */
export function attended(first: KdcSession, clock: Clock, login: () => Promise<KdcSession>): KdcSession {
  let current = first;
  let usedAt = clock.now();
  return new Proxy(first, {
    get(_first, name: keyof KdcSession) {
      const value = current[name];
      if (typeof value !== "function") {
        return value;
      }
      return async (...input: unknown[]) => {
        if (clock.now() - usedAt > IDLE_MS) {
          current = await login();
        }
        usedAt = clock.now();
        return (current[name] as (...args: unknown[]) => unknown)(...input);
      };
    },
  });
}

/** Enrols a second factor in a fresh session, which goes on. */
export async function enrol(
  session: KdcSession,
  password: string,
  clock: Clock & { advance(ms: number): void },
): Promise<{ authenticator: Authenticator; backupCodes: string[] }> {
  const account = createAccountClient(session);
  const { secret } = await account.proposeSecondFactor({ password });
  const authenticator = createAuthenticator(secret, clock);
  return { authenticator, backupCodes: await account.confirmSecondFactor(authenticator.code()) };
}
