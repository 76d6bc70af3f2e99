import { MedcloudletError } from "../base/index.ts";

/**
 * How much one owner can make the KDC keep. Everything here is signed by the owner, so it takes the owner's own key to
 * come near: the bounds are against a patient who fills the disk, and far above what a life of sharing needs.
 */
export interface KeyLimits {
  /** Epochs of one region. */
  readonly epochs: number;
  /** Consents ever given: one that ended stays, so that its id cannot be used again. */
  readonly consents: number;
  /** Wrapped keys under consents in force or to come. */
  readonly wrappedKeys: number;
  /** Wrapped keys whose consent has not come. One consent over every epoch of three regions has to fit. */
  readonly waitingKeys: number;
  /** Consents that keys came for and that have not come themselves. */
  readonly waitingConsents: number;
}

export const KEY_LIMITS: KeyLimits = {
  epochs: 1000,
  consents: 5000,
  wrappedKeys: 50_000,
  waitingKeys: 4000,
  waitingConsents: 100,
};

/** How long keys wait for their consent before they may be thrown away. */
export const WAITING_MS = 24 * 60 * 60 * 1000;

export function limitReached(code: string, message: string, limit: number): MedcloudletError {
  return new MedcloudletError(code, message, { status: 409, details: { limit } });
}
