import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
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

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
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
  const address = await bind(server, options.host, options.port);
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  const url = options.publicUrl ?? `http://${host}:${address.port}`;
  await service.start(url);
  options.log.info({ event: "listening", url });
  let closing: Promise<void> | undefined;
  return {
    url,
    close: () => {
      closing ??= (async () => {
        service.drain();
        await closeServer(server, options.graceMs ?? DEFAULT_GRACE_MS);
        await service.stop();
        options.log.info({ event: "stopped" });
      })();
      return closing;
    },
  };
}
