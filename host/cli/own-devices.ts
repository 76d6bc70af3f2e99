import type { Command } from "commander";
import { systemClock } from "../base/index.ts";
import { ownerOf } from "./home.ts";
import { asPerson, hexId, newCommand, outputOf, type PersonOptions, withPerson } from "./options.ts";
import { minuteOf, minuteText, table } from "./output.ts";

const deviceId = hexId("`medcloudlet keys devices`");

export function devices(): Command {
  return withPerson(newCommand("devices", "list your wearables")).action((options: PersonOptions) =>
    asPerson(options, async (person, toolkit) => {
      const output = outputOf(options);
      const now = systemClock.now();
      const own = (await ownerOf(toolkit, person).devices()).map((device) => ({
        ...device,
        state: device.revokedAt !== null ? "revoked" : device.enrolment.until <= now ? "ended" : "paired",
      }));
      const rows = own.map(({ enrolment, state }) => [
        enrolment.deviceId,
        enrolment.region,
        minuteText(enrolment.createdAt),
        minuteText(enrolment.until),
        state,
      ]);
      output.result(
        { devices: own.map(({ enrolment, revokedAt, state }) => ({ ...enrolment, revokedAt, state })) },
        own.length === 0
          ? "No wearable is paired."
          : table([["device", "region", "paired", "until", "state"], ...rows], output.colours),
      );
    }),
  );
}

export function unpair(): Command {
  return withPerson(newCommand("unpair", "end a wearable for good: lost, stolen, or given away"))
    .requiredOption("--device-id <id>", "as `medcloudlet keys devices` shows it", deviceId)
    .action((options: PersonOptions & { deviceId: string }) =>
      asPerson(options, async (person, toolkit) => {
        const output = outputOf(options);
        const owner = ownerOf(toolkit, person);
        const before = (await owner.devices()).find(
          ({ enrolment }) => enrolment.deviceId === options.deviceId,
        );
        if (before !== undefined && before.revokedAt !== null) {
          output.result(
            { deviceId: options.deviceId, revoked: true, already: true, revokedAt: before.revokedAt },
            `Device ${options.deviceId} was unpaired already, ${minuteOf(before.revokedAt)}: nothing was to be done.`,
          );
          return;
        }
        await owner.revokeDevice(options.deviceId);
        output.result(
          { deviceId: options.deviceId, revoked: true, already: false },
          `Device ${options.deviceId} gets no ticket any more, and readers refuse what it measures from now on.\n` +
            "A ticket that it has lives for up to an hour; readings that a thief back-dates to before this moment\n" +
            "cannot be told from real ones until then.",
        );
      }),
    );
}
