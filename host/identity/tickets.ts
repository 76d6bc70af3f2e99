import { createLocalJWKSet, type JSONWebKeySet, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { type Clock, MedcloudletError, randomBytes, toHex } from "../base/index.ts";
import { idSchema, regionSchema } from "../sealing/index.ts";
import type { Role } from "./accounts.ts";
import type { TicketKeyRing } from "./ticket-key-ring.ts";

const TYP = "medcloudlet-ticket+jwt";
const ISSUER = "medcloudlet-kdc";

/** How far the clocks of two machines may differ. */
export const CLOCK_SKEW_SECONDS = 30;

/** What staff do at a service, each with a ticket of their own, for services know no accounts. */
export const STAFF_SCOPES = {
  /** A security officer watches the intrusion detection and lifts its decisions. */
  watch: "security-officer",
  /** An operator sets a service up. */
  operate: "operator",
  /** A moderator acts on what members of a community reported. */
  moderate: "moderator",
  /** A researcher asks the research service for releases. */
  research: "researcher",
} as const satisfies Readonly<Record<string, Role>>;
export type StaffScope = keyof typeof STAFF_SCOPES;

/** @throws MedcloudletError `ROLE_FORBIDDEN` (403) for a role that has no such scope */
export function staffScope(role: Role): StaffScope {
  for (const scope of Object.keys(STAFF_SCOPES) as StaffScope[]) {
    if (STAFF_SCOPES[scope] === role) {
      return scope;
    }
  }
  throw new MedcloudletError("ROLE_FORBIDDEN", `No service has anything to do for the role ${role}.`, {
    status: 403,
  });
}

const holder = { cnf: z.strictObject({ jkt: z.string() }) };

/**
 * What a ticket allows its holder, who is whoever has the key with thumbprint `cnf.jkt` (RFC 7800, RFC 9449).
 * A reader's ticket names no reader: the cloud need not know who reads.
 */
const GRANTS = {
  upload: z.object({
    scope: z.literal("upload"),
    device: idSchema,
    stream: idSchema,
    region: regionSchema,
    /** The device's Ed25519 key, base64url, against which batches are checked. */
    deviceKey: z.string(),
    ...holder,
  }),
  forward: z.object({ scope: z.literal("forward"), cloudlet: idSchema, ...holder }),
  read: z.object({ scope: z.literal("read"), stream: idSchema, ...holder }),
  /** An owner's, for the parts of a record; it names no owner. */
  write: z.object({ scope: z.literal("write"), stream: idSchema, region: regionSchema, ...holder }),
  /** For notes about the owner of a stream; it names no author. */
  note: z.object({ scope: z.literal("note"), stream: idSchema, region: regionSchema, ...holder }),
  /** An owner's, to delete a stream for good; it names no owner. */
  erase: z.object({ scope: z.literal("erase"), stream: idSchema, ...holder }),
  /** `staff`: the account, so that a service can write down who did what. */
  watch: z.object({ scope: z.literal("watch"), staff: idSchema, ...holder }),
  operate: z.object({ scope: z.literal("operate"), staff: idSchema, ...holder }),
  moderate: z.object({ scope: z.literal("moderate"), staff: idSchema, ...holder }),
  research: z.object({ scope: z.literal("research"), staff: idSchema, ...holder }),
} as const;

export type Scope = keyof typeof GRANTS;
export type Grant<S extends Scope> = z.infer<(typeof GRANTS)[S]>;

/** Who takes tickets of a scope. */
const AUDIENCE: Readonly<Record<Scope, string>> = {
  upload: "cloudlet",
  forward: "cloud",
  read: "cloud",
  write: "cloud",
  note: "cloud",
  erase: "cloud",
  watch: "service",
  operate: "service",
  moderate: "service",
  research: "service",
};

/** Lifetimes in seconds: long enough to ride out a KDC restart, short enough to bound a revocation. */
const LIFETIME: Readonly<Record<Scope, number>> = {
  upload: 3600,
  forward: 3600,
  read: 300,
  write: 300,
  note: 300,
  erase: 300,
  watch: 300,
  operate: 300,
  moderate: 300,
  research: 300,
};

export interface TicketIssuer {
  /** The keys that verify tickets, as a JWK set (RFC 7517). */
  keys(): JSONWebKeySet;
  /** The ticket ends with its scope's lifetime, or at `notAfter` (ms) where what it rests on ends sooner. */
  issue<S extends Scope>(grant: Grant<S>, notAfter?: number): Promise<{ ticket: string; expiresAt: number }>;
}

/** Issues tickets: Ed25519-signed JWTs (RFC 7519) that cloud and cloudlets verify without asking anybody. */
export function createTicketIssuer(ring: TicketKeyRing, clock: Clock): TicketIssuer {
  return {
    keys: () => ring.published(),
    async issue(grant, notAfter = Number.POSITIVE_INFINITY) {
      const now = Math.floor(clock.now() / 1000);
      const expiresAt = Math.min(now + LIFETIME[grant.scope], Math.floor(notAfter / 1000));
      const { kid, key } = ring.signing();
      const ticket = await new SignJWT({ ...grant })
        .setProtectedHeader({ alg: "EdDSA", typ: TYP, kid })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE[grant.scope])
        .setIssuedAt(now)
        .setExpirationTime(expiresAt)
        .setJti(toHex(randomBytes(16)))
        .sign(key.privateKey);
      return { ticket, expiresAt: expiresAt * 1000 };
    },
  };
}

/** Where a verifier gets the KDC's keys from. `refresh` is asked once when a ticket names an unknown key. */
export interface TicketKeys {
  current(): Promise<JSONWebKeySet>;
  refresh(): Promise<JSONWebKeySet>;
}

export interface TicketVerifier {
  /**
   * Verifies signature, audience, scope and lifetime. `at` (ms) judges the lifetime at another moment than now.
   * @throws MedcloudletError `TICKET_INVALID`, `TICKET_EXPIRED`, `TICKET_SCOPE`, `TICKET_KEY_UNKNOWN` when the key
   *   is not among the KDC's as far as they are known here
   */
  verify<S extends Scope>(ticket: string, scope: S, at?: number): Promise<Grant<S>>;
}

function refusal(cause: unknown): MedcloudletError {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  if (code === "ERR_JWT_EXPIRED") {
    return new MedcloudletError("TICKET_EXPIRED", "The ticket has expired: get a new one from the KDC.", {
      status: 401,
      cause,
    });
  }
  if (code === "ERR_JWKS_NO_MATCHING_KEY") {
    return new MedcloudletError(
      "TICKET_KEY_UNKNOWN",
      "The ticket is signed with a key that is not known here: get a new ticket from the KDC.",
      { status: 401, cause },
    );
  }
  return new MedcloudletError(
    "TICKET_INVALID",
    "The ticket is not a valid ticket of this KDC for this service.",
    { status: 401, cause },
  );
}

export function createTicketVerifier(keys: TicketKeys, clock: Clock): TicketVerifier {
  const check = (ticket: string, jwks: JSONWebKeySet, scope: Scope, at: number) =>
    jwtVerify(ticket, createLocalJWKSet(jwks), {
      algorithms: ["EdDSA"],
      typ: TYP,
      issuer: ISSUER,
      audience: AUDIENCE[scope],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(at),
      requiredClaims: ["exp", "iat", "jti"],
    });
  return {
    async verify<S extends Scope>(ticket: string, scope: S, at?: number): Promise<Grant<S>> {
      const moment = at ?? clock.now();
      const verified = await check(ticket, await keys.current(), scope, moment).catch(async (cause) => {
        if (cause?.code !== "ERR_JWKS_NO_MATCHING_KEY") {
          throw refusal(cause);
        }
        return check(ticket, await keys.refresh(), scope, moment).catch((again) => {
          throw refusal(again);
        });
      });
      const grant = GRANTS[scope].safeParse(verified.payload);
      if (!grant.success) {
        throw new MedcloudletError("TICKET_SCOPE", `This ticket does not allow to ${scope}.`, {
          status: 403,
        });
      }
      return grant.data as Grant<S>;
    },
  };
}
