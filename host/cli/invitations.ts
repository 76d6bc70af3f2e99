import type { Command } from "commander";
import { MedcloudletError } from "../base/index.ts";
import { createAccountClient, type OwnInvitation } from "../client/index.ts";
import { asPerson, newCommand, outputOf, type PersonOptions, withPerson } from "./options.ts";
import { minuteText, table } from "./output.ts";

const stateOf = ({ usedAt, usedBy, expiresAt }: OwnInvitation): string =>
  usedAt === null
    ? `waits until ${minuteText(expiresAt)}`
    : `used ${minuteText(usedAt)} by ${usedBy ?? "nobody yet"}`;

/** `medcloudlet keys invitations`: what became of them, and taking one back. */
export function invitationsCommand(): Command {
  return withPerson(
    newCommand("invitations", "list the invitations you made, or withdraw one that was not used"),
  )
    .option("--withdraw <id>", "the invitation, or the beginning of its id")
    .action((options: PersonOptions & { withdraw?: string }) =>
      asPerson(options, async ({ session }) => {
        const output = outputOf(options);
        const account = createAccountClient(session);
        const { withdraw } = options;
        if (withdraw !== undefined) {
          const fitting = (await account.invitations()).filter(({ invitationId }) =>
            invitationId.startsWith(withdraw),
          );
          const [only, ...others] = fitting;
          if (only === undefined || others.length > 0) {
            throw new MedcloudletError(
              "CLI_INVITATION",
              only === undefined
                ? `No invitation of yours begins with "${withdraw}": see medcloudlet keys invitations.`
                : `${fitting.length} invitations of yours begin with "${withdraw}": give more of the id.`,
            );
          }
          await account.withdrawInvitation(only.invitationId);
          output.result(
            { withdrawn: only.invitationId },
            `The invitation for a ${only.role} is withdrawn: its code makes no account any more.`,
          );
          return;
        }
        const invitations = await account.invitations();
        output.result(
          { invitations },
          invitations.length === 0
            ? "You have made none that waits or was used."
            : table(
                [
                  ["id", "role", ""],
                  ...invitations.map((invitation) => [
                    invitation.invitationId.slice(0, 8),
                    invitation.role,
                    stateOf(invitation),
                  ]),
                ],
                output.colours,
              ),
        );
      }),
    );
}
