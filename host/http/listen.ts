import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { MedcloudletError } from "../base/index.ts";
import type { Log } from "./log.ts";
import type { Service } from "./service.ts";

/** A service that listens. */
export interface RunningService {
  /** Where it listens, for example `http://127.0.0.1:4701`. */
  readonly url: string;
  /** Stops taking work, lets running requests end (at most `graceMs`), stops background work. Idempotent. */
  close(): Promise<void>;
}

const DEFAULT_GRACE_MS = 10_000;

function bind(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const what =
        cause.code === "EADDRINUSE"
          ? `Port ${port} on ${host} is taken: stop what uses it or choose another with --port.`
          : `Cannot listen on ${host}:${port} (${cause.code}).`;
      reject(new MedcloudletError("SERVICE_PORT_UNAVAILABLE", what, { cause }));
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/**
 * Makes a server closable without waiting for clients that keep connections open. Node's own
 * `closeIdleConnections` overlooks those that never carried a request, and those that turn idle a moment later.
 */
function createCloser(server: Server): (graceMs: number) => Promise<void> {
  const running = new Map<Socket, number>();
  let closing = false;
  server.on("connection", (socket) => {
    running.set(socket, 0);
    socket.on("close", () => running.delete(socket));
  });
  server.on("request", (request, response) => {
    const { socket } = request;
    running.set(socket, (running.get(socket) ?? 0) + 1);
    response.on("close", () => {
      const left = (running.get(socket) ?? 0) - 1;
      if (left < 0) {
        return; // the socket is gone already
      }
      running.set(socket, left);
      if (closing && left === 0) {
        socket.end();
      }
    });
  });
  return (graceMs) =>
    new Promise((resolve) => {
      closing = true;
      const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
      server.close(() => {
        clearTimeout(deadline);
        resolve();
      });
      for (const [socket, requests] of running) {
        if (requests === 0) {
          socket.destroy();
        }
      }
    });
}

/**
 * Starts a service on a port (0 takes a free one).
 * @throws MedcloudletError `SERVICE_PORT_UNAVAILABLE`
 */
export async function listen(
  service: Service,
  options: {
    readonly host: string;
    readonly port: number;
    readonly log: Log;
    /** The URL clients use, where it differs from the address (a proxy in front). */
    readonly publicUrl?: string;
    readonly graceMs?: number;
  },
): Promise<RunningService> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, service.app);
  const closeServer = createCloser(server);
  const begin = async (): Promise<string> => {
    const address = await bind(server, options.host, options.port);
    const host = options.host.includes(":") ? `[${options.host}]` : options.host;
    const url = options.publicUrl ?? `http://${host}:${address.port}`;
    await service.start(url);
    return url;
  };
  const url = await begin().catch(async (error: unknown) => {
    // Files, timers and connections that the service holds already would outlive it.
    service.drain();
    await closeServer(0);
    await service.stop().catch(() => {});
    throw error;
  });
  options.log.info({ event: "listening", url });
  let closing: Promise<void> | undefined;
  return {
    url,
    close: () => {
      closing ??= (async () => {
        service.drain();
        await closeServer(options.graceMs ?? DEFAULT_GRACE_MS);
        await service.stop();
        options.log.info({ event: "stopped" });
      })();
      return closing;
    },
  };
}
