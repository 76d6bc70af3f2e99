import { expect } from "vitest";
import {
  type Bytes,
  fromBase64Url,
  fromHex,
  randomBytes,
  toBase64Url,
  toHex,
} from "../../../host/base/index.ts";
import {
  createHttpClient,
  createIdentity,
  createKdcClient,
  type KdcClient,
} from "../../../host/client/index.ts";
import {
  type BatchHeader,
  createProof,
  EPOCH,
  generateSigningSeed,
  importSigningKey,
  type Region,
  type SigningKey,
  sealBatch,
  verifyStatement,
} from "../../../host/sealing/index.ts";
import type { Store } from "../../../host/store/index.ts";
import { dumpOf, eventually, type Patient, type System } from "../../support/system.ts";

/** One HTTP request as a recorder on the wire has it: it can be sent any number of times. */
export interface Recorded {
  readonly url: string;
  readonly init: RequestInit;
}

export function replay({ url, init }: Recorded): Promise<Response> {
  return fetch(url, init);
}

/** A request with a fresh proof by `key`, made by hand so that every part of it can be wrong. */
export async function signed(
  system: Pick<System, "clock">,
  input: {
    readonly method?: "GET" | "POST" | "PUT" | "DELETE";
    readonly url: string;
    readonly key: SigningKey;
    readonly ticket?: string;
    readonly bytes?: Bytes;
    readonly json?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<Recorded> {
  const { url, key, ticket, bytes, json } = input;
  const method = input.method ?? "POST";
  const proof = await createProof({
    key,
    method,
    url,
    clock: system.clock,
    ...(ticket === undefined ? {} : { ticket }),
  });
  const headers: Record<string, string> = { DPoP: proof };
  if (ticket !== undefined) {
    headers.Authorization = `DPoP ${ticket}`;
  }
  if (bytes !== undefined) {
    headers["Content-Type"] = "application/octet-stream";
  }
  if (json !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  const body = bytes ?? (json === undefined ? null : JSON.stringify(json));
  return { url, init: { method, body, headers: { ...headers, ...input.headers } } };
}

/** Checks that an answer is a problem document (RFC 9457) of one status and code, and gives it. */
export async function expectProblem(
  response: Response,
  status: number,
  code: string,
): Promise<Record<string, unknown>> {
  const text = await response.text();
  expect(response.headers.get("content-type"), text).toBe("application/problem+json; charset=utf-8");
  const problem = JSON.parse(text) as Record<string, unknown>;
  expect({ status: response.status, code: problem.code }, text).toEqual({ status, code });
  expect(problem).toMatchObject({
    type: `urn:medcloudlet:problem:${code.toLowerCase().replaceAll("_", "-")}`,
    title: code,
    status,
    instance: `urn:medcloudlet:request:${response.headers.get("x-request-id")}`,
  });
  expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  expect(problem.detail).toMatch(/^\S.{10,}[.]$/s);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.has("www-authenticate")).toBe(status === 401);
  expect(response.headers.has("retry-after")).toBe("retryAfterSeconds" in problem);
  expect(text).not.toMatch(/node_modules|\.ts:\d|at async/);
  return problem;
}

/** What changes by itself: the audit's and the intrusion detection's own entries, and what people who are at work log in and are seen with. */
const BOOKKEEPING = /^(audit.*|sessions|known_clients|ids_.*)$/;

/** An account without the count of codes used, which a login that was due moves on. */
function settled(document: Record<string, unknown>): Record<string, unknown> {
  const { secondFactor, ...rest } = document;
  if (typeof secondFactor !== "object" || secondFactor === null) {
    return document;
  }
  return { ...rest, secondFactor: { ...secondFactor, lastStep: null } };
}

/** Everything that the three stores hold beside bookkeeping, once nothing is on its way any more. */
export async function snapshot(system: System): Promise<Record<string, unknown[]>> {
  await eventually(async () =>
    (await dumpOf(system.stores.cloudlet)).every(
      ({ collection, document }) => collection !== "spool" || document.state !== "waiting",
    ),
  );
  const all: Record<string, unknown[]> = {};
  for (const [service, store] of Object.entries(system.stores)) {
    const documents = (await dumpOf(store))
      .filter(({ collection }) => !BOOKKEEPING.test(collection))
      .map(({ collection, document }) => ({ collection, document: settled(document) }));
    const keyOf = (entry: (typeof documents)[number]) => `${entry.collection} ${entry.document._id}`;
    all[service] = documents.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }
  return all;
}

/** Does something hostile and checks that no store of the three services changed by it, but for bookkeeping. */
export async function leavesNoTrace(system: System, attack: () => Promise<unknown>): Promise<void> {
  const before = await snapshot(system);
  expect(before.kdc?.length).toBeGreaterThan(0);
  await attack();
  expect(await snapshot(system)).toEqual(before);
}

/** All documents of one collection. */
export async function documentsOf(store: Store, collection: string): Promise<Record<string, unknown>[]> {
  return (await dumpOf(store))
    .filter((entry) => entry.collection === collection)
    .map(({ document }) => document);
}

/** An enrolled device whose every byte the test makes itself. */
export interface Sensor {
  readonly deviceId: string;
  readonly streamId: string;
  readonly epochId: string;
  readonly region: Region;
  readonly epochPublicKey: Bytes;
  readonly key: SigningKey;
  readonly ticket: string;
}

export function kdcOf(system: Pick<System, "clock" | "kdc">): KdcClient {
  return createKdcClient({ http: createHttpClient({ clock: system.clock }), url: system.kdc.url });
}

/** A patient's device with an upload ticket of now. The patient needs an epoch of the region. */
export async function sensorOf(
  system: System,
  patient: Patient,
  region: Region = "medical",
): Promise<Sensor> {
  const { pairing } = await system.device(patient, region);
  const key = await importSigningKey(fromHex(pairing.signingSeed));
  const { ticket, epoch: statement } = await kdcOf(system).uploadTicket(pairing.deviceId, key);
  const epoch = await verifyStatement(EPOCH, statement, patient.keys.signing.publicKey);
  const { deviceId, streamId } = pairing;
  const { epochId } = epoch;
  return { deviceId, streamId, epochId, region, epochPublicKey: fromBase64Url(epoch.publicKey), key, ticket };
}

/** A patient with an epoch and a device. */
export async function wearerOf(system: System, handle: string): Promise<Sensor & { patient: Patient }> {
  const patient = await system.patient(handle, "Somebody Real");
  await patient.owner.startEpoch("medical");
  return { ...(await sensorOf(system, patient)), patient };
}

/** A sealed batch of one sensor; header fields and the signing key can be those of another. */
export function sealedBy(
  system: System,
  sensor: Sensor,
  sequence: number,
  changes: Partial<BatchHeader> & { readonly signingKey?: SigningKey; readonly readings?: number } = {},
): Promise<Bytes> {
  const { signingKey = sensor.key, readings = 3, ...header } = changes;
  const { region, epochId, streamId, deviceId } = sensor;
  const now = system.clock.now();
  const times = Array.from({ length: readings }, (_, i) => now + i * 1000);
  return sealBatch({
    suite: system.suite,
    epochPublicKey: sensor.epochPublicKey,
    signingKey,
    header: { region, epochId, streamId, deviceId, priority: "regular", sequence, ...header },
    columns: [{ quantity: "heartRate", times, values: times.map((_, i) => 60 + (i % 40)) }],
  });
}

/** Hands a batch in at the cloudlet as a sensor. */
export function uploadBy(
  system: System,
  sensor: Pick<Sensor, "key" | "ticket">,
  bytes: Bytes,
  cloudletUrl = system.cloudlet.url,
): Promise<Recorded> {
  const { key, ticket } = sensor;
  return signed(system, { url: `${cloudletUrl}/v1/batches`, key, ticket, bytes });
}

/** A key pair that nobody enrolled. */
export async function strangerKey(): Promise<SigningKey> {
  return importSigningKey(generateSigningSeed());
}

/** A second cloudlet's account: whoever holds its key may forward to the cloud. */
export async function cloudletAccount(
  system: System,
  handle: string,
): Promise<{ cloudletId: string; key: SigningKey; ticket: string }> {
  const { keys, statement } = await createIdentity(system.suite, system.clock);
  const { code } = await system.operator.session.invite("cloudlet");
  const kdc = kdcOf(system);
  const { accountId } = await kdc.register({ invitation: code, handle, identity: statement });
  const { ticket } = await kdc.forwardTicket(accountId, keys.signing);
  return { cloudletId: accountId, key: keys.signing, ticket };
}

/** What a JWT says, unverified. */
export function payloadOf(jwt: string): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(fromBase64Url(jwt.split(".")[1] as string)));
}

/** A JWT of any header and payload, signed by `key` or not at all. */
export async function forgedJwt(
  header: Record<string, unknown>,
  payload: Record<string, unknown>,
  key: SigningKey | null,
): Promise<string> {
  const part = (value: unknown) => toBase64Url(new TextEncoder().encode(JSON.stringify(value)));
  const signedPart = `${part(header)}.${part(payload)}`;
  const signature = key === null ? new Uint8Array(0) : await key.sign(new TextEncoder().encode(signedPart));
  return `${signedPart}.${toBase64Url(signature)}`;
}

export function someId(): string {
  return toHex(randomBytes(16));
}
