import { sha256 } from "@noble/hashes/sha2.js";
import { type Clock, MedcloudletError, toHex, utf8 } from "../base/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";

/** Something that the owner of an account is told, whether they ask or not. */
export interface Notice {
  /** Of account, kind, object, actor and occurrence: the same event is told once. */
  readonly _id: string;
  /** Whom it is for. */
  readonly accountId: string;
  /** When it happened, ms since 1970 UTC. One of the future is told from then on. */
  readonly at: number;
  /** What happened: `emergency.requested`, `recovery.started`, … */
  readonly kind: string;
  /** Handle of who did it; null where time did. */
  readonly who: string | null;
  /** Id of what it is about. */
  readonly object: string;
  readonly reason: string | null;
  /** Until when it lasts, ms since 1970 UTC. */
  readonly until: number | null;
  readonly seenAt: number | null;
}

export interface NoticeInput {
  readonly to: string;
  readonly kind: string;
  readonly object: string;
  readonly who?: string;
  readonly reason?: string;
  readonly until?: number;
  /** Now, where it is left out. */
  readonly at?: number;
  /** Tells apart what can happen several times to one object by one actor. */
  readonly occurrence?: number;
}

/** What accounts are told. A notice that was sent is on disk. */
export interface Notices {
  /** Sending the same event again changes nothing, except that an earlier `at` wins: an end can come sooner. */
  send(notice: NoticeInput): Promise<void>;
  /** The newest notices of an account, newest first. */
  ofAccount(accountId: string, options: { unseen: boolean; limit: number }): Promise<Notice[]>;
  /** @throws MedcloudletError `NOTICE_UNKNOWN` */
  markSeen(accountId: string, noticeId: string): Promise<void>;
}

/**
 * Notices kept of each kind. By kind, so that whoever makes one happen again and again buries none of another: a
 * trustee who approves and withdraws all day does not push an opening out.
 */
const KEPT_OF_KIND = 500;
/** Looked for and deleted together, so that not every notice costs it. */
const TRIMMED_AT_ONCE = 20;

/** How a notice leaves the KDC. */
export function presentNotice({ _id, at, kind, who, object, reason, until, seenAt }: Notice) {
  return { noticeId: _id, at, kind, who, object, reason, until, seenAt };
}

function noticeId({ to, kind, object, who = "", occurrence = 0 }: NoticeInput): string {
  return toHex(sha256(utf8(JSON.stringify([to, kind, object, who, occurrence])))).slice(0, 32);
}

export async function createNotices(store: Store, clock: Clock, keptOfKind = KEPT_OF_KIND): Promise<Notices> {
  const notices = await store.collection<Notice>({
    name: "notices",
    indexes: [{ fields: { accountId: 1, at: 1 } }, { fields: { accountId: 1, kind: 1, at: 1 } }],
  });

  const trim = async (accountId: string, kind: string): Promise<void> => {
    const alike = { accountId: { $eq: accountId }, kind: { $eq: kind } };
    if ((await notices.countDocuments(alike)) < keptOfKind + TRIMMED_AT_ONCE) {
      return;
    }
    const surplus = await notices.find(alike, {
      sort: { at: -1, _id: 1 },
      skip: keptOfKind,
      projection: { _id: 1 },
    });
    await notices.deleteMany({ _id: { $in: surplus.map(({ _id }) => _id) } });
  };

  return {
    async send(notice) {
      const { to, kind, object, who = null, reason = null, until = null, at = clock.now() } = notice;
      const _id = noticeId(notice);
      try {
        await notices.insertOne({ _id, accountId: to, at, kind, who, object, reason, until, seenAt: null });
        await trim(to, kind);
      } catch (error) {
        if (!isDuplicate(error)) {
          throw error;
        }
        await notices.updateOne({ _id: { $eq: _id } }, { $min: { at } });
      }
    },
    ofAccount(accountId, { unseen, limit }) {
      const own = { accountId: { $eq: accountId }, at: { $lte: clock.now() } };
      return notices.find(unseen ? { ...own, seenAt: { $eq: null } } : own, {
        sort: { at: -1, _id: 1 },
        limit,
      });
    },
    async markSeen(accountId, id) {
      const own = { _id: { $eq: id }, accountId: { $eq: accountId }, at: { $lte: clock.now() } };
      const { matched } = await notices.updateOne(
        { ...own, seenAt: { $eq: null } },
        { $set: { seenAt: clock.now() } },
      );
      if (matched === 0 && (await notices.findOne(own)) === null) {
        throw new MedcloudletError("NOTICE_UNKNOWN", "There is no notice of yours with this id.", {
          status: 404,
        });
      }
    },
  };
}
