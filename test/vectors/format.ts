import type { NtruSetName } from "../../host/ntru/index.ts";

/** The JSON of vectors/ntru, described in its README. All byte strings are lower-case hexadecimal. */
export interface VectorFile {
  readonly algorithm: NtruSetName;
  readonly licence: "Apache-2.0";
  readonly numberOfTests: number;
  /** What each flag means. */
  readonly notes: Readonly<Record<string, string>>;
  readonly testGroups: readonly VectorGroup[];
}

export type VectorGroup = DecapsulationGroup | EncapsulationGroup | KeyPairGroup;

/** `valid`: as the rules ask. `rejected`: the secret is that of the implicit rejection. `invalid`: an error. */
export type VectorResult =
  | { readonly result: "valid" | "rejected"; readonly sharedSecret: string }
  | { readonly result: "invalid"; readonly error: string };

export interface VectorHead {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
}

export type DecapsulationTest = VectorHead &
  VectorResult & { readonly ciphertext: string /** Instead of the group's. */; readonly secretKey?: string };

export interface DecapsulationGroup {
  readonly type: "decapsulate";
  readonly publicKey: string;
  readonly secretKey: string;
  readonly tests: readonly DecapsulationTest[];
}

export type EncapsulationTest = VectorHead & {
  readonly seed: string;
  /** Instead of the group's. */
  readonly publicKey?: string;
} & (
    | { readonly result: "valid"; readonly ciphertext: string; readonly sharedSecret: string }
    | { readonly result: "invalid"; readonly error: string }
  );

export interface EncapsulationGroup {
  readonly type: "encapsulate";
  readonly publicKey: string;
  readonly tests: readonly EncapsulationTest[];
}

export type KeyPairTest = VectorHead & { readonly seed: string } & (
    | { readonly result: "valid"; readonly publicKey: string; readonly secretKey: string }
    | { readonly result: "invalid"; readonly error: string }
  );

export interface KeyPairGroup {
  readonly type: "keyPair";
  readonly tests: readonly KeyPairTest[];
}
