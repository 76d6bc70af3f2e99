import { isMedcloudletError } from "../base/index.ts";
import type { SealingSuite } from "../sealing/index.ts";
import { type Call, fetchKeys, type UnverifiedGrant } from "./kdc-consents.ts";
import { openGrant, type ReaderSelf, type SharedStream } from "./shared-stream.ts";

/** Keys that were wrapped after the reader asked what is shared: a patient starts epochs while doctors read. */
export interface FreshKeys {
  /** Remembers a grant, so that its keys can be asked for again. */
  remember(consentId: string, grant: UnverifiedGrant): void;
  /** The stream with every key that is known by now. */
  current(stream: SharedStream): SharedStream;
  /**
   * Asks for an epoch's key. With `wait` it asks again for a few seconds: the patient wraps keys right after an
   * epoch began, and readings may be sealed to it already. An epoch asked for in vain rests for half a minute.
   */
  lookFor(epochId: string, stream: SharedStream, wait?: (ms: number) => Promise<void>): Promise<SharedStream>;
}

const ATTEMPTS = 5;
const AGAIN_AFTER_MS = 1000;
const REST_MS = 30_000;

export function createFreshKeys(options: {
  readonly call: Call;
  readonly self: ReaderSelf;
  readonly suite: SealingSuite;
}): FreshKeys {
  const { call, self, suite } = options;
  const grants = new Map<string, UnverifiedGrant>();
  const renewed = new Map<string, SharedStream>();
  const askedAt = new Map<string, number>();
  const nameOf = ({ consent, streamId }: SharedStream) => `${consent.consentId} ${streamId}`;

  const current = (stream: SharedStream): SharedStream => renewed.get(nameOf(stream)) ?? stream;

  const renew = async (stream: SharedStream): Promise<SharedStream> => {
    const { consentId } = stream.consent;
    const grant = grants.get(consentId);
    if (grant === undefined) {
      return stream;
    }
    try {
      const opened = await openGrant({ ...grant, ...(await fetchKeys(call, consentId)) }, self, suite);
      const same = opened.find(({ streamId }) => streamId === stream.streamId);
      if (same !== undefined) {
        renewed.set(nameOf(stream), same);
      }
    } catch (error) {
      // Without new keys the batch is shown as refused, and says why; what ails the KDC shows at the next ticket.
      if (!isMedcloudletError(error)) {
        throw error;
      }
    }
    return current(stream);
  };

  return {
    remember: (consentId, grant) => void grants.set(consentId, grant),
    current,
    async lookFor(epochId, stream, wait) {
      const asked = askedAt.get(epochId);
      if (asked !== undefined && performance.now() - asked < REST_MS) {
        return current(stream);
      }
      let found = await renew(stream);
      for (let i = 1; i < ATTEMPTS && wait !== undefined && !found.epochs.has(epochId); i++) {
        await wait(AGAIN_AFTER_MS);
        found = await renew(stream);
      }
      askedAt.set(epochId, performance.now());
      return found;
    },
  };
}
