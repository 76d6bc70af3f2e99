import type { Response } from "express";
import { MedcloudletError } from "../base/index.ts";

/** What readers hear of: sealed readings, or a sealed note. */
export type NewsKind = "batch" | "note";

/** Readers that want to hear of what is new in a stream, by Server-Sent Events (WHATWG HTML, section 9.2). */
export interface Subscriptions {
  /**
   * Keeps the response open until the reader goes, `until` (ms since 1970 UTC) is reached, or all are closed.
   * @throws MedcloudletError `SUBSCRIPTIONS_FULL`
   */
  add(streamId: string, response: Response, lifetimeMs: number): void;
  publish(streamId: string, position: number, kind?: NewsKind): void;
  /** Ends the subscriptions of a stream that was deleted: readers who come back are told why. */
  end(streamId: string): void;
  close(): void;
}

const HEARTBEAT_MS = 15_000;

export function createSubscriptions(capacity: number): Subscriptions {
  const open = new Map<string, Set<Response>>();
  let count = 0;
  let closed = false;

  const remove = (streamId: string, response: Response): void => {
    const readers = open.get(streamId);
    if (readers?.delete(response)) {
      count--;
      if (readers.size === 0) {
        open.delete(streamId);
      }
    }
  };

  return {
    add(streamId, response, lifetimeMs) {
      if (count >= capacity) {
        throw new MedcloudletError(
          "SUBSCRIPTIONS_FULL",
          "Too many readers wait here: poll, or try again later.",
          {
            status: 503,
            details: { retryAfterSeconds: 30 },
          },
        );
      }
      response.writeHead(200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
      response.write("retry: 1000\n\n");
      if (closed) {
        response.end();
        return;
      }
      const readers = open.get(streamId) ?? new Set();
      readers.add(response);
      open.set(streamId, readers);
      count++;
      const heartbeat = setInterval(() => response.write(": alive\n\n"), HEARTBEAT_MS);
      const end = setTimeout(() => response.end(), lifetimeMs);
      response.on("close", () => {
        clearInterval(heartbeat);
        clearTimeout(end);
        remove(streamId, response);
      });
    },
    publish(streamId, position, kind = "batch") {
      for (const response of open.get(streamId) ?? []) {
        response.write(`event: ${kind}\nid: ${position}\ndata: {"position":${position}}\n\n`);
      }
    },
    end(streamId) {
      for (const response of open.get(streamId) ?? []) {
        response.end();
      }
    },
    close() {
      closed = true;
      for (const readers of open.values()) {
        for (const response of readers) {
          response.end();
        }
      }
    },
  };
}
