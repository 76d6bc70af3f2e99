import { TRUSTEES_MOST } from "../../../sealing/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { Desk } from "./desk.ts";
import type { PatientQuestions, ShownEmergency } from "./questions.ts";
import { knownAs, plainHandle } from "./sharing.ts";

/** Who may open a patient's medical data in an emergency, and what came of it. */
export function createTrustees(
  work: Work,
  desk: Desk,
): Answers<
  Pick<
    PatientQuestions,
    "trustees" | "findTrustee" | "prepareEmergency" | "endOwnEmergency" | "newKeyAfterEmergency"
  >
> {
  return {
    async trustees() {
      const { owner, emergency } = desk.look();
      const all = await emergency.list();
      const newest = owner.epochs.findLast(({ region }) => region === "medical")?.epochId;
      const { plan } = emergency;
      return {
        plan:
          plan === null
            ? null
            : {
                threshold: plan.threshold,
                createdAt: plan.createdAt,
                trustees: plan.trustees.map(({ handle, fingerprint }) => ({ handle, fingerprint })),
              },
        emergencies: all.map(
          ({ emergencyId, phase, requester, reason, approvers, ...rest }): ShownEmergency => ({
            ...{ emergencyId, phase, reason, requester: requester.handle },
            ...{ requestedAt: rest.requestedAt, until: rest.until, openedAt: rest.openedAt },
            ...{ endedAt: rest.endedAt, needed: rest.needed },
            approvers: approvers.map(({ handle }) => handle),
          }),
        ),
        newKeyDue: all.some(
          ({ phase, openedAt, epochIds }) =>
            phase === "ended" && openedAt !== null && newest !== undefined && epochIds.includes(newest),
        ),
        most: TRUSTEES_MOST,
      };
    },
    async findTrustee({ handle: typed }) {
      const handle = plainHandle(typed);
      const { fingerprint, role } = await desk.look().emergency.lookUpTrustee(handle);
      return { handle, fingerprint, role, known: knownAs(work.contents.known, handle, fingerprint) };
    },
    prepareEmergency: ({ trustees, threshold }) =>
      desk.act(async ({ emergency }) => {
        await emergency.prepare({
          threshold,
          trustees: trustees.map(({ handle, fingerprint }) => ({ handle, expectedFingerprint: fingerprint })),
        });
        await desk.remember(
          Object.fromEntries(trustees.map(({ handle, fingerprint }) => [handle, fingerprint])),
        );
        return null;
      }),
    endOwnEmergency: ({ emergencyId }) =>
      desk.protect(async ({ emergency }) => {
        await emergency.end(emergencyId);
        return null;
      }),
    newKeyAfterEmergency: () =>
      desk.act(async ({ emergency }) => {
        await emergency.afterwards();
        return null;
      }),
  };
}
