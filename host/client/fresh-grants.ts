import { isMedcloudletError, isPassing } from "../base/index.ts";
import { identityKeys, type SealingSuite, verifyIdentity } from "../sealing/index.ts";
import { type Call, fetchGrant, fetchKeys, type UnverifiedGrant } from "./kdc-consents.ts";
import { devicesOf, openDevices, openGrant, type ReaderSelf, type SharedStream } from "./shared-stream.ts";

/** Waits so many milliseconds, or less where whoever waits is told to end. */
export type Wait = (ms: number) => Promise<void>;

/** Keys and devices that came after the reader asked what is shared: a patient goes on while doctors read. */
export interface FreshGrants {
  /** Remembers a grant that was opened, so that what came later can be asked for. */
  remember(consentId: string, grant: UnverifiedGrant): void;
  /** The stream with every key and device that is known by now. */
  current(stream: SharedStream): SharedStream;
  /**
   * Asks for the owner's devices, because a batch names one that is not known. A list that was asked for after the batch
   * came (`receivedAt`, as `performance.now`) settles it. Once the allowance is used up it waits for the next, or with
   * no `wait` leaves it.
   * @throws MedcloudletError with `wait`, where the KDC is away or busy
   */
  lookForDevice(stream: SharedStream, receivedAt: number, wait?: Wait): Promise<SharedStream>;
  /**
   * Asks for an epoch's key. With `wait` it asks again for a few seconds: the patient wraps keys right after an
   * epoch began, and readings may be sealed to it already. An epoch asked for in vain rests for half a minute.
   * @throws MedcloudletError as `lookForDevice`
   */
  lookForKey(epochId: string, stream: SharedStream, wait?: Wait): Promise<SharedStream>;
  /** Asks for the devices every few minutes, so that one that was revoked meanwhile is refused. Never throws. */
  keepUp(stream: SharedStream): Promise<void>;
}

const ATTEMPTS = 5;
const AGAIN_AFTER_MS = 1000;
const REST_MS = 30_000;
const DEVICES_AGE_MS = 5 * 60_000;
/** Epochs that rest at most: whoever has a device's key can invent them without end. */
const MOST_RESTING = 256;
/**
 * How often batches of one stream make the reader ask the KDC: a cloud invents devices, a stolen device invents epochs,
 * and each key that is asked for has an entry in the patient's log.
 */
const ALLOWANCE = { burst: 10, everyMs: 5000 } as const;

/** So many at once, then one each `everyMs`. */
function createAllowance() {
  let left: number = ALLOWANCE.burst;
  let countedAt = performance.now();
  const count = (): void => {
    const earned = Math.floor((performance.now() - countedAt) / ALLOWANCE.everyMs);
    left = Math.min(ALLOWANCE.burst, left + earned);
    countedAt += earned * ALLOWANCE.everyMs;
  };
  return {
    take(): boolean {
      count();
      if (left === 0) {
        return false;
      }
      left--;
      return true;
    },
    /** Until there is one again, in ms. */
    waitMs: (): number => Math.max(0, countedAt + ALLOWANCE.everyMs - performance.now()),
  };
}

export function createFreshGrants(options: {
  readonly call: Call;
  readonly self: ReaderSelf;
  readonly suite: SealingSuite;
}): FreshGrants {
  const { call, self, suite } = options;
  const grants = new Map<string, UnverifiedGrant>();
  const renewed = new Map<string, SharedStream>();
  const allowances = new Map<string, ReturnType<typeof createAllowance>>();
  const keyAskedAt = new Map<string, number>();
  /** When the list was asked for that is known now, and when it was last asked for unasked. */
  const devicesAskedAt = new Map<string, number>();
  const keptUpAt = new Map<string, number>();
  const nameOf = ({ consent, streamId }: SharedStream) => `${consent.consentId} ${streamId}`;

  const current = (stream: SharedStream): SharedStream => renewed.get(nameOf(stream)) ?? stream;

  /** Takes one of the stream's allowance, after waiting for it where `wait` is given. */
  const mayAsk = async (stream: SharedStream, wait: Wait | undefined): Promise<boolean> => {
    const allowance = allowances.get(nameOf(stream)) ?? createAllowance();
    allowances.set(nameOf(stream), allowance);
    if (allowance.take()) {
      return true;
    }
    await wait?.(1 + allowance.waitMs());
    return allowance.take();
  };

  /** Asks the KDC. What is amiss with its answer leaves what was known; that it is away is told to whoever waits. */
  const ask = async (work: () => Promise<void>, wait: Wait | undefined): Promise<void> => {
    try {
      await work();
    } catch (error) {
      // Otherwise the batch is shown as refused, and says why; what ails the KDC shows at the next ticket.
      if (!isMedcloudletError(error) || (wait !== undefined && isPassing(error))) {
        throw error;
      }
    }
  };

  const renewKeys = async (stream: SharedStream): Promise<void> => {
    const { consentId } = stream.consent;
    const grant = grants.get(consentId);
    if (grant === undefined) {
      return;
    }
    const opened = await openGrant({ ...grant, ...(await fetchKeys(call, consentId)) }, self, suite);
    const same = opened.find(({ streamId }) => streamId === stream.streamId);
    if (same !== undefined) {
      renewed.set(nameOf(stream), same);
    }
  };

  const renewDevices = async (stream: SharedStream): Promise<void> => {
    const { consentId } = stream.consent;
    const grant = grants.get(consentId);
    if (grant === undefined) {
      return;
    }
    const askedAt = performance.now();
    const listed = await fetchGrant(call, consentId);
    if (listed === null) {
      return;
    }
    // By the owner who was verified at the start, whoever the KDC says it is now; and what the owner once signed, above
    // all a revocation, is not unsaid by leaving it out.
    const union = (before: readonly string[] = [], now: readonly string[] = []) => [
      ...new Set([...before, ...now]),
    ];
    const statements = {
      devices: union(grant.devices, listed.devices),
      deviceRevocations: union(grant.deviceRevocations, listed.deviceRevocations),
    };
    const { signingKey } = identityKeys(await verifyIdentity(grant.owner.identity));
    const devices = await openDevices(statements, stream.ownerId, signingKey);
    grants.set(consentId, { ...grant, ...statements });
    renewed.set(nameOf(stream), { ...current(stream), devices: devicesOf(stream.streamId, devices) });
    devicesAskedAt.set(nameOf(stream), askedAt);
  };

  return {
    remember: (consentId, grant) => void grants.set(consentId, grant),
    current,
    async lookForDevice(stream, receivedAt, wait) {
      const askedAt = devicesAskedAt.get(nameOf(stream)) ?? Number.NEGATIVE_INFINITY;
      if (askedAt < receivedAt && (await mayAsk(stream, wait))) {
        await ask(() => renewDevices(stream), wait);
      }
      return current(stream);
    },
    async lookForKey(epochId, stream, wait) {
      const asked = keyAskedAt.get(epochId);
      if (asked !== undefined && performance.now() - asked < REST_MS) {
        return current(stream);
      }
      for (let i = 0; i < ATTEMPTS && !current(stream).epochs.has(epochId); i++) {
        if (i > 0) {
          await wait?.(AGAIN_AFTER_MS);
        }
        // Only for the first question does anybody wait: a stolen device must not make the reader stand still.
        if ((i > 0 && wait === undefined) || !(await mayAsk(stream, i === 0 ? wait : undefined))) {
          break;
        }
        await ask(() => renewKeys(stream), wait);
      }
      keyAskedAt.delete(epochId);
      keyAskedAt.set(epochId, performance.now());
      for (const oldest of keyAskedAt.keys()) {
        if (keyAskedAt.size <= MOST_RESTING) {
          break;
        }
        keyAskedAt.delete(oldest);
      }
      return current(stream);
    },
    async keepUp(stream) {
      const name = nameOf(stream);
      const now = performance.now();
      const last = keptUpAt.get(name);
      if (last !== undefined && now - last < DEVICES_AGE_MS) {
        return;
      }
      // Before the answer: one that fails is not asked for again with every page.
      keptUpAt.set(name, now);
      if (last === undefined) {
        return;
      }
      await ask(() => renewDevices(stream), undefined).catch(() => {});
    },
  };
}
