import { z } from "zod";
import { idSchema } from "../sealing/index.ts";
import type { Accounts } from "./accounts.ts";
import type { Invitations } from "./invitations.ts";
import type { Routes } from "./routes.ts";

const BY_ID = z.strictObject({ invitationId: idSchema });

/** What became of one's own invitations, and taking them back, under `/v1` of the KDC. */
export function addInvitationRoutes(
  routes: Routes,
  rooms: { readonly accounts: Accounts; readonly invitations: Invitations },
): void {
  const { accounts, invitations } = rooms;

  routes.session({
    method: "get",
    path: "/invitations",
    action: "invitation.list",
    async handle({ account }) {
      const own = await invitations.of(account._id);
      const presented = await Promise.all(
        own.map(async ({ usedBy, ...invitation }) => ({
          ...invitation,
          usedBy: usedBy === null ? null : ((await accounts.byId(usedBy))?.handle ?? null),
        })),
      );
      return { status: 200, json: { invitations: presented } };
    },
  });

  // Another's and none look alike.
  routes.session({
    method: "delete",
    path: "/invitations/:invitationId",
    action: "invitation.withdraw",
    params: BY_ID,
    async handle({ account, params: { invitationId }, concerning }) {
      concerning({ object: invitationId });
      await invitations.withdraw(invitationId, account._id);
      return { status: 204, empty: true };
    },
  });
}
