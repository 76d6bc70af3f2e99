import { z } from "zod";
import { idSchema } from "../sealing/index.ts";
import type { KdcSession } from "./kdc-client.ts";

/** One line of text: notices are shown on terminals, and the KDC is not believed. */
const lineSchema = z
  .string()
  .max(500)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u);
const timeSchema = z.number().int().nonnegative();

const NOTICES = z.object({
  notices: z.array(
    z.object({
      noticeId: idSchema,
      at: timeSchema,
      kind: z.string().regex(/^[a-z.-]{1,60}$/),
      who: lineSchema.nullable(),
      object: lineSchema,
      reason: lineSchema.nullable(),
      until: timeSchema.nullable(),
      seenAt: timeSchema.nullable(),
    }),
  ),
});
/** Something that the KDC tells the owner of an account. */
export type KnownNotice = z.infer<typeof NOTICES>["notices"][number];

/** What an account is told. */
export interface NoticeBoard {
  /** The newest first, at most a hundred. */
  list(options?: { readonly unseen?: boolean }): Promise<KnownNotice[]>;
  /** @throws MedcloudletError `NOTICE_UNKNOWN` */
  markSeen(noticeId: string): Promise<void>;
}

export function createNoticeBoard(session: KdcSession): NoticeBoard {
  return {
    async list({ unseen = false } = {}) {
      return (await session.call(NOTICES, { method: "GET", path: `/notices?unseen=${unseen}` })).notices;
    },
    async markSeen(noticeId) {
      await session.call(z.unknown(), { method: "POST", path: `/notices/${noticeId}/seen` });
    },
  };
}
