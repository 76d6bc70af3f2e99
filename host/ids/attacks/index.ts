export { ATTACK_KINDS, ATTACK_SET_VERSION, type AttackKind } from "./payloads.ts";
export { type Attack, attackSet } from "./set.ts";
