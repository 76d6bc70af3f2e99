import { type Bytes, type Clock, MedcloudletError } from "../base/index.ts";
import { createProof, type SigningKey } from "../sealing/index.ts";

/** `fetch`, as far as the client needs it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How a request shows who makes it. */
export type Credentials =
  /** A session of the KDC (RFC 6750). */
  | { readonly session: string }
  /** A key alone: a machine that asks for a ticket. */
  | { readonly key: SigningKey }
  /** A ticket and the key it is bound to (RFC 9449). */
  | { readonly key: SigningKey; readonly ticket: string };

export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly credentials?: Credentials;
  readonly json?: unknown;
  readonly bytes?: Bytes;
  readonly headers?: Readonly<Record<string, string>>;
  /** Overrides the timeout; a stream of events lives longer than a request. */
  readonly signal?: AbortSignal;
}

/** Makes requests and turns problem documents back into the errors they were. */
export interface HttpClient {
  /**
   * @throws MedcloudletError with the service's own code, `SERVICE_UNREACHABLE` when there is no answer, or
   *   `SERVICE_RESPONSE` when the answer is none of ours
   */
  send(request: HttpRequest): Promise<Response>;
  /** Like `send`, and gives the JSON body. */
  json(request: HttpRequest): Promise<unknown>;
}

const TIMEOUT_MS = 15_000;

async function credentialHeaders(
  { method, url, credentials }: HttpRequest,
  clock: Clock,
): Promise<Record<string, string>> {
  if (credentials === undefined) {
    return {};
  }
  if ("session" in credentials) {
    return { Authorization: `Bearer ${credentials.session}` };
  }
  const proof = await createProof({ ...credentials, method, url, clock });
  return "ticket" in credentials
    ? { Authorization: `DPoP ${credentials.ticket}`, DPoP: proof }
    : { DPoP: proof };
}

async function problemOf(response: Response): Promise<MedcloudletError> {
  const unknown = new MedcloudletError(
    "SERVICE_RESPONSE",
    `The service answered with status ${response.status}.`,
    {
      status: response.status,
    },
  );
  try {
    const { code, detail, type, title, status, instance, ...details } = await response.json();
    if (typeof code !== "string" || typeof detail !== "string") {
      return unknown;
    }
    return new MedcloudletError(code, detail, { status: response.status, details });
  } catch {
    return unknown;
  }
}

export function createHttpClient(options: { readonly clock: Clock; readonly fetch?: Fetch }): HttpClient {
  const { clock, fetch = globalThis.fetch } = options;

  const send = async (request: HttpRequest): Promise<Response> => {
    const headers: Record<string, string> = {
      ...request.headers,
      ...(await credentialHeaders(request, clock)),
    };
    let body: string | Bytes | null = null;
    if (request.json !== undefined) {
      headers["Content-Type"] = "application/json";
      body = JSON.stringify(request.json);
    } else if (request.bytes !== undefined) {
      headers["Content-Type"] = "application/octet-stream";
      body = request.bytes;
    }
    let response: Response;
    try {
      response = await fetch(request.url, {
        method: request.method,
        headers,
        body,
        redirect: "error",
        signal: request.signal ?? AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (cause) {
      throw new MedcloudletError(
        "SERVICE_UNREACHABLE",
        `No answer from ${new URL(request.url).origin}: is the service running, and is the address right?`,
        { status: 503, cause },
      );
    }
    if (!response.ok) {
      throw await problemOf(response);
    }
    return response;
  };

  return {
    send,
    json: async (request) => {
      const response = await send(request);
      try {
        return await response.json();
      } catch (cause) {
        throw new MedcloudletError("SERVICE_RESPONSE", "The service's answer is not JSON.", {
          status: 502,
          cause,
        });
      }
    },
  };
}
