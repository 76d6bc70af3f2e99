import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createResearchApp } from "../../host/apps/index.ts";
import {
  createHttpClient,
  createResearchClient,
  personFingerprint,
  type ResearchClient,
} from "../../host/client/index.ts";
import {
  createLog,
  listen,
  type RateLimit,
  type RunningService,
  type Service,
} from "../../host/http/index.ts";
import type { PatientRecord } from "../../host/patient-record/index.ts";
import { parseStudy, type ReleaseDesk, type Study } from "../../host/research/service/index.ts";
import type { Store } from "../../host/store/index.ts";
import { recordOwnerOf } from "./records.ts";
import { DAY_MS, type Patient, type Person, type System } from "./system.ts";

/** What the tests' studies are made of. */
export const COLUMNS = [
  { name: "patient", role: "identifier", person: true },
  { name: "birth_year", role: "quasi-identifier", type: "numeric" },
  { name: "sex", role: "quasi-identifier", type: "categorical" },
  { name: "diagnosis", role: "sensitive", type: "categorical" },
];

export function studyOf(id: string, more: Readonly<Record<string, unknown>> = {}): Study {
  const value = {
    ...{ id, title: `Study ${id}`, purpose: "To see whether it works.", schema: { columns: COLUMNS } },
    floor: { k: 3, l: 2, t: 1 },
    ...more,
  };
  return parseStudy(value, id);
}

/** A research service on a loopback port with an account of its own. */
export interface ResearchDesk {
  readonly running: RunningService;
  readonly service: Service & { readonly desk: ReleaseDesk };
  readonly store: Store;
  /** Where its releases lie. */
  readonly folder: string;
  readonly person: Person;
  readonly handle: string;
}

/** What a service is started with, to start it again after a crash. */
export interface ResearchSetup {
  readonly person: Person;
  readonly store: Store;
  readonly folder: string;
  readonly studies: readonly Study[];
  readonly salt?: Uint8Array;
  readonly requestLimit?: RateLimit;
}

export async function startResearch(system: System, setup: ResearchSetup): Promise<ResearchDesk> {
  const { person, store, folder } = setup;
  const { clock, suite } = system;
  const log = createLog({
    service: "research",
    level: "debug",
    destination: { write: (line) => void system.logLines.push(line) },
  });
  const { accountId, handle } = person.session.account;
  const service = await createResearchApp({
    ...{ store, clock, log, suite, folder },
    kdcUrl: system.kdc.url,
    cloudUrl: system.cloud.url,
    account: { accountId, handle, keys: person.keys, session: async () => person.session },
    studies: new Map(setup.studies.map((study) => [study.id, study])),
    salt: setup.salt ?? new Uint8Array(32).fill(9),
    rateLimit: { points: 1_000_000, seconds: 1 },
    requestLimit: setup.requestLimit ?? { points: 1_000_000, seconds: 1 },
    trustProxies: 0,
  });
  const running = await listen(service, { host: "127.0.0.1", port: 0, log, graceMs: 500 });
  return { running, service, store, folder, person, handle };
}

export const releaseFolder = () => mkdtemp(join(tmpdir(), "medcloudlet-releases-"));

/** A researcher's way to a service; a ticket for each request, as their time may have moved on. */
export function researchClient(system: System, person: Person, url: string): ResearchClient {
  return createResearchClient({
    http: createHttpClient({ clock: system.clock }),
    url,
    ticket: () => person.session.staffTicket(person.keys.signing),
  });
}

/** A patient with a record, who consents to research with somebody. */
export async function consenting(
  system: System,
  handle: string,
  record: PatientRecord,
  to: { readonly handle: string; readonly person: Person },
): Promise<Patient> {
  const patient = await system.patient(handle, `Nobody ${handle}`);
  for (const region of ["identity", "profile", "medical"] as const) {
    await patient.owner.startEpoch(region);
  }
  await recordOwnerOf(system, patient).save(record, {});
  await consentTo(system, patient, to);
  return patient;
}

export async function consentTo(
  { clock }: System,
  patient: Patient,
  { handle, person }: { readonly handle: string; readonly person: Person },
): Promise<void> {
  await patient.owner.share({
    reader: handle,
    expectedFingerprint: personFingerprint(person.keys),
    regions: ["profile", "medical"],
    purpose: "research",
    from: clock.now(),
    until: clock.now() + 30 * DAY_MS,
  });
}

/** All of a file that a client downloads. */
export async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) {
    parts.push(piece);
  }
  return Buffer.concat(parts).toString("utf8");
}
