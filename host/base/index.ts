export { bareUrl } from "./bare-url.ts";
export { base32Groups, checkSymbol, cleanBase32, fromBase32, toBase32 } from "./base32.ts";
export {
  type Bytes,
  concatBytes,
  equalBytes,
  fromBase64Url,
  fromHex,
  randomBytes,
  toBase64Url,
  toHex,
  utf8,
} from "./bytes.ts";
export { type Clock, systemClock } from "./clock.ts";
export { isMedcloudletError, isPassing, MedcloudletError } from "./errors.ts";
export { createInTurn } from "./in-turn.ts";
export { pause } from "./pause.ts";
export { createRandom, type Random } from "./random.ts";
export { createSignal, type Signal } from "./signal.ts";
