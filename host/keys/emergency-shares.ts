import { type Bytes, type Clock, MedcloudletError } from "../base/index.ts";
import type { Accounts, Role } from "../identity/index.ts";
import {
  EMERGENCY_EPOCHS_MOST,
  EMERGENCY_SHARE,
  type EmergencyShare,
  verifyStatement,
} from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";
import type { Epochs } from "./epochs.ts";

/** Who may be a trustee: staff, who can be asked to account for what they approve. */
export const TRUSTEE_ROLES: readonly Role[] = ["doctor", "security-officer"];
const CLOCK_SKEW_MS = 30_000;
const EMERGENCY_REGION = "medical";

/** All shares of one epoch: one document, so that no epoch is ever shared between an old and a new set of trustees. */
interface ShareSetRecord {
  /** The epoch's id. */
  readonly _id: string;
  readonly owner: string;
  readonly setId: string;
  readonly threshold: number;
  readonly createdAt: number;
  readonly trustees: readonly string[];
  readonly shares: readonly { readonly trustee: string; readonly statement: string }[];
}

/** What an owner prepared last, as far as an emergency can use it. */
export interface Preparation {
  readonly setId: string;
  readonly threshold: number;
  readonly trustees: readonly string[];
  /** The newest epochs that are shared under it, newest first. */
  readonly epochIds: readonly string[];
}

/** Sealed shares of patients' epoch keys. The KDC can open none of them. */
export interface EmergencyShares {
  /**
   * Takes all shares of one epoch; a newer preparation replaces an older one.
   * @throws MedcloudletError `STATEMENT_INVALID`, `EMERGENCY_SHARES_MISMATCH`, `EMERGENCY_TRUSTEE_MISMATCH`,
   *   `EMERGENCY_SHARES_OUTDATED`
   */
  put(owner: string, ownerKey: Bytes, statements: readonly string[]): Promise<EmergencyShare>;
  /** Which epoch is shared under which preparation. */
  ofOwner(owner: string): Promise<{ epochId: string; setId: string; createdAt: number }[]>;
  /** Null when the owner has prepared nothing. */
  preparation(owner: string): Promise<Preparation | null>;
  /**
   * One trustee's own shares of some epochs.
   * @throws MedcloudletError `EMERGENCY_SHARES_OUTDATED` when the owner has prepared anew since
   */
  ofTrustee(input: {
    owner: string;
    setId: string;
    trustee: string;
    epochIds: readonly string[];
  }): Promise<string[]>;
}

function mismatch(why: string): MedcloudletError {
  return new MedcloudletError("EMERGENCY_SHARES_MISMATCH", `These shares are no whole set: ${why}.`, {
    status: 409,
  });
}

function outdated(message: string, cause?: unknown): MedcloudletError {
  return new MedcloudletError("EMERGENCY_SHARES_OUTDATED", message, { status: 409, cause });
}

export async function createEmergencyShares(
  store: Store,
  rooms: { readonly accounts: Accounts; readonly epochs: Epochs },
  clock: Clock,
): Promise<EmergencyShares> {
  const { accounts, epochs } = rooms;
  const sets = await store.collection<ShareSetRecord>({
    name: "emergency_shares",
    indexes: [{ fields: { owner: 1, createdAt: 1 } }],
  });

  const newestOf = async (owner: string): Promise<Omit<ShareSetRecord, "shares"> | undefined> => {
    const [newest] = await sets.find(
      { owner: { $eq: owner } },
      { sort: { createdAt: -1, _id: 1 }, limit: 1, projection: { shares: 0 } },
    );
    return newest;
  };

  /**
   * Whose account is closed is chosen no more. Where they were chosen before, the next epoch can be shared among the same
   * all the same: a patient whose trustee has left must not be kept from starting one.
   */
  const checkTrustee = async (
    { trustee, trusteeFingerprint }: EmergencyShare,
    isNewChoice: boolean,
  ): Promise<void> => {
    const account = await accounts.byId(trustee);
    if (
      account === null ||
      (isNewChoice && account.suspendedAt !== null) ||
      account.fingerprint !== trusteeFingerprint ||
      !TRUSTEE_ROLES.includes(account.role)
    ) {
      throw new MedcloudletError(
        "EMERGENCY_TRUSTEE_MISMATCH",
        "A trustee is unknown, is no doctor or security officer, has left, or has another key: look them up again and compare.",
        { status: 409 },
      );
    }
  };

  /** The statements of one epoch as one checked set. */
  const checkSet = async (owner: string, shares: readonly EmergencyShare[]): Promise<EmergencyShare> => {
    const [first, ...others] = shares;
    if (first === undefined || first.shares !== shares.length) {
      throw mismatch("the number of shares is another than they say");
    }
    if (first.owner !== owner) {
      throw new MedcloudletError("EMERGENCY_OWNER_MISMATCH", "Shares are made by the owner alone.", {
        status: 403,
      });
    }
    const same = (other: EmergencyShare) =>
      (["owner", "setId", "epochId", "threshold", "shares", "createdAt"] as const).every(
        (name) => other[name] === first[name],
      );
    if (!others.every(same)) {
      throw mismatch("they differ in what they belong to");
    }
    const trustees = new Set(shares.map(({ trustee }) => trustee));
    if (trustees.size !== shares.length) {
      throw mismatch("a trustee has two of them");
    }
    // Two accounts with one key are one person.
    if (new Set(shares.map(({ trusteeFingerprint }) => trusteeFingerprint)).size !== shares.length) {
      throw mismatch("two trustees have one key");
    }
    if (first.createdAt > clock.now() + CLOCK_SKEW_MS) {
      throw mismatch("they are of the future; check the clock");
    }
    const epoch = (await epochs.ofOwner(owner)).find(({ _id }) => _id === first.epochId);
    if (epoch?.region !== EMERGENCY_REGION) {
      throw mismatch("they are not of a medical epoch of yours");
    }
    const newest = await newestOf(owner);
    const asPrepared =
      newest?.setId !== first.setId ||
      (newest.threshold === first.threshold &&
        newest.createdAt === first.createdAt &&
        newest.trustees.length === trustees.size &&
        newest.trustees.every((trustee) => trustees.has(trustee)));
    if (!asPrepared) {
      throw mismatch("the same preparation has other trustees for another epoch");
    }
    return first;
  };

  return {
    async put(owner, ownerKey, statements) {
      const shares: EmergencyShare[] = [];
      for (const statement of statements) {
        shares.push(await verifyStatement(EMERGENCY_SHARE, statement, ownerKey));
      }
      const set = await checkSet(owner, shares);
      const isNewChoice = (await newestOf(owner))?.setId !== set.setId;
      for (const share of shares) {
        await checkTrustee(share, isNewChoice);
      }
      const { epochId, setId, threshold, createdAt } = set;
      const content = {
        setId,
        threshold,
        createdAt,
        trustees: shares.map(({ trustee }) => trustee),
        shares: shares.map(({ trustee }, i) => ({ trustee, statement: statements[i] as string })),
      };
      const { matched } = await sets.updateOne(
        { _id: { $eq: epochId }, owner: { $eq: owner }, createdAt: { $lt: createdAt } },
        { $set: content },
      );
      if (matched === 0) {
        try {
          await sets.insertOne({ _id: epochId, owner, ...content });
        } catch (cause) {
          if (isDuplicate(cause)) {
            throw outdated("This epoch is shared already, by this preparation or a newer one.", cause);
          }
          throw cause;
        }
      }
      return set;
    },
    async ofOwner(owner) {
      const own = await sets.find({ owner: { $eq: owner } }, { projection: { setId: 1, createdAt: 1 } });
      return own.map(({ _id, setId, createdAt }) => ({ epochId: _id, setId, createdAt }));
    },
    async preparation(owner) {
      const newest = await newestOf(owner);
      if (newest === undefined) {
        return null;
      }
      const { setId, threshold, trustees } = newest;
      const shared = await sets.find(
        { owner: { $eq: owner }, setId: { $eq: setId } },
        { projection: { setId: 1 } },
      );
      const ids = new Set(shared.map(({ _id }) => _id));
      const epochIds = (await epochs.ofOwner(owner)).map(({ _id }) => _id).filter((id) => ids.has(id));
      return {
        setId,
        threshold,
        trustees,
        epochIds: epochIds.reverse().slice(0, EMERGENCY_EPOCHS_MOST),
      };
    },
    async ofTrustee({ owner, setId, trustee, epochIds }) {
      const found = await sets.find({
        _id: { $in: [...epochIds] },
        owner: { $eq: owner },
        setId: { $eq: setId },
      });
      const byEpoch = new Map(found.map((set) => [set._id, set]));
      return epochIds.map((epochId) => {
        const own = byEpoch.get(epochId)?.shares.find((share) => share.trustee === trustee);
        if (own === undefined) {
          throw outdated("The patient has chosen trustees anew since: the requester has to request again.");
        }
        return own.statement;
      });
    },
  };
}
