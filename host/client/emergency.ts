import { z } from "zod";
import { type Bytes, type Clock, MedcloudletError, randomBytes, toHex } from "../base/index.ts";
import {
  EMERGENCY_SHARE,
  fingerprint,
  identityKeys,
  type SealingSuite,
  sealEmergencyShares,
  signStatement,
  TRUSTEES_LEAST,
  TRUSTEES_MOST,
  verifyIdentity,
} from "../sealing/index.ts";
import { DIRECTORY_ENTRY, EMERGENCIES, EMERGENCY, type KnownEmergency, SHARE_SETS } from "./emergency-api.ts";
import type { EmergencyPlan } from "./emergency-plan.ts";
import type { KdcSession } from "./kdc-client.ts";
import type { OwnedEpoch, Owner } from "./owner.ts";
import type { PersonKeys } from "./person-keys.ts";

/** Somebody who could become a trustee, and what to compare before. */
export interface Trustee {
  readonly accountId: string;
  readonly handle: string;
  readonly role: string;
  readonly fingerprint: string;
  readonly receivingKey: Bytes;
}

/** A patient's side of break-glass. */
export interface Emergency {
  /** Null as long as nothing was prepared. */
  readonly plan: EmergencyPlan | null;
  /** Finds a doctor or security officer. @throws MedcloudletError `ACCOUNT_UNKNOWN` */
  lookUpTrustee(handle: string): Promise<Trustee>;
  /**
   * Chooses trustees, any `threshold` of whom can open the medical data together, and gives each a share of every
   * medical epoch. Trustees of before are replaced; start a new epoch as well if they are not to be trusted.
   * @throws MedcloudletError `EMERGENCY_THRESHOLD`, `TRUSTEE_CHANGED`, `EPOCH_MISSING`, and the KDC's refusals
   */
  prepare(input: {
    readonly trustees: readonly { readonly handle: string; readonly expectedFingerprint: string }[];
    readonly threshold: number;
  }): Promise<{ epochs: number }>;
  /**
   * Shares the epochs that are not shared yet; to be called whenever an epoch has begun. Does nothing as long as
   * nothing was prepared.
   * @throws MedcloudletError `TRUSTEE_CHANGED` when a trustee has another key than chosen: prepare anew
   */
  catchUp(): Promise<{ epochs: number }>;
  /** Emergencies about this patient, newest first. */
  list(): Promise<KnownEmergency[]>;
  /** Ends one at once. Tickets that are out live for five minutes at most. @throws MedcloudletError `EMERGENCY_ENDED` */
  end(emergencyId: string): Promise<KnownEmergency>;
  /**
   * Where somebody opened the newest medical epoch in an emergency that is over, starts another one and shares it
   * with the readers who remain and with the trustees: what they were let read stays read, what comes now is not theirs.
   */
  afterwards(): Promise<{ emergencies: KnownEmergency[]; epoch: OwnedEpoch | null }>;
}

const REGION = "medical";

export function createEmergency(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly owner: Owner;
  readonly plan: EmergencyPlan | null;
  /** Keeps the plan safe. Called before the first share leaves: what is cut off is gone on with by `catchUp`. */
  readonly keepPlan: (plan: EmergencyPlan) => Promise<void>;
}): Emergency {
  const { suite, clock, session, keys, owner } = options;
  const ownerId = session.account.accountId;
  let plan = options.plan;

  /** `chosen`: also one of the plan's trustees whose account was closed since. */
  const find = async (handle: string, { chosen }: { readonly chosen: boolean }): Promise<Trustee> => {
    const path = `/trustees/${encodeURIComponent(handle)}?chosen=${chosen}`;
    const entry = await session.call(DIRECTORY_ENTRY, { method: "GET", path });
    const theirs = identityKeys(await verifyIdentity(entry.identity));
    const { accountId, role } = entry;
    return { accountId, handle, role, fingerprint: fingerprint(theirs), receivingKey: theirs.receivingKey };
  };

  const lookUpTrustee: Emergency["lookUpTrustee"] = (handle) => find(handle, { chosen: false });

  const expectTrustee = async (
    handle: string,
    expected: string,
    how: { readonly chosen: boolean },
  ): Promise<Trustee> => {
    const trustee = await find(handle, how);
    if (trustee.fingerprint !== expected) {
      throw new MedcloudletError(
        "TRUSTEE_CHANGED",
        `The key of ${handle} is not the one you know: compare fingerprints and choose your trustees anew.`,
        { status: 409 },
      );
    }
    return trustee;
  };

  const medicalEpochs = (): OwnedEpoch[] => owner.epochs.filter(({ region }) => region === REGION).reverse();

  const catchUp: Emergency["catchUp"] = async () => {
    if (plan === null) {
      return { epochs: 0 };
    }
    const { setId, threshold, createdAt } = plan;
    const { sets } = await session.call(SHARE_SETS, { method: "GET", path: "/emergency-shares" });
    const done = new Set(sets.filter((set) => set.setId === setId).map(({ epochId }) => epochId));
    const due = medicalEpochs().filter(({ epochId }) => !done.has(epochId));
    const trustees: Trustee[] = [];
    for (const chosen of due.length === 0 ? [] : plan.trustees) {
      trustees.push(await expectTrustee(chosen.handle, chosen.fingerprint, { chosen: true }));
    }
    for (const { epochId, privateKey } of due) {
      const set = { setId, owner: ownerId, epochId, threshold, createdAt };
      const shares = await sealEmergencyShares(suite, set, trustees, privateKey);
      const statements: string[] = [];
      for (const share of shares) {
        statements.push(await signStatement(EMERGENCY_SHARE, share, keys.signing));
      }
      await session.call(z.unknown(), { method: "POST", path: "/emergency-shares", json: { statements } });
    }
    return { epochs: due.length };
  };

  const list: Emergency["list"] = async () =>
    (await session.call(EMERGENCIES, { method: "GET", path: "/emergencies" })).emergencies;

  return {
    get plan() {
      return plan;
    },
    lookUpTrustee,
    async prepare({ trustees: chosen, threshold }) {
      // Two accounts with one key are one person.
      const count = new Set(chosen.map(({ expectedFingerprint }) => expectedFingerprint)).size;
      if (
        count !== chosen.length ||
        count > TRUSTEES_MOST ||
        !Number.isInteger(threshold) ||
        threshold < TRUSTEES_LEAST ||
        threshold > count
      ) {
        throw new MedcloudletError(
          "EMERGENCY_THRESHOLD",
          `Choose ${TRUSTEES_LEAST} to ${TRUSTEES_MOST} different trustees, and a threshold from ${TRUSTEES_LEAST} to their number.`,
          { status: 400 },
        );
      }
      if (medicalEpochs().length === 0) {
        throw new MedcloudletError(
          "EPOCH_MISSING",
          "There is no medical epoch yet, so there is nothing to open: start one with `medcloudlet keys epoch`.",
          { status: 409 },
        );
      }
      const trustees: EmergencyPlan["trustees"] = [];
      for (const { handle, expectedFingerprint } of chosen) {
        const { accountId, fingerprint } = await expectTrustee(handle, expectedFingerprint, {
          chosen: false,
        });
        trustees.push({ handle, accountId, fingerprint });
      }
      // Later than the plan before, whatever the clock says: the KDC takes newer ones only.
      const createdAt = Math.max(clock.now(), (plan?.createdAt ?? 0) + 1);
      const next = { setId: toHex(randomBytes(16)), threshold, trustees, createdAt };
      await options.keepPlan(next);
      plan = next;
      return catchUp();
    },
    catchUp,
    list,
    end: (emergencyId) =>
      session.call(EMERGENCY, { method: "POST", path: `/emergencies/${emergencyId}/end` }),
    async afterwards() {
      const newest = medicalEpochs()[0];
      const emergencies = (await list()).filter(
        ({ phase, openedAt, epochIds }) =>
          phase === "ended" && openedAt !== null && newest !== undefined && epochIds.includes(newest.epochId),
      );
      if (emergencies.length === 0) {
        return { emergencies, epoch: null };
      }
      const epoch = await owner.startEpoch(REGION);
      await owner.catchUp();
      await catchUp();
      return { emergencies, epoch };
    },
  };
}
