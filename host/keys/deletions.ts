import { type Clock, MedcloudletError } from "../base/index.ts";
import type { Account, Accounts, Notices } from "../identity/index.ts";
import type { Store } from "../store/index.ts";
import type { Consents } from "./consents.ts";
import type { Epochs } from "./epochs.ts";
import { deleteKept } from "./kept-of-account.ts";

/**
 * How far a patient's deletion of everything is. `waiting`: announced, and can be withdrawn. `begun`: for good; streams
 * are being deleted at the cloud. `erasing`: what the KDC keeps goes. `done`: nothing but this and the closed account is
 * left.
 */
export interface Deletion {
  /** Account id. */
  readonly _id: string;
  readonly state: "waiting" | "begun" | "erasing" | "done";
  /** ms since 1970 UTC, as are all times here. */
  readonly announcedAt: number;
  /** From when it can be begun without being asked again. */
  readonly dueAt: number;
}

export interface Deletions {
  /** Announces it; announced before, it stays as it is. The owner is told. */
  announce(account: Account): Promise<Deletion>;
  /** Where it stands, or null. */
  of(accountId: string): Promise<Deletion | null>;
  /** Takes an announcement back. @throws MedcloudletError `DELETION_NOT_ANNOUNCED`, `DELETION_BEGUN` */
  withdraw(account: Account): Promise<void>;
  /**
   * Begins it for good. `confirmed` says that the owner was asked a second time, and need not wait. Readers are told.
   * @throws MedcloudletError `DELETION_NOT_ANNOUNCED`, `DELETION_NOT_DUE`
   */
  begin(account: Account, confirmed: boolean): Promise<Deletion>;
  /** @throws MedcloudletError `DELETION_NOT_BEGUN` */
  requireBegun(accountId: string): Promise<void>;
  /**
   * Deletes what the KDC keeps, once all the owner's streams are deleted at the cloud, and closes the account for good.
   * @param streams those that the owner has deleted there
   * @throws MedcloudletError `DELETION_NOT_BEGUN`, `DELETION_INCOMPLETE` with the `streams` that are missing
   */
  finish(account: Account, streams: readonly string[]): Promise<void>;
  /** Finishes what a crash cut off. */
  resume(): Promise<void>;
}

/** How long somebody can think better of it. */
const GRACE_MS = 24 * 60 * 60 * 1000;
const CONSENTS_A_PAGE = 500;

function conflict(code: string, message: string, details: Record<string, unknown> = {}): MedcloudletError {
  return new MedcloudletError(code, message, { status: 409, details });
}

export async function createDeletions(rooms: {
  readonly store: Store;
  readonly clock: Clock;
  readonly accounts: Pick<Accounts, "bury">;
  readonly epochs: Pick<Epochs, "ofOwner">;
  readonly consents: Pick<Consents, "ofOwner">;
  readonly notices: Pick<Notices, "send">;
  /** Waits until nothing is on its way any more that rests on the account. */
  readonly settled: (closed: Account) => Promise<void>;
}): Promise<Deletions> {
  const { store, clock, accounts, epochs, consents, notices } = rooms;
  const deletions = await store.collection<Deletion>({
    name: "deletions",
    indexes: [{ fields: { state: 1 } }],
  });
  const find = (accountId: string) => deletions.findOne({ _id: { $eq: accountId } });

  const notAnnounced = () =>
    conflict("DELETION_NOT_ANNOUNCED", "No deletion was announced: announce it, with your password, first.");
  const notBegun = () => conflict("DELETION_NOT_BEGUN", "The deletion was not begun: begin it first.");

  /** Everybody who may read now hears that there will be nothing more. */
  const tellReaders = async ({ _id: owner, handle }: Account): Promise<void> => {
    for (let after = ""; ; ) {
      const page = await consents.ofOwner(owner, { after, limit: CONSENTS_A_PAGE });
      for (const { reader, revokedAt, until } of page) {
        if (revokedAt === null && until > clock.now()) {
          await notices.send({ to: reader, kind: "patient.deleted", object: handle, who: handle });
        }
      }
      const last = page.at(-1);
      if (last === undefined || page.length < CONSENTS_A_PAGE) {
        return;
      }
      after = last._id;
    }
  };

  /** What comes behind `erasing`: each step can be done again. */
  const erase = async (accountId: string): Promise<void> => {
    await accounts.bury(accountId);
    await deleteKept(store, accountId);
    await deletions.updateOne({ _id: { $eq: accountId } }, { $set: { state: "done" } });
  };

  return {
    async announce({ _id, handle }) {
      const now = clock.now();
      const fields = { state: "waiting" as const, announcedAt: now, dueAt: now + GRACE_MS };
      await deletions.updateOne({ _id: { $eq: _id } }, { $setOnInsert: fields }, { upsert: true });
      const deletion = (await find(_id)) as Deletion;
      const { announcedAt, dueAt } = deletion;
      const told = { to: _id, kind: "deletion.announced", object: _id, who: handle, until: dueAt };
      await notices.send({ ...told, occurrence: announcedAt });
      return deletion;
    },
    of: find,
    async withdraw({ _id, handle }) {
      const deletion = await find(_id);
      if (deletion === null) {
        throw notAnnounced();
      }
      const gone = await deletions.deleteOne({ _id: { $eq: _id }, state: { $eq: "waiting" } });
      if (gone === 0) {
        throw conflict("DELETION_BEGUN", "The deletion has begun: nothing takes it back.");
      }
      const told = { to: _id, kind: "deletion.withdrawn", object: _id, who: handle };
      await notices.send({ ...told, occurrence: deletion.announcedAt });
    },
    async begin(account, confirmed) {
      const deletion = await find(account._id);
      if (deletion === null) {
        throw notAnnounced();
      }
      if (deletion.state !== "waiting") {
        return deletion;
      }
      if (!confirmed && deletion.dueAt > clock.now()) {
        throw conflict(
          "DELETION_NOT_DUE",
          "Until then it can be withdrawn: wait, or confirm it with your password and your handle.",
          { dueAt: deletion.dueAt },
        );
      }
      await tellReaders(account);
      const begun = await deletions.findOneAndUpdate(
        { _id: { $eq: account._id }, state: { $eq: "waiting" } },
        { $set: { state: "begun" } },
        { returnDocument: "after" },
      );
      if (begun === null) {
        // Withdrawn from another session in between.
        throw notAnnounced();
      }
      return begun;
    },
    async requireBegun(accountId) {
      const deletion = await find(accountId);
      if (deletion === null || deletion.state === "waiting") {
        throw notBegun();
      }
    },
    async finish(account, streams) {
      const deletion = await find(account._id);
      if (deletion === null || deletion.state === "waiting") {
        throw notBegun();
      }
      const own = new Set((await epochs.ofOwner(account._id)).map(({ streamId }) => streamId));
      const missing = [...own].filter((streamId) => !streams.includes(streamId));
      if (missing.length > 0) {
        throw conflict("DELETION_INCOMPLETE", "Delete these streams at the cloud first.", {
          streams: missing,
        });
      }
      await deletions.updateOne({ _id: { $eq: account._id } }, { $set: { state: "erasing" } });
      await accounts.bury(account._id);
      // Consents are asked for who may be waiting for an answer, so this comes before they go.
      await rooms.settled(account);
      await erase(account._id);
    },
    async resume() {
      // Those that are done, too: what was on its way in then, or came back from an older backup, goes now.
      for (const { _id } of await deletions.find({ state: { $in: ["erasing", "done"] } })) {
        await erase(_id);
      }
    },
  };
}
