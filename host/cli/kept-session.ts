import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import {
  type Bytes,
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  toBase64Url,
  utf8,
} from "../base/index.ts";
import { type KdcClient, type KdcSession, lockWith, unlockWith } from "../client/index.ts";
import { writePrivateFile } from "./private-file.ts";

const KEPT = z.strictObject({
  /** The KDC it belongs to: a token is shown to no other. */
  kdc: z.string(),
  /** Null after a logout. */
  token: z.string().nullable(),
  expiresAt: z.number(),
  /** Keeps strangers' wrong tries apart from this program's. */
  deviceToken: z.string().nullable(),
});
type Kept = z.infer<typeof KEPT>;

const LABEL = "medcloudlet session file v1";
/** A session that ends while the command works would be of no use. */
const LEAST_LEFT_MS = 60_000;

const fileIn = (home: string) => join(home, "session");

/** Where a session is kept: locked with a key from the person's signing seed, which the keystore locks by scrypt. */
export interface SessionPlace {
  readonly home: string;
  readonly kdcUrl: string;
  readonly signingSeed: Bytes;
}

async function read({ home, signingSeed, kdcUrl }: SessionPlace): Promise<Kept | null> {
  const text = await readFile(fileIn(home), "utf8").catch(() => null);
  if (text === null) {
    return null;
  }
  try {
    const opened = await unlockWith(signingSeed, LABEL, fromBase64Url(text.trim()));
    const kept = KEPT.safeParse(JSON.parse(new TextDecoder().decode(opened ?? undefined)));
    return kept.success && kept.data.kdc === kdcUrl ? kept.data : null;
  } catch {
    // Damaged: a new login writes it anew.
    return null;
  }
}

async function write({ home, signingSeed }: SessionPlace, kept: Kept): Promise<void> {
  const locked = await lockWith(signingSeed, LABEL, utf8(JSON.stringify(kept)));
  await writePrivateFile(fileIn(home), `${toBase64Url(locked)}\n`);
}

/** How a person logs in: each secret is asked for only where it is needed. */
export interface LoginSecrets {
  readonly password: string | (() => Promise<string>);
  /** A code of the second factor. */
  readonly code?: () => Promise<string>;
}

/**
 * The kept session, or a new one where there is none or it is over.
 * @throws MedcloudletError the KDC's refusals
 */
export async function openSession(
  at: {
    readonly kdc: KdcClient;
    readonly clock: Clock;
    readonly place: SessionPlace;
    readonly handle: string;
  },
  secrets: LoginSecrets,
): Promise<KdcSession> {
  const { kdc, clock, place, handle } = at;
  const kept = await read(place);
  if (kept !== null && kept.token !== null && kept.expiresAt - clock.now() > LEAST_LEFT_MS) {
    try {
      return await kdc.resume({ ...kept, token: kept.token });
    } catch (error) {
      if (!isMedcloudletError(error, "SESSION_INVALID")) {
        throw error;
      }
    }
  }
  const password = typeof secrets.password === "string" ? secrets.password : await secrets.password();
  const known = typeof kept?.deviceToken === "string" ? { deviceToken: kept.deviceToken } : {};
  const session = await kdc.login(handle, password, known).catch(async (error) => {
    if (!isMedcloudletError(error, "SECOND_FACTOR_REQUIRED") || secrets.code === undefined) {
      throw error;
    }
    return kdc.login(handle, password, { ...known, code: await secrets.code() });
  });
  await keepSession(place, session, kept?.deviceToken ?? null);
  return session;
}

/** Keeps a session for the next command. */
export async function keepSession(
  place: SessionPlace,
  session: KdcSession,
  deviceToken: string | null,
): Promise<void> {
  const { token, expiresAt } = session;
  await write(place, {
    kdc: place.kdcUrl,
    token,
    expiresAt,
    deviceToken: session.deviceToken ?? deviceToken,
  });
}

/** Forgets a session; that this program is known to the KDC stays. */
export async function forgetSession(place: SessionPlace): Promise<void> {
  const kept = await read(place);
  if (kept !== null) {
    await write(place, { ...kept, token: null });
  }
}
