import type { Account, Accounts, Notices } from "../identity/index.ts";
import type { Emergency } from "./emergency-record.ts";

/** What people are told of an emergency. Each fulfils once the notices are on disk, and can be said again. */
export interface EmergencyNotices {
  /** To the patient and the trustees, before the request stands. */
  requested(emergency: Emergency, requester: Account): Promise<void>;
  /**
   * To the patient, that it will be over. Said once the request stands: one that is refused for its used id would else
   * tell a patient that an emergency is over which is not.
   */
  willEnd(emergency: Emergency): Promise<void>;
  /** To the patient, before any key leaves; nothing for one that is not open. */
  opened(emergency: Emergency): Promise<void>;
  approved(emergency: Emergency, approver: Account, approvedAt: number): Promise<void>;
  withdrawn(emergency: Emergency, approver: Account): Promise<void>;
  ended(emergency: Emergency): Promise<void>;
  /** To the patient and the requester, that a security officer ended it, and why. */
  stopped(emergency: Emergency, officer: Account, reason: string): Promise<void>;
}

export function createEmergencyNotices(rooms: {
  readonly accounts: Accounts;
  readonly notices: Notices;
}): EmergencyNotices {
  const { accounts, notices } = rooms;
  return {
    async requested({ _id, owner, trustees, reason, until, requester: requesterId }, requester) {
      const notice = { object: _id, who: requester.handle, reason, until };
      await notices.send({ ...notice, to: owner, kind: "emergency.requested" });
      for (const trustee of trustees.filter((id) => id !== requesterId)) {
        await notices.send({ ...notice, to: trustee, kind: "emergency.approval-needed" });
      }
    },
    async willEnd({ _id, owner, until }) {
      await notices.send({ to: owner, kind: "emergency.ended", object: _id, at: until });
    },
    async opened(emergency) {
      const { _id, owner, openedAt, reason, until } = emergency;
      if (openedAt === null) {
        return;
      }
      const requester = await accounts.byId(emergency.requester);
      await notices.send({
        to: owner,
        kind: "emergency.opened",
        object: _id,
        who: requester?.handle ?? emergency.requester,
        reason,
        until,
        at: openedAt,
      });
      // Where a crash came between the request and this: an emergency that opened has an end, too.
      await this.willEnd(emergency);
    },
    async approved({ _id, owner, until }, { handle }, approvedAt) {
      await notices.send({
        to: owner,
        kind: "emergency.approved",
        object: _id,
        who: handle,
        until,
        occurrence: approvedAt,
      });
    },
    async withdrawn({ _id, owner, version }, { handle }) {
      await notices.send({
        to: owner,
        kind: "emergency.approval-withdrawn",
        object: _id,
        who: handle,
        occurrence: version,
      });
    },
    async ended({ _id, owner }) {
      await notices.send({ to: owner, kind: "emergency.ended", object: _id });
    },
    async stopped({ _id, owner, requester }, { handle }, reason) {
      for (const to of [owner, requester]) {
        await notices.send({ to, kind: "emergency.stopped", object: _id, who: handle, reason });
      }
    },
  };
}
