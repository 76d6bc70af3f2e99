import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import { createEmergencyOfficer, type KnownEmergency } from "../client/index.ts";
import { asPerson, newCommand, outputOf, type PersonOptions, withPerson } from "./options.ts";
import { minuteOf, table } from "./output.ts";

const rowOf = ({
  emergencyId,
  phase,
  patient,
  requester,
  reason,
  approvers,
  needed,
  until,
}: KnownEmergency) => [
  emergencyId.slice(0, 8),
  phase === "open" ? "OPEN" : `${approvers.length} of ${needed} approvals`,
  patient,
  requester.handle,
  minuteOf(until),
  reason,
];

/** `medcloudlet emergency running`. */
export function runningCommand(): Command {
  return withPerson(
    newCommand("running", "as a security officer, list every emergency that waits or is open"),
  ).action((options: PersonOptions) =>
    asPerson(options, async ({ session }) => {
      const output = outputOf(options);
      const running = await createEmergencyOfficer(session).running();
      output.result(
        { emergencies: running },
        running.length === 0
          ? "Nothing goes on."
          : table([["id", "", "patient", "by", "until", "reason"], ...running.map(rowOf)], output.colours),
      );
    }),
  );
}

/** `medcloudlet emergency stop`. */
export function stopCommand(): Command {
  return withPerson(newCommand("stop", "as a security officer, end an emergency that must not go on"))
    .argument("<id>", "the emergency, or the beginning of its id")
    .requiredOption("--reason <text>", "why; the patient and the requester read it: no names")
    .action((id: string, options: PersonOptions & { reason: string }) =>
      asPerson(options, async ({ session }) => {
        const officer = createEmergencyOfficer(session);
        const [only, ...others] = (await officer.running()).filter(({ emergencyId }) =>
          emergencyId.startsWith(id),
        );
        if (only === undefined || others.length > 0) {
          throw new MedcloudletError(
            "CLI_EMERGENCY",
            only === undefined
              ? `No emergency that waits or is open begins with "${id}": see medcloudlet emergency running.`
              : `${others.length + 1} emergencies begin with "${id}": give more of the id.`,
          );
        }
        outputOf(options).result(
          await officer.stop(only.emergencyId, options.reason),
          "It has ended: no key and no ticket is given out any more, and those that are out live for five minutes\n" +
            "at most. The patient and the requester are told. What was read stays read.",
        );
      }),
    );
}
