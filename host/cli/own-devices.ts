import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../base/index.ts";
import { ownerOf } from "./home.ts";
import { asPerson, newCommand, outputOf, type PersonOptions, withPerson } from "./options.ts";
import { table } from "./output.ts";

const day = (time: number) => new Date(time).toISOString().slice(0, 16).replace("T", " ");

function deviceId(text: string): string {
  if (!/^[0-9a-f]{32}$/.test(text)) {
    throw new InvalidArgumentError("Expected 32 hex digits, as `medcloudlet keys devices` shows them.");
  }
  return text;
}

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
        day(enrolment.createdAt),
        day(enrolment.until),
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
            `Device ${options.deviceId} was unpaired already, ${day(before.revokedAt)} UTC: nothing was to be done.`,
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
