import type { Command } from "commander";
import { isMedcloudletError, MedcloudletError, systemClock } from "../base/index.ts";
import { createDataDeletion, type DeletionStep } from "../client/index.ts";
import { asPerson, newCommand, outputOf, type PersonOptions, withPerson } from "./options.ts";
import { minuteOf } from "./output.ts";

interface DeleteOptions extends PersonOptions {
  readonly now?: true;
  readonly confirm?: string;
  readonly withdraw?: true;
  readonly status?: true;
}

const STEPS: Readonly<Record<DeletionStep, string>> = {
  begin: "the deletion begins; nothing takes it back now",
  consents: "ending what you shared",
  devices: "ending your wearables",
  streams: "the cloud deletes readings, records and notes",
  account: "the KDC deletes keys, backup and account",
};

const LEFT =
  "What readers have read or copied is beyond this, as are backups of the services; the audit log stays, and the handle is nobody's. Delete the folder with your keys yourself.";

/** `medcloudlet account delete`. */
export function deleteCommand(): Command {
  return withPerson(
    newCommand(
      "delete",
      "as a patient, delete everything: announced first, done when you call it again after a day",
    ),
  )
    .option("--now", "do not wait the day; needs --confirm")
    .option("--confirm <handle>", "with --now: your handle, written out")
    .option("--withdraw", "take an announcement back")
    .option("--status", "say only where it stands")
    .action((options: DeleteOptions) => {
      if ((options.now === true) !== (options.confirm !== undefined)) {
        throw new MedcloudletError(
          "CLI_USAGE",
          "To delete everything at once give both: --now --confirm YOUR-HANDLE.",
        );
      }
      return asPerson(options, async (person, { clock, http }, again) => {
        const output = outputOf(options);
        const { session, keys, addresses } = person;
        const deletion = createDataDeletion({ clock, http, session, keys, cloudUrl: addresses.cloud });
        const standing = await deletion.state();
        if (options.withdraw === true) {
          await deletion.withdraw();
          output.result({ state: "none" }, "Withdrawn: nothing is deleted.");
          return;
        }
        const dueAt = standing.dueAt ?? 0;
        const waits = standing.state === "waiting" && dueAt > systemClock.now();
        if (options.status === true || (waits && options.now !== true)) {
          output.result(
            standing,
            standing.state === "none"
              ? "No deletion is announced."
              : waits
                ? `Announced. From ${minuteOf(dueAt)} on this command deletes everything; --withdraw takes it back, --now does not wait.`
                : "Announced, and due: call this command without --status to delete everything.",
          );
          return;
        }
        if (standing.state === "none") {
          const announced = await deletion.announce(await again());
          if (options.now !== true) {
            output.result(
              announced,
              `Announced. Call this command again from ${minuteOf(announced.dueAt ?? 0)} on, and everything is deleted; --withdraw takes it back. ${LEFT}`,
            );
            return;
          }
        }
        const { confirm: handle } = options;
        const done = await deletion.run({
          onStep: (step) => output.note(output.colours.dim(`  ${STEPS[step]}`)),
          ...(handle === undefined ? {} : { confirm: { ...(await again()), handle } }),
        });
        await person.logout().catch((error) => {
          // There is no session to end any more; the one kept in the home is forgotten before that is asked.
          if (!isMedcloudletError(error, "SESSION_INVALID")) {
            throw error;
          }
        });
        output.result({ state: "done", ...done }, `Everything is deleted. ${LEFT}`);
      });
    });
}
