import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";
import { nameSecondTries } from "./test/support/second-tries.ts";

/**
 * Command lines that start dozens of processes for what shorter suites ask the same code without: all in all minutes.
 * `npm run test:long` runs them.
 */
const LONG_RUNS = [
  "test/host/cli/community.test.ts",
  "test/host/cli/consents.test.ts",
  "test/host/cli/emergency-help.test.ts",
  "test/host/cli/emergency.test.ts",
  "test/host/cli/ids-officer.test.ts",
  "test/host/cli/notes-and-requests.test.ts",
  "test/host/cli/record.test.ts",
  "test/host/e2e/research-kill.test.ts",
  "test/host/web/partner-sharing.test.ts",
];
const skipped = process.env.MEDCLOUDLET_LONG_TESTS === "1" ? [] : LONG_RUNS;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...skipped],
    setupFiles: ["test/support/property-seed.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What a browser shows may take longer than a second on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    // Hundreds of processes, browsers and servers beside whatever else the machine does: in CI what fails is tried once
    // more, and named at the end. By hand nothing is.
    retry: process.env.CI === "true" ? 1 : 0,
    reporters: ["default", nameSecondTries()],
    pool: "forks",
    // A third of the time a test waits for a disk, a socket or a child: one more than there are cores.
    maxWorkers: availableParallelism() + 1,
  },
});
