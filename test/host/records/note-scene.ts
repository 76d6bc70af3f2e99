import { type Bytes, fromBase64Url } from "../../../host/base/index.ts";
import {
  createHttpClient,
  createPatientNotes,
  type HeldTicket,
  type NotedStream,
  ownNotedStream,
  type PatientNotes,
  type SharedStream,
} from "../../../host/client/index.ts";
import {
  EPOCH,
  type Epoch,
  NOTE,
  type Note,
  noteTextDigest,
  type SigningKey,
  sealNote,
  signStatement,
  unframeBatches,
  verifyStatement,
} from "../../../host/sealing/index.ts";
import { termsFor } from "../../support/sharing.ts";
import type { Backend } from "../../support/stores.ts";
import { type Doctor, type Patient, type Person, startSystem } from "../../support/system.ts";
import { replay, signed, someId } from "../http/attack.ts";

/** Two patients, Ada shared with both doctors, Bo with the first, and ways to write notes rightly and wrongly. */
export async function startNoteScene(backend: Backend) {
  const system = await startSystem(backend);
  const ada = await system.patient("ada", "Ada Lovelace");
  const bo = await system.patient("bo-b", "Bo");
  const heron = await system.doctor("dr-heron");
  const stork = await system.doctor("dr-stork");

  const notesOf = (person: Person, name: string): PatientNotes =>
    createPatientNotes({
      ...{ suite: system.suite, clock: system.clock, http: createHttpClient({ clock: system.clock }) },
      ...{ session: person.session, keys: person.keys, name, cloudUrl: system.cloud.url },
    });
  const share = (owner: Patient, reader: Doctor, history?: "from-now") =>
    owner.owner.share(termsFor(system, reader, history === undefined ? {} : { history }));
  const idOf = ({ session }: Person) => session.account.accountId;
  const sharedBy = async (owner: Patient, reader: Doctor): Promise<SharedStream> => {
    const { streams } = await reader.reader.shared();
    return streams.findLast(({ ownerId }) => ownerId === idOf(owner)) as SharedStream;
  };
  const ownStream = (patient: Patient) =>
    ownNotedStream(system.suite, {
      accountId: idOf(patient),
      keys: patient.keys,
      epochs: patient.owner.epochs,
    });
  const texts = async (person: Person, stream: NotedStream) =>
    (await notesOf(person, "").list(stream)).notes.map(({ text }) => text);
  const refusals = async (person: Person, stream: NotedStream) =>
    (await notesOf(person, "").list(stream)).refused.map(({ code }) => code);

  const epochOf = async (patient: Patient): Promise<Epoch> => {
    const all = await Promise.all(
      (await patient.session.epochs()).map((statement) =>
        verifyStatement(EPOCH, statement, patient.keys.signing.publicKey),
      ),
    );
    return all.filter(({ region }) => region === "medical").at(-1) as Epoch;
  };
  const post = async (streamId: string, { key, ticket }: Pick<HeldTicket, "key" | "ticket">, bytes: Bytes) =>
    replay(
      await signed(system, { url: `${system.cloud.url}/v1/streams/${streamId}/notes`, key, ticket, bytes }),
    );

  /** A note of which every part can be wrong, sealed to the patient's newest epoch. */
  const forged = async (
    patient: Patient,
    input: {
      readonly key: SigningKey;
      readonly identity: string;
      readonly consent: string | null;
      readonly note?: Partial<Note>;
      readonly text?: string;
    },
  ): Promise<Bytes> => {
    const { streamId, epochId, publicKey } = await epochOf(patient);
    const text = input.text ?? "forged";
    const note: Note = {
      noteId: someId(),
      streamId,
      epochId,
      author: idOf(heron),
      authorName: "Dr Heron",
      at: system.clock.now(),
      replaces: null,
      retracted: false,
      digest: noteTextDigest(text),
      ...input.note,
    };
    const { identity, consent } = input;
    const statement = await signStatement(NOTE, note, input.key);
    return sealNote({
      suite: system.suite,
      epochPublicKey: fromBase64Url(publicKey),
      header: { region: "medical", streamId, epochId },
      content: { statement, identity, consent, text },
    });
  };

  /** What the cloud keeps of a stream, as its owner gets it. */
  const sealedOf = async (patient: Patient, streamId: string): Promise<Bytes[]> => {
    const { key, ticket } = await patient.session.readTicket(streamId, patient.keys.signing);
    const url = `${system.cloud.url}/v1/streams/${streamId}/notes`;
    const { body } = await createHttpClient({ clock: system.clock }).bytes({
      ...{ method: "GET", url, credentials: { key, ticket } },
    });
    return unframeBatches(body);
  };

  for (const patient of [ada, bo]) {
    await patient.owner.startEpoch("medical");
  }
  await share(ada, heron);
  await share(ada, stork);
  await share(bo, heron);
  return {
    ...{ system, ada, bo, heron, stork, notesOf, share, idOf, sharedBy, ownStream, texts, refusals },
    ...{ epochOf, post, forged, sealedOf },
  };
}

export type NoteScene = Awaited<ReturnType<typeof startNoteScene>>;
