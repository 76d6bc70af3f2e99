import type { ServerResponse } from "node:http";

/**
 * Answers that hand out keys or tickets, from the moment their right is looked up until the last byte has left. A
 * revocation waits for those that began before it, so that after its acknowledgement nothing leaves any more.
 *
 * It knows the answers of this process: one KDC process a database, as the operations guide says.
 */
export interface Releases {
  /** Counts an answer to `receiver` (account or device id). Call it before the right is looked up. */
  begin(receiver: string, response: ServerResponse): void;
  /**
   * Fulfils when every answer to `receiver` that began before this call is out, or was cut off because its
   * receiver took too long to take it.
   */
  settled(receiver: string): Promise<void>;
}

/** How long a revocation waits for a receiver who does not read, before the connection is cut. */
const PATIENCE_MS = 2000;

export function createReleases(patienceMs = PATIENCE_MS): Releases {
  const underWay = new Map<string, Map<ServerResponse, Promise<void>>>();
  return {
    begin(receiver, response) {
      if (response.closed) {
        return;
      }
      const own = underWay.get(receiver) ?? new Map<ServerResponse, Promise<void>>();
      underWay.set(receiver, own);
      const closed = new Promise<void>((resolve) => {
        response.once("close", () => {
          own.delete(response);
          if (own.size === 0 && underWay.get(receiver) === own) {
            underWay.delete(receiver);
          }
          resolve();
        });
      });
      // An answer written after its connection was cut emits an error that nobody else would hear.
      response.on("error", () => {});
      own.set(response, closed);
    },
    async settled(receiver) {
      const own = [...(underWay.get(receiver) ?? [])];
      if (own.length === 0) {
        return;
      }
      const timer = setTimeout(() => {
        for (const [response] of own) {
          response.destroy();
        }
      }, patienceMs);
      await Promise.all(own.map(([, closed]) => closed));
      clearTimeout(timer);
    },
  };
}
