import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import {
  CONTACT_CARD,
  type ContactCard,
  cardFingerprint,
  giveShare,
  nameGuardians,
  recoveryRequests,
  vetoRecovery,
} from "../client/index.ts";
import { asPerson, newCommand, outputOf, type PersonOptions, wholeNumber, withPerson } from "./options.ts";
import { groups, table } from "./output.ts";
import { confirm } from "./secret-input.ts";

/** `medcloudlet account card` */
export function cardCommand(): Command {
  return withPerson(
    newCommand(
      "card",
      "print what somebody needs who wants to name you a guardian or a moderator; nothing in it is secret",
    ),
  ).action((options: PersonOptions) =>
    asPerson(options, async ({ session }) => {
      const { accountId, handle, identity } = session.account;
      const card: ContactCard = { accountId, handle, identity };
      outputOf(options).result(card, JSON.stringify(card));
    }),
  );
}

/** A contact card in a file. @throws MedcloudletError `CLI_FILE` */
export async function readCard(file: string): Promise<ContactCard> {
  try {
    return CONTACT_CARD.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    throw new MedcloudletError(
      "CLI_FILE",
      `${file} is no contact card: whoever it is of makes one with \`medcloudlet account card\`.`,
      { cause },
    );
  }
}

interface GuardiansOptions extends PersonOptions {
  readonly card: string[];
  readonly threshold: number;
  readonly compared?: true;
}

/** `medcloudlet account guardians` */
export function guardiansCommand(): Command {
  return withPerson(
    newCommand("guardians", "let several people together bring your account back; ends an earlier choice"),
  )
    .requiredOption("--card <file...>", "contact cards of the guardians, two to eight")
    .requiredOption("--threshold <number>", "how many of them it takes", wholeNumber(2, 8))
    .option("--compared", "you compared every guardian's fingerprint already")
    .action((options: GuardiansOptions) =>
      asPerson(options, async ({ session, keys, contents }, { suite, clock }, again) => {
        const cards = await Promise.all(options.card.map(readCard));
        for (const card of options.compared === true ? [] : cards) {
          const question = `Ask ${card.handle} for their fingerprint (medcloudlet keys show). Is it\n\n  ${groups(await cardFingerprint(card))}\n\nthe same?`;
          if (!(await confirm(question))) {
            throw new MedcloudletError(
              "CLI_FINGERPRINT_UNKNOWN",
              "Nobody was named. Compare every fingerprint first, then say --compared.",
            );
          }
        }
        const { threshold } = options;
        const given = await again();
        await nameGuardians({ session, suite, clock, keys, contents, cards, threshold, given });
        outputOf(options).result(
          { guardians: cards.map(({ handle }) => handle), threshold },
          `Any ${threshold} of ${cards.map(({ handle }) => handle).join(", ")} can bring you back. Fewer learn nothing.`,
        );
      }),
    );
}

interface GuardOptions extends PersonOptions {
  readonly give?: string;
  readonly fingerprint?: string;
  readonly veto?: string;
}

/** `medcloudlet account guard` */
export function guardCommand(): Command {
  return withPerson(
    newCommand("guard", "list who asks for recovery, give your share as a guardian, or veto as the owner"),
  )
    .option("--give <id>", "give your share to this request")
    .option("--fingerprint <hex>", "the fingerprint that the person told you")
    .option("--veto <id>", "refuse this request for your own account")
    .action((options: GuardOptions) =>
      asPerson(options, async ({ session, keys }, { suite, clock }) => {
        const output = outputOf(options);
        if (options.veto !== undefined) {
          await vetoRecovery(session, options.veto);
          output.result({ vetoed: options.veto }, "Refused: nobody gets anything by this request.");
          return;
        }
        const { own, toAnswer } = await recoveryRequests(session);
        if (options.give === undefined) {
          const rows = [
            ...own.map(({ requestId, fingerprint, state }) => [requestId, "you", state, fingerprint]),
            ...toAnswer.map(({ requestId, fingerprint, owner }) => [
              requestId,
              owner.handle,
              "asks you",
              fingerprint,
            ]),
          ];
          output.result(
            { own, toAnswer: toAnswer.map(({ set, identity, ...shown }) => shown) },
            table([["id", "account of", "", "fingerprint of who asks"], ...rows], output.colours),
          );
          return;
        }
        const asked = toAnswer.find(({ requestId }) => requestId === options.give);
        if (asked === undefined) {
          throw new MedcloudletError(
            "RECOVERY_REQUEST_UNKNOWN",
            "Nobody asks you under this id: look it up in the list of requests.",
            { status: 404 },
          );
        }
        const told = options.fingerprint?.replace(/\s+/g, "").toLowerCase();
        if (told === undefined) {
          const question = `Call ${asked.owner.handle}, whose voice you know. Do they read you\n\n  ${groups(asked.fingerprint)}\n\nfrom their screen?`;
          if (!(await confirm(question))) {
            throw new MedcloudletError(
              "CLI_FINGERPRINT_UNKNOWN",
              "Nothing was given. Give the fingerprint that the person told you: --fingerprint HEX.",
            );
          }
        }
        const expectedFingerprint = told ?? asked.fingerprint;
        await giveShare({ session, suite, clock, keys, asked, expectedFingerprint });
        output.result({ given: asked.requestId }, "Your share is given, sealed to them alone.");
      }),
    );
}
