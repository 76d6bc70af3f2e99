import type { z } from "zod";
import { MedcloudletError } from "../base/index.ts";
import type { Credentials, HttpClient, HttpRequest } from "./http.ts";
import type { HeldTicket } from "./kdc-client.ts";

/** Where somebody with a ticket asks a service. */
export interface TicketedService {
  readonly http: HttpClient;
  /** Of the service; a slash at its end does not matter. */
  readonly url: string;
  /** A ticket of now; asked for at every request, for they live five minutes. */
  readonly ticket: () => Promise<HeldTicket>;
}

/**
 * Makes requests for JSON whose answers are checked.
 * @param options `base`: what every path begins with; `service`: who answers, for the error: "The KDC"
 * @throws MedcloudletError from each request `SERVICE_RESPONSE` where the answer has another form, and what
 *   `HttpClient.json` throws
 */
export function createCall(options: {
  readonly http: HttpClient;
  readonly base: string;
  readonly service: string;
}) {
  const { http, base, service } = options;
  return async <T>(
    schema: z.ZodType<T>,
    method: HttpRequest["method"],
    path: string,
    { credentials, json }: { readonly credentials?: Credentials | undefined; readonly json?: unknown } = {},
  ): Promise<T> => {
    const answer = await http.json({
      method,
      url: base + path,
      ...(credentials === undefined ? {} : { credentials }),
      ...(json === undefined ? {} : { json }),
    });
    const parsed = schema.safeParse(answer);
    if (!parsed.success) {
      throw new MedcloudletError(
        "SERVICE_RESPONSE",
        `${service}'s answer has another form than expected: check the address, and that both have one version.`,
        { status: 502, cause: parsed.error },
      );
    }
    return parsed.data;
  };
}

/** Like {@link createCall}, with a ticket of the time of each request. */
export function createTicketedCall(
  options: Pick<TicketedService, "http" | "ticket"> & { readonly base: string },
) {
  const call = createCall({ ...options, service: "The service" });
  return async <T>(
    schema: z.ZodType<T>,
    method: HttpRequest["method"],
    path: string,
    json?: unknown,
  ): Promise<T> => call(schema, method, path, { credentials: await options.ticket(), json });
}
