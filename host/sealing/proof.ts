import { sha256 } from "@noble/hashes/sha2.js";
import { calculateJwkThumbprint, type JWK, SignJWT } from "jose";
import { type Bytes, type Clock, randomBytes, toBase64Url, toHex, utf8 } from "../base/index.ts";
import type { SigningKey } from "./signing.ts";

/** An Ed25519 public key as a JWK (RFC 8037, section 2). */
export function ed25519Jwk(publicKey: Bytes): JWK {
  return { kty: "OKP", crv: "Ed25519", x: toBase64Url(publicKey) };
}

/** The SHA-256 JWK thumbprint (RFC 7638) that a ticket names as its holder's key. */
export function keyThumbprint(publicKey: Bytes): Promise<string> {
  return calculateJwkThumbprint(ed25519Jwk(publicKey));
}

/** Base64url SHA-256 of a ticket: the `ath` claim of a proof (RFC 9449, section 4.2). */
export function ticketHash(ticket: string): string {
  return toBase64Url(sha256(utf8(ticket)));
}

/**
 * A DPoP proof (RFC 9449, section 4.2): "I hold this key, and I make this one request with it." Fresh for every
 * request, so a recorded request is worth nothing to whoever recorded it.
 */
export function createProof(input: {
  readonly key: SigningKey;
  readonly method: string;
  /** The request's URL; query and fragment are left out, as the RFC says. */
  readonly url: string;
  readonly clock: Clock;
  /** The ticket sent along, if any. */
  readonly ticket?: string;
}): Promise<string> {
  const target = new URL(input.url);
  const claims = {
    htm: input.method,
    htu: target.origin + target.pathname,
    ...(input.ticket === undefined ? {} : { ath: ticketHash(input.ticket) }),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "EdDSA", typ: "dpop+jwt", jwk: ed25519Jwk(input.key.publicKey) })
    .setJti(toHex(randomBytes(16)))
    .setIssuedAt(Math.floor(input.clock.now() / 1000))
    .sign(input.key.privateKey);
}
