#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { accountCommand } from "./account.ts";
import { analyticsCommand } from "./analytics.ts";
import { auditCommand } from "./audit.ts";
import { benchCommand } from "./bench.ts";
import { datasetCommand } from "./dataset.ts";
import { demoCommand } from "./demo.ts";
import { doctorCommand } from "./doctor.ts";
import { emergencyCommand } from "./emergency.ts";
import { EXIT, reportFailure } from "./failure.ts";
import { idsCommand } from "./ids.ts";
import { keysCommand } from "./keys.ts";
import { news2Command } from "./news2.ts";
import { recordCommand } from "./record.ts";
import { serveCommand } from "./serve.ts";
import { simulateCommand } from "./simulate.ts";
import { trustCommand } from "./trust.ts";

// Whoever reads along may stop: `medcloudlet doctor read | head` is no fault, and says nothing.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") {
    process.exit(EXIT.failed);
  }
  throw error;
});

const root = import.meta.url.endsWith(".ts") ? "../../" : "../../../";
const { version, description } = JSON.parse(
  readFileSync(new URL(`${root}package.json`, import.meta.url), "utf8"),
);

const program = new Command("medcloudlet")
  .description(description)
  .version(version)
  .showHelpAfterError("(see --help)")
  .exitOverride()
  .addHelpText(
    "after",
    "\nExit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 refused (login, consent, ticket),\n" +
      "4 unavailable (try again), 5 invalid input. Errors go to stderr, with --json as one JSON object.",
  );
for (const command of [
  demoCommand(),
  serveCommand(),
  simulateCommand(),
  datasetCommand(),
  doctorCommand(),
  keysCommand(),
  accountCommand(),
  recordCommand(),
  auditCommand(),
  emergencyCommand(),
  news2Command(),
  analyticsCommand(),
  trustCommand(),
  idsCommand(),
  benchCommand(),
]) {
  program.addCommand(command);
}

try {
  await program.parseAsync();
  process.exitCode = EXIT.ok;
} catch (error) {
  process.exitCode = reportFailure(error, process.argv.includes("--json"));
}
