import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Secret, TOTP } from "otpauth";
import { z } from "zod";
import type { Clock } from "../base/index.ts";
import { createAccountClient, type KdcSession } from "../client/index.ts";
import { writePrivateFile } from "./private-file.ts";

const STATE = z.strictObject({ secret: z.string(), lastStep: z.number().int() });
const STEP_MS = 30_000;

const fileIn = (home: string) => join(home, "second-factor");

/** The secret in a demo person's pocket, or null where they have none. */
export async function demoSecret(home: string): Promise<string | null> {
  const text = await readFile(fileIn(home), "utf8").catch(() => null);
  return text === null ? null : STATE.parse(JSON.parse(text)).secret;
}

/**
 * A code that was not used before: each opens once, so a demo that is started again and again waits now and then.
 * Nobody else should keep a second factor in a file beside the password.
 */
export async function demoCode(home: string, clock: Clock): Promise<string> {
  const { secret, lastStep } = STATE.parse(JSON.parse(await readFile(fileIn(home), "utf8")));
  const now = () => Math.floor(clock.now() / STEP_MS);
  const step = Math.max(now(), lastStep + 1);
  while (step > now() + 1) {
    await sleep(200);
  }
  await writePrivateFile(fileIn(home), `${JSON.stringify({ secret, lastStep: step })}\n`);
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: step * STEP_MS });
}

/** Enrols a second factor for a demo person and keeps its secret in their folder. */
export async function enrolDemoFactor(
  session: KdcSession,
  input: { readonly home: string; readonly password: string; readonly clock: Clock },
): Promise<void> {
  const { home, password, clock } = input;
  const account = createAccountClient(session);
  const { secret } = await account.proposeSecondFactor({ password });
  await writePrivateFile(fileIn(home), `${JSON.stringify({ secret, lastStep: 0 })}\n`);
  await account.confirmSecondFactor(await demoCode(home, clock));
}
