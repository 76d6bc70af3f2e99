import { fromHex, isMedcloudletError, toHex } from "../../host/base/index.ts";
import type { Ntru } from "../../host/ntru/index.ts";
import type { DecapsulationTest, EncapsulationTest, KeyPairTest, VectorFile } from "./format.ts";

/** What came of the tests of one file. */
export interface VectorOutcome {
  readonly passed: number;
  /** One line for each test that failed. */
  readonly failures: readonly string[];
}

type Outputs = Readonly<Record<string, Uint8Array>>;
type AnyTest = DecapsulationTest | EncapsulationTest | KeyPairTest;

/** Empty when `call` does what `test` says, else what it did. */
function differenceFrom(test: AnyTest, call: () => Outputs): string {
  let outputs: Outputs;
  try {
    outputs = call();
  } catch (error) {
    const code = isMedcloudletError(error) ? error.code : String(error);
    return test.result === "invalid" && code === test.error ? "" : `throws ${code}`;
  }
  if (test.result === "invalid") {
    return `does not throw ${test.error}`;
  }
  const wrong = Object.entries(outputs).filter(
    ([key, bytes]) => toHex(bytes) !== (test as unknown as Record<string, unknown>)[key],
  );
  return wrong.map(([key]) => `another ${key}`).join(", ");
}

/**
 * Runs the tests of one file.
 * @throws Error when there are none, or another number than the file promises
 */
export function runVectors(ntru: Ntru, file: VectorFile): VectorOutcome {
  const failures: string[] = [];
  let passed = 0;
  const check = (test: AnyTest, call: () => Outputs) => {
    const difference = differenceFrom(test, call);
    if (difference === "") {
      passed++;
    } else {
      failures.push(`${file.algorithm} ${test.tcId} (${test.comment}): ${difference}`);
    }
  };
  for (const group of file.testGroups) {
    if (group.type === "keyPair") {
      for (const test of group.tests) {
        check(test, () => ({ ...ntru.generateKeyPair(fromHex(test.seed)) }));
      }
    } else if (group.type === "encapsulate") {
      for (const test of group.tests) {
        const publicKey = fromHex(test.publicKey ?? group.publicKey);
        check(test, () => ({ ...ntru.encapsulate(publicKey, fromHex(test.seed)) }));
      }
    } else {
      for (const test of group.tests) {
        const secretKey = fromHex(test.secretKey ?? group.secretKey);
        check(test, () => ({ sharedSecret: ntru.decapsulate(secretKey, fromHex(test.ciphertext)) }));
      }
    }
  }
  const count = passed + failures.length;
  if (count === 0 || count !== file.numberOfTests) {
    throw new Error(`${file.algorithm}: ${count} tests instead of ${file.numberOfTests}.`);
  }
  return { passed, failures };
}
