import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import { goOnDuty } from "../client/index.ts";
import { type MemberOptions, openKeys, ownCommunity, readMember, withMember } from "./community-home.ts";
import { writeHelpPlan } from "./device-caller.ts";
import { isPaired } from "./device-folder.ts";
import { asPerson, newCommand, outputOf, type PersonOptions, wholeNumber, withPerson } from "./options.ts";
import { minuteOf } from "./output.ts";

/** `medcloudlet emergency duty`. */
export function dutyCommand(): Command {
  return withPerson(
    newCommand("duty", "as a doctor, be on duty: wearables' calls ask the trustees in your name"),
  )
    .option("--hours <number>", "for how long from now", wholeNumber(1, 24), 8)
    .option("--end", "end it now")
    .action((options: PersonOptions & { hours: number; end?: true }) =>
      asPerson(options, async ({ session, keys }, { clock }) => {
        const minutes = options.end === true ? 0 : options.hours * 60;
        const duty = await goOnDuty({ session, keys, clock, minutes });
        outputOf(options).result(
          duty,
          options.end === true
            ? "You are not on duty any more."
            : [
                `On duty until ${minuteOf(duty.until)}. When a wearable calls, you are told:`,
                "  medcloudlet emergency notices --follow",
                "Nothing opens by the call alone: two trustees of the patient approve, as ever.",
              ].join("\n"),
        );
      }),
    );
}

interface EquipOptions extends MemberOptions {
  readonly device: string;
  readonly threshold: number;
}

/** `medcloudlet emergency equip`. */
export function equipCommand(): Command {
  return withMember(
    newCommand("equip", "as a patient, let your wearable call members of your community to help"),
  )
    .requiredOption("--device <folder>", "folder of the paired device")
    .option(
      "--threshold <number>",
      "how many of your confirmed conditions a helper must share",
      wholeNumber(0, 32),
      1,
    )
    .action(async (options: EquipOptions) => {
      const output = outputOf(options);
      if (!(await isPaired(options.device))) {
        throw new MedcloudletError(
          "CLI_DEVICE_MISSING",
          `No device is paired in ${options.device}: its owner pairs one with \`medcloudlet keys pair --device ${options.device}\`.`,
        );
      }
      const { contents } = await openKeys(options);
      const { community, title } = await ownCommunity(contents, options);
      const state = await readMember(contents, options.home, community);
      const codes = (state?.admission?.codes ?? []).map(({ confirmed }) => confirmed);
      if (state === null || codes.length === 0) {
        throw new MedcloudletError(
          "CLI_COMMUNITY",
          "You have not joined this community yet: medcloudlet community join ADMISSION.",
        );
      }
      const { threshold } = options;
      if (threshold > codes.length) {
        throw new MedcloudletError(
          "CLI_THRESHOLD",
          `You have ${codes.length} confirmed conditions, so nobody can share ${threshold}: choose a lower threshold.`,
        );
      }
      await writeHelpPlan(options.device, {
        format: "medcloudlet-help-plan-1",
        community: state.community,
        codes,
        threshold,
      });
      output.result(
        { device: options.device, community, threshold, codes: codes.length },
        [
          `In an emergency this wearable calls members of ${output.colours.bold(title)} near by.`,
          `Who shares ${threshold} of your ${codes.length} confirmed conditions may carry sealed readings to the cloud,`,
          "where your cloudlet cannot. They can open none, and do not learn what you share.",
        ].join("\n"),
      );
    });
}
