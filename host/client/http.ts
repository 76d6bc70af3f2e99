import { type Bytes, type Clock, concatBytes, MedcloudletError } from "../base/index.ts";
import { createProof, type SigningKey } from "../sealing/index.ts";

/** `fetch`, as far as the client needs it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How a request shows who makes it. */
export type Credentials =
  /** A session of the KDC (RFC 6750); with the account's key where the session alone is not enough. */
  | { readonly session: string; readonly key?: SigningKey }
  /** A key alone: a machine that asks for a ticket. */
  | { readonly key: SigningKey }
  /** A ticket and the key it is bound to (RFC 9449). */
  | { readonly key: SigningKey; readonly ticket: string };

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
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
  /** Like `send`, and gives the whole body: at most 16 MiB, for no service of ours answers with more. */
  bytes(
    request: HttpRequest,
  ): Promise<{ readonly status: number; readonly body: Bytes; readonly headers: Headers }>;
  /** Like `bytes`, and reads the body as JSON; null where there is no content (204). */
  json(request: HttpRequest): Promise<unknown>;
}

const TIMEOUT_MS = 15_000;
/** A hostile service must not fill the memory of whoever asks it. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

function unreachable(url: string, cause: unknown): MedcloudletError {
  return new MedcloudletError(
    "SERVICE_UNREACHABLE",
    `No answer from ${new URL(url).origin}: is the service running, and is the address right?`,
    { status: 503, cause },
  );
}

/** Reads a body up to the limit. */
async function bodyOf(response: Response, url: string): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read().catch((cause) => {
      throw unreachable(url, cause);
    });
    if (done) {
      break;
    }
    length += value.length;
    if (length > MAX_BODY_BYTES) {
      await reader.cancel();
      throw new MedcloudletError(
        "SERVICE_RESPONSE",
        "The service's answer is longer than any of ours: check the address.",
        { status: 502 },
      );
    }
    parts.push(value);
  }
  return concatBytes(...parts);
}

async function credentialHeaders(
  { method, url, credentials }: HttpRequest,
  clock: Clock,
): Promise<Record<string, string>> {
  if (credentials === undefined) {
    return {};
  }
  if ("session" in credentials) {
    const { session, key } = credentials;
    const bearer = { Authorization: `Bearer ${session}` };
    return key === undefined ? bearer : { ...bearer, DPoP: await createProof({ key, method, url, clock }) };
  }
  const proof = await createProof({ ...credentials, method, url, clock });
  return "ticket" in credentials
    ? { Authorization: `DPoP ${credentials.ticket}`, DPoP: proof }
    : { DPoP: proof };
}

async function problemOf(response: Response, url: string): Promise<MedcloudletError> {
  const unknown = new MedcloudletError(
    "SERVICE_RESPONSE",
    `The service answered with status ${response.status} and no reason: check the address, or try again later.`,
    {
      status: response.status,
    },
  );
  try {
    const problem = JSON.parse(new TextDecoder().decode(await bodyOf(response, url)));
    const { code, detail, type, title, status, instance, ...details } = problem;
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
      throw unreachable(request.url, cause);
    }
    if (!response.ok) {
      throw await problemOf(response, request.url);
    }
    return response;
  };

  const bytes: HttpClient["bytes"] = async (request) => {
    const response = await send(request);
    return { body: await bodyOf(response, request.url), headers: response.headers, status: response.status };
  };

  return {
    send,
    bytes,
    async json(request) {
      const { body, status } = await bytes(request);
      if (status === 204) {
        return null;
      }
      try {
        return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
      } catch (cause) {
        throw new MedcloudletError(
          "SERVICE_RESPONSE",
          "The service's answer is not JSON: check the address.",
          { status: 502, cause },
        );
      }
    },
  };
}
