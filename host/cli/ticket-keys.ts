import type { Command } from "commander";
import { asPerson, newCommand, outputOf, type PersonOptions, withPerson } from "./options.ts";

/** `medcloudlet keys rotate-tickets`: what an operator does every so often, and when a key has leaked. */
export function rotateTicketsCommand(): Command {
  return withPerson(newCommand("rotate-tickets", "as an operator, let the KDC sign tickets with a new key"))
    .option(
      "--revoke",
      "at once, and trust no ticket of an earlier key: for a key that somebody else may have",
    )
    .action((options: PersonOptions & { revoke?: true }) =>
      asPerson(options, async ({ session }) => {
        const { kid, activeFrom } = await session.rotateTicketKeys({ revoke: options.revoke === true });
        const from = new Date(activeFrom).toISOString();
        outputOf(options).result(
          { kid, activeFrom },
          options.revoke
            ? `The KDC signs with key ${kid} from now on. Cloud and cloudlets stop trusting the earlier keys within ten ` +
                "minutes. Batches that still wait in a cloudlet with a ticket of an earlier key cannot be judged: they are tried " +
                "for seven days and then set aside."
            : `Key ${kid} is published now and signs from ${from} on. Nobody has to do anything.`,
        );
      }),
    );
}
