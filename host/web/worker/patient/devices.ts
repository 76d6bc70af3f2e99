import { MedcloudletError, randomBytes, toHex } from "../../../base/index.ts";
import { makePairing, pairingFileText } from "../../../client/index.ts";
import type { Answers } from "../messages.ts";
import type { Work } from "../work.ts";
import type { Desk } from "./desk.ts";
import type { PatientQuestions } from "./questions.ts";

/** A patient's wearables. */
export function createDevices(
  work: Work,
  desk: Desk,
): Answers<Pick<PatientQuestions, "devices" | "revokeDevice" | "pairDevice" | "forgetPairing">> {
  let fileUrl: string | null = null;
  const forget = (): void => {
    if (fileUrl !== null) {
      URL.revokeObjectURL(fileUrl);
      fileUrl = null;
    }
  };
  work.signal.addEventListener("abort", forget);

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
    pairDevice: ({ forMs, cloudletUrl }) =>
      desk.act(async ({ owner, emergency }) => {
        if (!work.places.cloudletUrls.includes(cloudletUrl)) {
          throw new MedcloudletError(
            "PAIRING_PLACE_UNKNOWN",
            "This KDC names no cloudlet to send readings to: whoever runs it sets MEDCLOUDLET_CLOUDLET_URLS.",
            { status: 409 },
          );
        }
        if (!owner.epochs.some(({ region }) => region === "medical")) {
          await owner.startEpoch("medical");
          // Trustees who were chosen before there was a key have no share of it yet.
          await emergency.catchUp();
        }
        const { clock, person, keys, places } = work;
        const pairing = await makePairing({
          ...{ owner, ownerId: person.accountId, ownerKeys: keys, region: "medical" },
          until: clock.now() + forMs,
        });
        forget();
        // Saved from here: the wearable's key never is where the page's scripts could read it.
        const text = pairingFileText(pairing, {
          ...{ kdc: places.kdcUrl, cloud: places.cloudUrl, cloudlet: cloudletUrl },
        });
        fileUrl = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
        // A folder of downloads is read by many: the name tells neither what this is nor whose.
        const fileName = `${toHex(randomBytes(6))}.json`;
        return { deviceId: pairing.deviceId, fileName, fileUrl };
      }),
    forgetPairing() {
      forget();
      return null;
    },
    revokeDevice: ({ deviceId }) =>
      desk.protect(async ({ owner }) => {
        await owner.revokeDevice(deviceId);
        return null;
      }),
  };
}
