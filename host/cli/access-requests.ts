import { type Command, Option } from "commander";
import { createAccessRequests } from "../client/index.ts";
import { REGIONS, type Region } from "../sealing/index.ts";
import {
  asPerson,
  hexId,
  newCommand,
  outputOf,
  type PersonOptions,
  wholeNumber,
  withPerson,
} from "./options.ts";
import { groups } from "./output.ts";
import { printable } from "./record-text.ts";

const DAY = (time: number) => new Date(time).toISOString().slice(0, 10);

const requestId = hexId("the list of requests");

/** `medcloudlet doctor ask`. */
export function askCommand(): Command {
  return withPerson(newCommand("ask", "ask a patient for access, by the handle that they told you"))
    .requiredOption("--handle <handle>", "the patient's handle")
    .requiredOption("--reason <words>", "why, one line of at most 200 characters")
    .addOption(
      new Option("--region <region...>", "which parts of the record").choices(REGIONS).default(["medical"]),
    )
    .option("--days <days>", "for how long", wholeNumber(1, 3650), 30)
    .action((options: PersonOptions & { handle: string; reason: string; region: Region[]; days: number }) =>
      asPerson(options, async ({ session }) => {
        const { handle, reason, region: regions, days } = options;
        const purpose = session.account.role === "researcher" ? "research" : "treatment";
        const asked = await createAccessRequests(session).ask({ handle, regions, purpose, days, reason });
        outputOf(options).result(
          { handle, ...asked },
          `Asked. If ${handle} is a patient here they can read it until ${DAY(asked.expiresAt)}; they need not answer.`,
        );
      }),
    );
}

/** `medcloudlet doctor asked`. */
export function askedCommand(): Command {
  return withPerson(newCommand("asked", "whom you asked for access and have no answer from"))
    .option("--withdraw <request>", "take one back", requestId)
    .action((options: PersonOptions & { withdraw?: string }) =>
      asPerson(options, async ({ session }) => {
        const output = outputOf(options);
        const requests = createAccessRequests(session);
        if (options.withdraw !== undefined) {
          await requests.withdraw(options.withdraw);
          output.result({ withdrawn: options.withdraw }, "Taken back.");
          return;
        }
        const made = await requests.made();
        output.result(
          { requests: made },
          made.length === 0
            ? "You wait for no answer."
            : made
                .map(
                  ({ requestId: id, handle, regions, days, expiresAt }) =>
                    `  ${id}  ${printable(handle)}  ${regions.join(", ")} for ${days} days, open until ${DAY(expiresAt)}`,
                )
                .join("\n"),
        );
      }),
    );
}

/** `medcloudlet keys requests`. */
export function requestsCommand(): Command {
  return withPerson(newCommand("requests", "who asks you for access"))
    .option("--decline <request>", "remove one; who asked is not told", requestId)
    .action((options: PersonOptions & { decline?: string }) =>
      asPerson(options, async ({ session }) => {
        const output = outputOf(options);
        const { colours } = output;
        const requests = createAccessRequests(session);
        if (options.decline !== undefined) {
          await requests.decline(options.decline);
          output.result({ declined: options.decline }, "Removed. They can ask you again in a week.");
          return;
        }
        const received = await requests.received();
        output.result(
          { requests: received },
          received.length === 0
            ? "Nobody asks you for access."
            : received
                .map((request) =>
                  [
                    `  ${colours.bold(printable(request.handle))} (${printable(request.role)}) asks for ${request.regions.join(", ")}, for ${request.purpose}, ${request.days} days`,
                    `    "${printable(request.reason)}"`,
                    colours.dim(
                      `    fingerprint as the KDC shows it, compare it with theirs: ${groups(request.fingerprint)}`,
                    ),
                    colours.dim(`    ${request.requestId}  until ${DAY(request.expiresAt)}`),
                    `    to agree: medcloudlet keys share --with ${printable(request.handle)} --region ${request.regions.join(" ")} --days ${request.days} --purpose ${request.purpose}`,
                  ].join("\n"),
                )
                .join("\n"),
        );
      }),
    );
}
