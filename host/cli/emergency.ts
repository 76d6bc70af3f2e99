import type { Command } from "commander";
import { MedcloudletError, systemClock } from "../base/index.ts";
import {
  createEmergencyStaff,
  createNoticeBoard,
  type EmergencyStaff,
  type KnownNotice,
  type PendingEmergency,
  personFingerprint,
} from "../client/index.ts";
import { EMERGENCY_MINUTES, TRUSTEES_MOST } from "../sealing/index.ts";
import { compareCard, fingerprintOf, fingerprintPairs, plainHex } from "./compare-fingerprint.ts";
import { type ShownStream, type ShowOptions, showStreams } from "./doctor.ts";
import { dutyCommand, equipCommand } from "./emergency-calls.ts";
import { helpCommand } from "./emergency-help.ts";
import { emergencyOf } from "./emergency-home.ts";
import { runningCommand, stopCommand } from "./emergency-officer.ts";
import { simulateEmergencyCommand } from "./emergency-simulate.ts";
import { noticeText, requestText } from "./emergency-words.ts";
import { type PersonAtWork, readerOf, type Toolkit } from "./home.ts";
import { abortOnInterrupt } from "./interrupt.ts";
import {
  asPerson,
  newCommand,
  newGroup,
  outputOf,
  type PersonOptions,
  wholeNumber,
  withPerson,
} from "./options.ts";
import { groups, minuteOf } from "./output.ts";
import { recordCountOf } from "./record-count.ts";
import { confirm } from "./secret-input.ts";

function staffOf(toolkit: Toolkit, { session, keys }: PersonAtWork): EmergencyStaff {
  return createEmergencyStaff({ ...toolkit, session, keys });
}

function prepare(): Command {
  return withPerson(
    newCommand("prepare", "as a patient, choose trustees who can open your medical data together"),
  )
    .requiredOption("--trustee <handle...>", `doctors or security officers, 2 to ${TRUSTEES_MOST}`)
    .option("--threshold <number>", "how many of them it takes", wholeNumber(2, TRUSTEES_MOST), 2)
    .option("--fingerprint <pair...>", "HANDLE=FINGERPRINT as the trustee told you; another is refused", [])
    .action((options: PersonOptions & { trustee: string[]; threshold: number; fingerprint: string[] }) =>
      asPerson(options, async (person, toolkit) => {
        const output = outputOf(options);
        const emergency = emergencyOf(toolkit, person);
        const given = fingerprintPairs(options.fingerprint);
        const trustees: { handle: string; expectedFingerprint: string }[] = [];
        for (const handle of options.trustee) {
          const known = given.get(handle) ?? person.contents.known[handle];
          const { fingerprint } = await emergency.lookUpTrustee(handle);
          const flag = `--fingerprint ${handle}=HEX`;
          trustees.push({
            handle,
            expectedFingerprint: await fingerprintOf(handle, fingerprint, known, flag),
          });
        }
        const { epochs } = await emergency.prepare({ trustees, threshold: options.threshold });
        const known = Object.fromEntries(
          trustees.map(({ handle, expectedFingerprint }) => [handle, expectedFingerprint]),
        );
        await person.save({ known: { ...person.contents.known, ...known } });
        const { bold } = output.colours;
        const { handle } = person.contents;
        const own = personFingerprint(person.keys);
        output.result(
          { trustees: options.trustee, threshold: options.threshold, epochs, handle, fingerprint: own },
          [
            `Any ${bold(String(options.threshold))} of ${bold(options.trustee.join(", "))} can open your medical data to a doctor`,
            "in an emergency. You are told when somebody asks. Carry this card with you:",
            "",
            `  medcloudlet  ${bold(handle)}`,
            `  fingerprint  ${groups(own)}`,
          ].join("\n"),
        );
      }),
    );
}

function request(): Command {
  return withPerson(newCommand("request", "as a doctor, ask a patient's trustees to open the medical data"))
    .requiredOption("--patient <handle>", "the patient's handle, as on the card they carry")
    .requiredOption("--reason <text>", "why; the patient, the trustees and the KDC's staff read it: no names")
    .option(
      "--minutes <number>",
      "for how long",
      wholeNumber(EMERGENCY_MINUTES.least, EMERGENCY_MINUTES.most),
      60,
    )
    .action((options: PersonOptions & { patient: string; reason: string; minutes: number }) =>
      asPerson(options, async (person, toolkit) => {
        const { patient, reason, minutes } = options;
        const emergency = await staffOf(toolkit, person).request({ patient, reason, minutes });
        const { emergencyId, needed, trustees, until } = emergency;
        outputOf(options).result(
          emergency,
          [
            `The patient and ${trustees} trustees have been told; ${needed} of them have to approve.`,
            `It ends at ${minuteOf(until)}, whatever happens. Once approved:`,
            `  medcloudlet emergency read ${emergencyId.slice(0, 8)}`,
          ].join("\n"),
        );
      }),
    );
}

function pending(): Command {
  return withPerson(
    newCommand("pending", "what goes on now: your requests, and those you may approve"),
  ).action((options: PersonOptions) =>
    asPerson(options, async (person, toolkit) => {
      const output = outputOf(options);
      const all = await staffOf(toolkit, person).pending();
      const now = systemClock.now();
      output.result(
        all.map(({ emergency, ...rest }) => ({ ...emergency, ...rest })),
        all.length === 0
          ? "Nothing goes on."
          : all.map((entry) => requestText(entry, now, output.colours)).join("\n\n"),
      );
    }),
  );
}

/** One of those that go on, by its id or the beginning of it. @throws MedcloudletError `CLI_EMERGENCY` */
async function choose(staff: EmergencyStaff, id: string): Promise<PendingEmergency> {
  const fitting = (await staff.pending()).filter(({ emergency }) => emergency.emergencyId.startsWith(id));
  const [only, ...others] = fitting;
  if (only === undefined || others.length > 0) {
    throw new MedcloudletError(
      "CLI_EMERGENCY",
      only === undefined
        ? `No emergency of yours that still goes on begins with "${id}": see medcloudlet emergency pending.`
        : `${fitting.length} emergencies of yours begin with "${id}": give more of the id.`,
    );
  }
  return only;
}

function approve(): Command {
  return withPerson(newCommand("approve", "as a trustee, agree to an emergency"))
    .argument("<id>", "the emergency, or the beginning of its id")
    .option(
      "--fingerprint <hex>",
      "the requester's fingerprint as the requester told you; another is refused",
    )
    .option("--yes", "agree without being asked; it is shown all the same")
    .action((id: string, options: PersonOptions & { fingerprint?: string; yes?: true }) =>
      asPerson(options, async (person, toolkit) => {
        const output = outputOf(options);
        const staff = staffOf(toolkit, person);
        const chosen = await choose(staff, id);
        const { handle } = chosen.emergency.requester;
        if (chosen.own) {
          throw new MedcloudletError(
            "EMERGENCY_OWN_APPROVAL",
            "This is your own request, and nobody approves their own: other trustees of the patient have to.",
            { status: 403 },
          );
        }
        output.heading(requestText(chosen, systemClock.now(), output.colours));
        const known =
          options.fingerprint === undefined ? person.contents.known[handle] : plainHex(options.fingerprint);
        const expectedFingerprint = await fingerprintOf(
          handle,
          chosen.requesterFingerprint,
          known,
          "--fingerprint HEX",
        );
        if (
          options.yes !== true &&
          !(await confirm("Do you agree, and hand your share on to this doctor?"))
        ) {
          throw new MedcloudletError("CLI_NOT_CONFIRMED", "Nothing was approved: answer yes, or give --yes.");
        }
        const after = await staff.approve({
          emergencyId: chosen.emergency.emergencyId,
          expectedFingerprint,
        });
        await person.save({ known: { ...person.contents.known, [handle]: expectedFingerprint } });
        output.result(
          after,
          after.phase === "open"
            ? output.colours.red(`It is open now, until ${minuteOf(after.until)}.`)
            : `Approved. ${after.needed - after.approvers.length} more within 15 minutes, or approve again.`,
        );
      }),
    );
}

function withdraw(): Command {
  return withPerson(newCommand("withdraw", "as a trustee, take an approval back while others are missing"))
    .argument("<id>", "the emergency, or the beginning of its id")
    .action((id: string, options: PersonOptions) =>
      asPerson(options, async (person, toolkit) => {
        const staff = staffOf(toolkit, person);
        const { emergency } = await choose(staff, id);
        outputOf(options).result(await staff.withdraw(emergency.emergencyId), "Your approval is withdrawn.");
      }),
    );
}

function read(): Command {
  return withPerson(newCommand("read", "as the requester, open the patient's medical data on this machine"))
    .argument("<id>", "the emergency, or the beginning of its id")
    .option("--fingerprint <hex>", "the patient's, from the card; another is refused")
    .option("--without-card", "believe the KDC about who this patient is, where no card can be found")
    .option("--follow", "go on with new readings until the end or Ctrl-C")
    .option("--csv <file>", "also write every opened sample to a CSV file")
    .action(
      (id: string, options: PersonOptions & ShowOptions & { fingerprint?: string; withoutCard?: true }) =>
        asPerson(options, async (person, toolkit) => {
          const output = outputOf(options);
          const staff = staffOf(toolkit, person);
          const { emergency } = await choose(staff, id);
          const { patient } = emergency;
          const expected =
            options.fingerprint === undefined
              ? person.contents.known[patient]
              : plainHex(options.fingerprint);
          const opened = await staff.open(emergency.emergencyId, expected);
          for (const { handle, code } of opened.liars) {
            output.note(
              output.colours.red(
                `  ✗ ${handle} handed on a false share [${code}]: tell the security officer.`,
              ),
            );
          }
          const { until } = opened;
          const shown: ShownStream[] = [];
          for (const stream of opened.streams) {
            const record = await recordCountOf(person.session, stream);
            shown.push({ stream, leave: "emergency, open", until, record });
          }
          const [first] = opened.streams;
          if (expected === undefined && options.withoutCard === true) {
            output.trouble(
              output.colours.yellow(
                `  Nobody has compared the fingerprint of ${patient}: whether these are their data, the KDC alone says.`,
              ),
            );
          } else if (first !== undefined) {
            const compared = expected ?? (await compareCard(patient, first.ownerFingerprint));
            await person.save({ known: { ...person.contents.known, [patient]: compared } });
          }
          await showStreams(readerOf(toolkit, person), shown, { ...options, endsAt: until }, output);
          if (systemClock.now() >= until) {
            output.note("  The emergency is over.");
          }
        }),
    );
}

/** A patient ends by an id of their own list, a doctor by one of their requests. */
function end(): Command {
  return withPerson(newCommand("end", "as the patient or the requester, end an emergency now"))
    .argument("<id>", "the emergency, or the beginning of its id")
    .action((id: string, options: PersonOptions) =>
      asPerson(options, async (person, toolkit) => {
        const output = outputOf(options);
        if (person.contents.role !== "patient") {
          const staff = staffOf(toolkit, person);
          const { emergency } = await choose(staff, id);
          output.result(await staff.end(emergency.emergencyId), "It has ended.");
          return;
        }
        const own = emergencyOf(toolkit, person);
        const fitting = (await own.list()).filter(
          ({ emergencyId, phase }) => emergencyId.startsWith(id) && phase !== "ended",
        );
        if (fitting.length !== 1) {
          throw new MedcloudletError(
            "CLI_EMERGENCY",
            `${fitting.length} running emergencies about you begin with "${id}": see medcloudlet emergency notices.`,
          );
        }
        output.result(
          await own.end(fitting[0]?.emergencyId as string),
          "It has ended: no key and no ticket is given out any more, and those that are out live for five minutes\n" +
            "at most. What was read stays read. Start a new key: medcloudlet emergency afterwards",
        );
      }),
    );
}

function notices(): Command {
  return withPerson(newCommand("notices", "what the KDC tells you: requests, approvals, ends"))
    .option("--all", "also those that you have seen")
    .option("--follow", "go on with what comes, until Ctrl-C")
    .action((options: PersonOptions & { all?: true; follow?: true }) =>
      asPerson(options, async ({ session }) => {
        const output = outputOf(options);
        const board = createNoticeBoard(session);
        const { dim, red } = output.colours;
        const line = (notice: KnownNotice) =>
          `${dim(minuteOf(notice.at))}  ${noticeText(notice, output.colours)}  ${dim(notice.object.slice(0, 8))}`;
        if (options.follow) {
          const onTrouble = ({ message, code }: MedcloudletError) =>
            output.note(red(`  NO CONNECTION, notices may be missing: ${message} [${code}]`));
          for await (const notice of board.follow(abortOnInterrupt(), { onTrouble })) {
            output.result(notice, line(notice));
          }
          return;
        }
        const list = await board.list({ unseen: options.all !== true });
        output.result(list, list.length === 0 ? "Nothing new." : list.map(line).join("\n"));
        for (const { noticeId, seenAt } of list) {
          if (seenAt === null) {
            await board.markSeen(noticeId);
          }
        }
      }),
    );
}

function afterwards(): Command {
  return withPerson(
    newCommand("afterwards", "as a patient, start a new key where an emergency opened the newest one"),
  ).action((options: PersonOptions) =>
    asPerson(options, async (person, toolkit) => {
      const { emergencies, epoch } = await emergencyOf(toolkit, person).afterwards();
      outputOf(options).result(
        { emergencies: emergencies.map(({ emergencyId }) => emergencyId), epoch: epoch?.number ?? null },
        epoch === null
          ? "No emergency has opened your newest key: nothing to do."
          : `Epoch ${epoch.number} of medical has begun: who read in the emergency cannot open what comes now.\n` +
              "Those you share with can.",
      );
    }),
  );
}

/** `medcloudlet emergency …`: break-glass, for patients, trustees and whoever has to read. */
export function emergencyCommand(): Command {
  const command = newGroup("emergency", "break-glass: trustees open medical data for a short time");
  for (const subcommand of [
    prepare(),
    request(),
    pending(),
    approve(),
    withdraw(),
    read(),
    end(),
    runningCommand(),
    stopCommand(),
    notices(),
    afterwards(),
    dutyCommand(),
    equipCommand(),
    helpCommand(),
    simulateEmergencyCommand(),
  ]) {
    command.addCommand(subcommand);
  }
  return command;
}
