import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { Desk } from "./desk.ts";
import type { PatientQuestions } from "./questions.ts";

/** A patient's wearables. */
export function createDevices(
  work: Work,
  desk: Desk,
): Answers<Pick<PatientQuestions, "devices" | "revokeDevice">> {
  return {
    async devices() {
      const now = work.clock.now();
      return (await desk.look().owner.devices())
        .map(({ enrolment: { deviceId, region, createdAt, until }, revokedAt }) => ({
          ...{ deviceId, region, pairedAt: createdAt, until, revokedAt },
          state:
            revokedAt !== null
              ? ("revoked" as const)
              : until <= now
                ? ("ended" as const)
                : ("paired" as const),
        }))
        .sort((a, b) => b.pairedAt - a.pairedAt);
    },
    revokeDevice: ({ deviceId }) =>
      desk.protect(async ({ owner }) => {
        await owner.revokeDevice(deviceId);
        return null;
      }),
  };
}
