import { z } from "zod";
import { idSchema } from "../sealing/index.ts";
import { type Notices, presentNotice } from "./notices.ts";
import type { Routes } from "./routes.ts";

const LIST = z.strictObject({
  unseen: z.enum(["true", "false"]).default("false"),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
const BY_ID = z.strictObject({ id: idSchema });

/** What an account is told, under `/v1` of the KDC. */
export function addNoticeRoutes(routes: Routes, rooms: { readonly notices: Notices }): void {
  const { notices } = rooms;

  routes.session({
    method: "get",
    path: "/notices",
    action: "notice.list",
    query: LIST,
    async handle({ account, query: { unseen, limit } }) {
      const own = await notices.ofAccount(account._id, { unseen: unseen === "true", limit });
      return { status: 200, json: { notices: own.map(presentNotice) } };
    },
  });

  routes.session({
    method: "post",
    path: "/notices/:id/seen",
    action: "notice.mark-seen",
    params: BY_ID,
    async handle({ account, params: { id } }) {
      await notices.markSeen(account._id, id);
      return { status: 200, json: { noticeId: id } };
    },
  });
}
