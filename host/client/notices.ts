import { z } from "zod";
import { createSignal, isPassing, type MedcloudletError } from "../base/index.ts";
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
  /**
   * Everything unseen, oldest first, and then what comes, until `signal` aborts; asks every few seconds. A notice is
   * marked as seen once the next is asked for. While the KDC is away it tries again and says so to `onTrouble`: no
   * news must not look like good news.
   */
  follow(
    signal: AbortSignal,
    options?: { readonly everyMs?: number; readonly onTrouble?: (error: MedcloudletError) => void },
  ): AsyncGenerator<KnownNotice>;
}

const EVERY_MS = 5000;

export function createNoticeBoard(session: KdcSession): NoticeBoard {
  const list: NoticeBoard["list"] = async ({ unseen = false } = {}) =>
    (await session.call(NOTICES, { method: "GET", path: `/notices?unseen=${unseen}` })).notices;
  const markSeen: NoticeBoard["markSeen"] = async (noticeId) => {
    await session.call(z.unknown(), { method: "POST", path: `/notices/${noticeId}/seen` });
  };
  return {
    list,
    markSeen,
    async *follow(signal, { everyMs = EVERY_MS, onTrouble } = {}) {
      const wake = createSignal();
      signal.addEventListener("abort", wake.signal);
      try {
        while (!signal.aborted) {
          try {
            for (const notice of (await list({ unseen: true })).reverse()) {
              yield notice;
              await markSeen(notice.noticeId);
            }
          } catch (error) {
            if (!isPassing(error)) {
              throw error;
            }
            onTrouble?.(error);
          }
          await wake.wait(everyMs);
        }
      } finally {
        signal.removeEventListener("abort", wake.signal);
      }
    },
  };
}
