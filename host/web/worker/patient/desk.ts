import { createInTurn, fromBase64Url, isMedcloudletError, toBase64Url } from "../../../base/index.ts";
import { createEmergency, createOwner, type Emergency, type Owner } from "../../../client/index.ts";
import type { Work } from "../work.ts";

/** What a patient acts with, made of what the keystore holds at that moment. */
export interface AtDesk {
  readonly owner: Owner;
  readonly emergency: Emergency;
}

/** Where a patient does what changes keys. */
export interface Desk {
  /** For looking only: nothing is taken in, nothing waited for. */
  look(): AtDesk;
  /**
   * One act at a time, over all tabs of this browser: two that start epochs at once would each wrap what the other's
   * readers then lack. What other tabs and machines kept is taken in first.
   */
  act<T>(work: (at: AtDesk) => Promise<T>): Promise<T>;
  /** Like `act`, for what shuts somebody out: that must not fail because something could not be taken in. */
  protect<T>(work: (at: AtDesk) => Promise<T>): Promise<T>;
  /** Remembers fingerprints that were compared. */
  remember(compared: Readonly<Record<string, string>>): Promise<void>;
}

/** @param options.onChange hears of each act's end, with what may be new */
export function createDesk(
  work: Work,
  options: { readonly onChange: (owner: Owner) => Promise<void> },
): Desk {
  const inTurn = createInTurn();

  const look = (): AtDesk => {
    const { suite, clock, session, keys, contents } = work;
    const owner = createOwner({
      ...{ suite, clock, session, keys, name: contents.name },
      epochs: contents.epochs.map((epoch) => ({ ...epoch, privateKey: fromBase64Url(epoch.privateKey) })),
      keepEpochs: (epochs) =>
        work.save({
          epochs: epochs.map((epoch) => ({ ...epoch, privateKey: toBase64Url(epoch.privateKey) })),
        }),
      revocations: {
        known: contents.revocations ?? [],
        keep: (revocations) => work.save({ revocations: [...revocations] }),
      },
    });
    const emergency = createEmergency({
      ...{ suite, clock, session, keys, owner, plan: contents.emergency ?? null },
      keepPlan: (plan) => work.save({ emergency: plan }),
    });
    return { owner, emergency };
  };

  const actAfter = <T>(takeIn: () => Promise<void>, acting: (at: AtDesk) => Promise<T>): Promise<T> =>
    inTurn(() =>
      navigator.locks.request(`medcloudlet-owner-${work.person.accountId}`, async () => {
        await takeIn();
        const at = look();
        try {
          return await acting(at);
        } finally {
          // Whatever came of it: keys may have begun.
          await options.onChange(at.owner).catch(() => {
            // The next look takes them in.
          });
        }
      }),
    );

  return {
    look,
    act: (acting) => actAfter(() => work.catchUp(), acting),
    protect: (acting) =>
      actAfter(async () => {
        await work.catchUp().catch((error) => {
          if (!isMedcloudletError(error)) {
            throw error;
          }
        });
      }, acting),
    remember: (compared) => work.save({ known: { ...work.contents.known, ...compared } }),
  };
}
