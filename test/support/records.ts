import { z } from "zod";
import { toBase64Url } from "../../host/base/index.ts";
import {
  createHttpClient,
  createKdcClient,
  createOwner,
  createRecordOwner,
  createRecordReader,
  createSeenParts,
  type Fetch,
  type HeldTicket,
  type OwnedEpoch,
  type RecordOwner,
  type RecordReader,
  type SeenPart,
} from "../../host/client/index.ts";
import { generateSigningSeed, importSigningKey, type Region } from "../../host/sealing/index.ts";
import { termsFor } from "./sharing.ts";
import { type Doctor, PASSWORD, type Patient, type Person, type System } from "./system.ts";

/** What a machine of a person keeps on disk between two runs. */
export interface Disk {
  epochs: readonly OwnedEpoch[];
  seen: Readonly<Record<string, SeenPart>>;
}

/** The same patient, logged in over a line that a test can cut after the login. */
export async function overLine(system: System, patient: Patient, fetch: Fetch): Promise<Patient> {
  const http = createHttpClient({ clock: system.clock, fetch });
  const kdc = createKdcClient({ http, url: system.kdc.url });
  return { ...patient, session: await kdc.login(patient.session.account.handle, PASSWORD) };
}

/** A patient's record as one machine of theirs sees it; `fetch` is its line to the cloud. */
export function recordOwnerOf(
  system: System,
  patient: Patient,
  disk: Disk = { epochs: patient.owner.epochs, seen: {} },
  fetch?: Fetch,
): RecordOwner {
  const { suite, clock, cloud } = system;
  const http = createHttpClient({ clock, ...(fetch === undefined ? {} : { fetch }) });
  const owner = createOwner({
    suite,
    clock,
    ...patient,
    name: "",
    epochs: disk.epochs,
    keepEpochs: async (epochs) => {
      disk.epochs = epochs;
    },
  });
  const seen = createSeenParts(disk.seen, async (kept) => {
    disk.seen = kept;
  });
  return createRecordOwner({ ...patient, owner, suite, clock, http, cloudUrl: cloud.url, seen });
}

/** A doctor's way to records; `seen` outlives it. */
export function recordReaderOf(
  system: System,
  doctor: Doctor,
  disk: Pick<Disk, "seen"> = { seen: {} },
): RecordReader {
  const seen = createSeenParts(disk.seen, async (kept) => {
    disk.seen = kept;
  });
  const http = createHttpClient({ clock: system.clock });
  return createRecordReader({ ...doctor, http, cloudUrl: system.cloud.url, seen });
}

/** A ticket to write a stream's record, bound to a key of its own. */
export async function writeTicketOf(person: Person, streamId: string): Promise<HeldTicket> {
  const key = await importSigningKey(generateSigningSeed());
  const json = { streamId, holder: toBase64Url(key.publicKey) };
  const request = { method: "POST", path: "/tickets/write", json, key: person.keys.signing } as const;
  const schema = z.object({ ticket: z.string(), expiresAt: z.number() });
  return { ...(await person.session.call(schema, request)), key };
}

/** Lets a doctor read regions for a day. */
export async function shareRecord(
  system: System,
  patient: Patient,
  doctor: Doctor,
  regions: readonly Region[],
  disk?: Disk,
): Promise<void> {
  const { suite, clock } = system;
  const owner =
    disk === undefined
      ? patient.owner
      : createOwner({
          suite,
          clock,
          ...patient,
          name: "",
          epochs: disk.epochs,
          keepEpochs: async () => {},
        });
  await owner.share(termsFor(system, doctor, { regions }));
}

/** A ticket to leave notes beside a stream, as the KDC gives it. */
export async function noteTicketOf({ session, keys }: Person, streamId: string): Promise<HeldTicket> {
  const key = await importSigningKey(generateSigningSeed());
  const json = { streamId, holder: toBase64Url(key.publicKey) };
  const schema = z.object({ ticket: z.string(), expiresAt: z.number() });
  const answer = await session.call(schema, {
    method: "POST",
    path: "/tickets/note",
    json,
    key: keys.signing,
  });
  return { ...answer, key };
}
