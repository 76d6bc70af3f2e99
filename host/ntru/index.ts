export type { Ntru, NtruEncapsulation, NtruKeyPair } from "./kem.ts";
export { type LoadNtruOptions, loadNtru } from "./load.ts";
export { isNtruSetName, NTRU_PARAMETERS, type NtruParameters, type NtruSetName } from "./parameters.ts";
export { createNtruPool, type NtruPool, type NtruPoolOptions } from "./pool.ts";
