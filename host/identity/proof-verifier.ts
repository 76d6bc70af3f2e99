import { EmbeddedJWK, jwtVerify } from "jose";
import { z } from "zod";
import { type Bytes, type Clock, fromBase64Url, MedcloudletError } from "../base/index.ts";
import { keyThumbprint, ticketHash } from "../sealing/index.ts";
import { CLOCK_SKEW_SECONDS } from "./tickets.ts";

/** How old a proof may be, in seconds, beyond the clock skew. */
const MAX_AGE_SECONDS = 60;

/** Beyond this many live proofs the service says it is overloaded rather than forget one. */
const MAX_REMEMBERED = 1_000_000;

const CLAIMS = z.object({
  htm: z.string(),
  htu: z.string(),
  jti: z.string().min(16).max(64),
  iat: z.number().int(),
  ath: z.string().optional(),
});

const OKP = z.object({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string().length(43) });

/** The key that a request proved to hold. */
export interface ProvenKey {
  readonly publicKey: Bytes;
  readonly thumbprint: string;
}

export interface ProofVerifier {
  /**
   * Verifies a DPoP proof (RFC 9449, section 4.3) for one request and remembers it, so that the very same request
   * cannot be made again by whoever recorded it.
   * @throws MedcloudletError `PROOF_INVALID`, `PROOF_REPLAYED`
   */
  verify(input: {
    readonly proof: string | undefined;
    readonly method: string;
    readonly url: string;
    readonly ticket?: string;
  }): Promise<ProvenKey>;
}

function refuse(why: string, cause?: unknown): MedcloudletError {
  return new MedcloudletError("PROOF_INVALID", `The request does not prove its key: ${why}.`, {
    status: 401,
    cause,
  });
}

/** Remembers identifiers for as long as a proof bearing one would be accepted. Two generations, no timers. */
function createReplayCache(clock: Clock) {
  const generationMs = (MAX_AGE_SECONDS + 2 * CLOCK_SKEW_SECONDS) * 1000;
  let current = new Set<string>();
  let previous = new Set<string>();
  let turnedAt = clock.now();
  return {
    /** False when `id` was seen before. */
    add(id: string): boolean {
      const elapsed = clock.now() - turnedAt;
      if (elapsed > generationMs) {
        previous = elapsed > 2 * generationMs ? new Set() : current;
        current = new Set();
        turnedAt = clock.now();
      }
      if (current.has(id) || previous.has(id)) {
        return false;
      }
      if (current.size >= MAX_REMEMBERED) {
        throw new MedcloudletError(
          "SERVICE_OVERLOADED",
          "Too many requests at once: try again in a minute.",
          {
            status: 503,
            details: { retryAfterSeconds: 60 },
          },
        );
      }
      current.add(id);
      return true;
    },
  };
}

/** A verifier with a replay cache of its own: one for each service process. */
export function createProofVerifier(clock: Clock): ProofVerifier {
  const startedAtSeconds = Math.floor(clock.now() / 1000);
  const replays = createReplayCache(clock);
  return {
    async verify({ proof, method, url, ticket }) {
      if (proof === undefined) {
        throw refuse("there is no DPoP header");
      }
      const verified = await jwtVerify(proof, EmbeddedJWK, { algorithms: ["EdDSA"], typ: "dpop+jwt" }).catch(
        (cause) => {
          throw refuse("the DPoP header is not a signed proof", cause);
        },
      );
      const claims = CLAIMS.safeParse(verified.payload);
      const jwk = OKP.safeParse(verified.protectedHeader.jwk);
      if (!claims.success || !jwk.success) {
        throw refuse("the proof lacks a claim");
      }
      const { htm, htu, iat, jti, ath } = claims.data;
      if (htm !== method || htu !== url) {
        throw refuse(`it is made for ${htm} ${htu}, not for ${method} ${url}`);
      }
      const now = Math.floor(clock.now() / 1000);
      if (iat > now + CLOCK_SKEW_SECONDS || iat < now - MAX_AGE_SECONDS - CLOCK_SKEW_SECONDS) {
        throw refuse("its time is too far from the clock here; check both clocks");
      }
      if (iat < startedAtSeconds) {
        throw refuse("it is older than this process, which cannot know whether it was used; make a new one");
      }
      if (ath !== (ticket === undefined ? undefined : ticketHash(ticket))) {
        throw refuse("it belongs to another ticket");
      }
      const publicKey = fromBase64Url(jwk.data.x);
      const thumbprint = await keyThumbprint(publicKey);
      if (!replays.add(`${thumbprint} ${jti}`)) {
        throw new MedcloudletError("PROOF_REPLAYED", "This very request was made before.", { status: 401 });
      }
      return { publicKey, thumbprint };
    },
  };
}
