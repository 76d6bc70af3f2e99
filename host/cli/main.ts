#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { EXIT, reportFailure } from "./failure.ts";

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
/** Each is loaded when it is called: all of them together take most of a second to start. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import("./demo.ts")).demoCommand(),
  serve: async () => (await import("./serve.ts")).serveCommand(),
  simulate: async () => (await import("./simulate.ts")).simulateCommand(),
  dataset: async () => (await import("./dataset.ts")).datasetCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
  keys: async () => (await import("./keys.ts")).keysCommand(),
  account: async () => (await import("./account.ts")).accountCommand(),
  record: async () => (await import("./record.ts")).recordCommand(),
  audit: async () => (await import("./audit.ts")).auditCommand(),
  emergency: async () => (await import("./emergency.ts")).emergencyCommand(),
  trust: async () => (await import("./trust.ts")).trustCommand(),
  ids: async () => (await import("./ids.ts")).idsCommand(),
  community: async () => (await import("./community.ts")).communityCommand(),
  research: async () => (await import("./research.ts")).researchCommand(),
  analytics: async () => (await import("./analytics.ts")).analyticsCommand(),
  news2: async () => (await import("./news2.ts")).news2Command(),
  bench: async () => (await import("./bench.ts")).benchCommand(),
};
const [called = ""] = process.argv.slice(2);
const wanted = Object.hasOwn(COMMANDS, called) ? [called] : Object.keys(COMMANDS);
for (const name of wanted) {
  program.addCommand(await (COMMANDS[name] as () => Promise<Command>)());
}

try {
  await program.parseAsync();
  process.exitCode = EXIT.ok;
} catch (error) {
  process.exitCode = reportFailure(error, process.argv.includes("--json"));
}
