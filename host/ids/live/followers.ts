import type { Response } from "express";
import { MedcloudletError } from "../../base/index.ts";

/** Officers who watch, by Server-Sent Events (WHATWG HTML, section 9.2). */
export interface Followers {
  /** @throws MedcloudletError `SUBSCRIPTIONS_FULL` */
  add(response: Response, lifetimeMs: number): void;
  /** `data` is written as JSON on one line, so nothing in it can begin a line of its own. */
  publish(event: "alert" | "decision" | "ended" | "appeal" | "fault", data: unknown): void;
  readonly count: number;
  close(): void;
}

const HEARTBEAT_MS = 15_000;
/** A follower that does not read is let go: what waits for it lies in memory. */
const MOST_WAITING_BYTES = 1024 * 1024;

export function createFollowers(capacity: number): Followers {
  const open = new Set<Response>();
  let closed = false;
  return {
    add(response, lifetimeMs) {
      if (open.size >= capacity) {
        throw new MedcloudletError("SUBSCRIPTIONS_FULL", "Too many watch already: try again later.", {
          status: 503,
          details: { retryAfterSeconds: 30 },
        });
      }
      response.writeHead(200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
      response.write("retry: 1000\n\n");
      if (closed) {
        response.end();
        return;
      }
      open.add(response);
      const heartbeat = setInterval(() => response.write(": alive\n\n"), HEARTBEAT_MS);
      const end = setTimeout(() => response.end(), lifetimeMs);
      response.on("close", () => {
        clearInterval(heartbeat);
        clearTimeout(end);
        open.delete(response);
      });
    },
    publish(event, data) {
      if (open.size === 0) {
        return;
      }
      const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
      for (const response of open) {
        if (response.writableLength > MOST_WAITING_BYTES) {
          response.destroy();
        } else {
          response.write(text);
        }
      }
    },
    get count() {
      return open.size;
    },
    close() {
      closed = true;
      for (const response of open) {
        response.end();
      }
    },
  };
}
