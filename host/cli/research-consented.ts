import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import { newCommand, type PersonOptions, withPerson } from "./command.ts";
import { type ReleaseOptions, withRelease } from "./research-options.ts";

/** `medcloudlet research consented`: a release of those who consent, made on the machine that holds the keys. */
export function consentedCommand(): Command {
  return withRelease(
    withPerson(
      newCommand("consented", "release the records of patients who consent to research with you now"),
    ),
  ).action(async (options: PersonOptions & ReleaseOptions) => {
    if (options.ledger === undefined) {
      throw new MedcloudletError(
        "CLI_OPTIONS",
        "Consents come and go, and so do people between releases: give --ledger FOLDER, always the same.",
      );
    }
    // Whoever releases a file needs no client, and should not wait for it.
    const { releaseConsented } = await import("./research-cohort.ts");
    await releaseConsented(options);
  });
}
