import type { Reporter, TestCase } from "vitest/node";

/** Names at the end what failed and then passed: a fault that hides is still one. */
export function nameSecondTries(): Reporter {
  const flaky: TestCase[] = [];
  return {
    onTestCaseResult(test) {
      if (test.diagnostic()?.flaky === true) {
        flaky.push(test);
      }
    },
    onTestRunEnd() {
      if (flaky.length === 0) {
        return;
      }
      process.stderr.write(`\n\u001b[1;33mPASSED ONLY WHEN TRIED AGAIN:\u001b[0m\n`);
      for (const test of flaky) {
        process.stderr.write(`  ${test.module.relativeModuleId} > ${test.fullName}\n`);
      }
    },
  };
}
