/**
 * What the host sees: the parameters and addresses of the arena as constants, the three operations and the
 * wipe. The module imports nothing.
 */
export { CIPHERTEXT, PUBLIC_KEY, SECRET_KEY, SEED, SHARED_SECRET, wipe } from "./arena";
export { decapsulate, encapsulate, generateKeyPair } from "./kem";
export { HRSS, LOG_Q, N } from "./params";
