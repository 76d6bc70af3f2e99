import { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import type { WearablePlaces } from "../client/index.ts";
import { PAIRING, type Pairing } from "./device.ts";

const FILE = z.strictObject({
  format: z.literal("medcloudlet-pairing-1"),
  pairing: PAIRING,
  places: z.strictObject({ kdc: z.url(), cloud: z.url(), cloudlet: z.url() }),
});

/** Reads what `pairingFileText` wrote. @throws MedcloudletError `PAIRING_FILE_INVALID` */
export function readPairingFile(text: string): {
  readonly pairing: Pairing;
  readonly places: WearablePlaces;
} {
  try {
    const { pairing, places } = FILE.parse(JSON.parse(text));
    return { pairing, places };
  } catch {
    // Without the cause: a parser's words may quote the key.
    throw new MedcloudletError(
      "PAIRING_FILE_INVALID",
      "This is no pairing file of a wearable, or it is damaged: end that wearable and pair another.",
      { status: 400 },
    );
  }
}
