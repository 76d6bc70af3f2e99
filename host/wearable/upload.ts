import { createSignal, isMedcloudletError } from "../base/index.ts";
import type { Receipt } from "../ingest/index.ts";
import type { Device } from "./device.ts";

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;

/**
 * Sends all that waits in a device's outbox and tries again, ever more slowly, while the cloudlet or the KDC is
 * away or busy. Fulfils when the outbox is empty or `signal` aborts.
 * @throws MedcloudletError what no waiting will cure, such as `DEVICE_UNKNOWN` or `BATCH_SEQUENCE_REUSED`
 */
export async function uploadAll(
  device: Device,
  options: {
    readonly signal: AbortSignal;
    readonly onReceipt?: (receipt: Receipt) => void;
    readonly onWait?: (code: string, retryInMs: number) => void;
  },
): Promise<void> {
  const ended = createSignal();
  const end = () => ended.signal();
  options.signal.addEventListener("abort", end);
  try {
    let attempt = 0;
    while (!options.signal.aborted) {
      try {
        await device.flush((receipt) => {
          attempt = 0;
          options.onReceipt?.(receipt);
        });
        return;
      } catch (error) {
        const again =
          isMedcloudletError(error) &&
          (error.status >= 500 ||
            error.status === 429 ||
            error.status === 401 ||
            // A measure of the intrusion detection ends by itself.
            error.code === "IDS_BANNED");
        attempt++;
        // A refused ticket or proof is renewed once or twice; if that does not help, nothing here will.
        if (!again || (error.status === 401 && attempt > 3)) {
          throw error;
        }
        const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 12));
        const retryInMs = Math.round(ceiling * (0.5 + Math.random() / 2));
        options.onWait?.(error.code, retryInMs);
        await ended.wait(retryInMs);
      }
    }
  } finally {
    options.signal.removeEventListener("abort", end);
  }
}
