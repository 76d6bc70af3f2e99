import { expect } from "vitest";
import { z } from "zod";
import type { HttpClient } from "../../../../host/client/index.ts";
import { createHttpClient, createKdcClient, type HeldTicket } from "../../../../host/client/index.ts";
import type { Person, System } from "../../../support/system.ts";
import { documentsOf, expectProblem } from "../../http/attack.ts";

export type ServiceName = keyof System["services"];

/** A client's HTTP from an address of its own, by the word of the proxy in front. */
export function httpFrom(system: System, address: string): HttpClient {
  return createHttpClient({
    clock: system.clock,
    fetch: (url, init) =>
      fetch(url, { ...init, headers: { ...headersOf(init), "X-Forwarded-For": address } }),
  });
}

function headersOf(init: RequestInit): Record<string, string> {
  return (init.headers ?? {}) as Record<string, string>;
}

export function kdcFrom(system: System, address: string) {
  return createKdcClient({ http: httpFrom(system, address), url: system.kdc.url });
}

/** A plain request from an address. */
export function ask(
  system: System,
  service: ServiceName,
  address: string,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  return fetch(`${system[service].url}${path}`, {
    ...init,
    headers: { ...headersOf(init), "X-Forwarded-For": address },
  });
}

/** What nobody asks for by accident. */
export const ATTACK = "/v1/streams/1?q=1'%20UNION%20SELECT%20password%20FROM%20users--";

/** Attacks from an address until something is held against it. */
export async function attackFrom(system: System, service: ServiceName, address: string): Promise<string> {
  for (let i = 0; i < 12; i++) {
    const response = await ask(system, service, address, `${ATTACK}${i}`);
    if (response.status === 403 || response.status === 429) {
      const problem = (await response.json()) as { code: string; decision: string };
      expect(problem.code).toMatch(/^IDS_(BANNED|CHALLENGED|THROTTLED)$/);
      return problem.decision;
    }
  }
  throw new Error(`nothing was held against ${address} after 12 attacks`);
}

/** What a stranger at this address is told, or null where nothing holds. */
export async function heldAgainst(
  system: System,
  service: ServiceName,
  address: string,
): Promise<string | null> {
  for (let i = 0; i < 8; i++) {
    const response = await ask(system, service, address, "/v1/nowhere");
    const { code } = (await response.json()) as { code: string };
    if (code.startsWith("IDS_")) {
      return code;
    }
  }
  return null;
}

/** The security officer with a ticket to watch, at one service. */
export interface Officer {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, json: unknown): Promise<T>;
  delete(path: string): Promise<void>;
  readonly ticket: HeldTicket;
  readonly http: HttpClient;
}

export async function officerAt(system: System, service: ServiceName, person: Person): Promise<Officer> {
  const ticket = await person.session.staffTicket(person.keys.signing);
  const http = createHttpClient({ clock: system.clock });
  const send = async <T>(method: "GET" | "POST" | "DELETE", path: string, json?: unknown): Promise<T> => {
    const answer = await http.json({
      method,
      url: `${system[service].url}/v1/ids${path}`,
      credentials: { ticket: ticket.ticket, key: ticket.key },
      ...(json === undefined ? {} : { json }),
    });
    return z.unknown().parse(answer) as T;
  };
  return {
    get: (path) => send("GET", path),
    post: (path, json) => send("POST", path, json),
    delete: (path) => send("DELETE", path),
    ticket,
    http,
  };
}

/** What a service's store holds of the detection. */
export function keptOf(system: System, service: ServiceName, what: "alerts" | "decisions" | "events") {
  return documentsOf(system.stores[service], `ids_${what}`);
}

export { expectProblem };
