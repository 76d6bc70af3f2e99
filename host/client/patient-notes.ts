import { z } from "zod";
import {
  type Bytes,
  bareUrl,
  type Clock,
  fromBase64Url,
  isMedcloudletError,
  MedcloudletError,
  randomBytes,
  toBase64Url,
  toHex,
} from "../base/index.ts";
import {
  EPOCH,
  type Epoch,
  generateSigningSeed,
  importSigningKey,
  NOTE,
  type Note,
  noteDigest,
  noteTextDigest,
  requireNoteText,
  type SealingSuite,
  sealNote,
  signIdentity,
  signStatement,
  unframeBatches,
  verifyStatement,
} from "../sealing/index.ts";
import type { HttpClient } from "./http.ts";
import type { HeldTicket, KdcSession } from "./kdc-client.ts";
import type { OwnedEpoch } from "./own-epochs.ts";
import {
  chainNotes,
  type NotedStream,
  type NoteVersion,
  type PatientNote,
  readNotes,
} from "./patient-note.ts";
import { type PersonKeys, personFingerprint } from "./person-keys.ts";

/** A stream that the caller may leave notes beside. */
export interface WritableStream extends NotedStream {
  /** The owner's consent to the caller; null where the caller is the owner. */
  readonly consentStatement: string | null;
  /** Number of the newest epoch that the caller has the key of: nothing is sealed to an older one. */
  readonly newestEpoch: number;
}

/** What the cloud holds of notes, as far as the caller's keys open it. */
export interface NoteList {
  /** The newest first. A retracted note is among them, without words. */
  readonly notes: readonly PatientNote[];
  /** Notes that do not open or do not hold, with the reason. `EPOCH_UNKNOWN`: of times that were not shared. */
  readonly refused: readonly MedcloudletError[];
}

/** Notes that people who treat a patient, and the patient, leave beside the stream; all of its readers open them. */
export interface PatientNotes {
  /**
   * Leaves a note. `replaces` names a note of one's own that this one takes the place of; the earlier words stay readable.
   * @throws MedcloudletError `NOTE_TOO_LONG`, `NOTE_TEXT_INVALID`, `NOTE_UNKNOWN`, `NOTE_NOT_YOURS`, `CONSENT_MISSING`,
   *   `EPOCH_ROLLED_BACK`, `NOTE_LIMIT`, `NOTES_TODAY`
   */
  write(
    stream: WritableStream,
    note: { readonly text: string; readonly replaces?: string },
  ): Promise<{ readonly noteId: string; readonly at: number; readonly digest: string }>;
  /**
   * Takes a note of one's own back: readers see that there was one, and its words among the earlier ones.
   * @throws MedcloudletError as `write`
   */
  retract(stream: WritableStream, noteId: string): Promise<void>;
  /** Every note, the newest first; asked again it fetches and opens only what is new. */
  list(stream: NotedStream): Promise<NoteList>;
}

/** What was fetched of one stream. */
interface Fetched {
  cursor: number;
  readonly versions: Map<string, NoteVersion>;
  /** Refused for want of a key that may come: tried again with every list. */
  waiting: Bytes[];
  readonly refused: MedcloudletError[];
  /** How many epoch keys there were at the last try. */
  keys: number;
}

const TICKET = z.object({ ticket: z.string(), expiresAt: z.number(), epoch: z.string() });
const RENEW_BEFORE_MS = 30_000;
const NAME_CHARACTERS = 100;

/** The owner's own stream as notes need it. */
export async function ownNotedStream(
  suite: SealingSuite,
  owner: { readonly accountId: string; readonly keys: PersonKeys; readonly epochs: readonly OwnedEpoch[] },
): Promise<WritableStream> {
  const medical = owner.epochs.filter(({ region }) => region === "medical");
  const [first] = medical;
  if (first === undefined) {
    throw new MedcloudletError(
      "EPOCH_MISSING",
      "There is no epoch of the region medical yet: start one with `medcloudlet keys epoch --region medical`.",
      { status: 409 },
    );
  }
  const opened = await Promise.all(
    medical.map(async ({ epochId, privateKey }) => [epochId, await suite.recipient(privateKey)] as const),
  );
  return {
    streamId: first.streamId,
    region: "medical",
    ownerId: owner.accountId,
    ownerFingerprint: personFingerprint(owner.keys),
    ownerKey: owner.keys.signing.publicKey,
    epochs: new Map(opened),
    consentStatement: null,
    newestEpoch: Math.max(...medical.map(({ number }) => number)),
  };
}

/** @param options.name what the caller wants to be called by readers */
export function createPatientNotes(options: {
  readonly suite: SealingSuite;
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly session: KdcSession;
  readonly keys: PersonKeys;
  readonly name: string;
  readonly cloudUrl: string;
}): PatientNotes {
  const { suite, clock, http, session, keys } = options;
  const streamsUrl = `${bareUrl(options.cloudUrl)}/v1/streams`;
  const tickets = new Map<string, HeldTicket>();
  const fetched = new Map<string, Fetched>();
  const own = personFingerprint(keys);

  const readTicket = async (streamId: string): Promise<HeldTicket> => {
    const held = tickets.get(streamId);
    if (held !== undefined && held.expiresAt - RENEW_BEFORE_MS > clock.now()) {
      return held;
    }
    const ticket = await session.readTicket(streamId, keys.signing);
    tickets.set(streamId, ticket);
    return ticket;
  };

  /** A ticket for one note, and the epoch that it is sealed to: the newest, and not one from before what is known. */
  const noteTicket = async (stream: WritableStream) => {
    const key = await importSigningKey(generateSigningSeed());
    const json = { streamId: stream.streamId, holder: toBase64Url(key.publicKey) };
    const request = { method: "POST", path: "/tickets/note", json, key: keys.signing } as const;
    const { ticket, epoch: statement } = await session.call(TICKET, request);
    const epoch = await verifyStatement(EPOCH, statement, stream.ownerKey);
    const { owner, streamId, region, number } = epoch;
    if (owner !== stream.ownerId || streamId !== stream.streamId || region !== stream.region) {
      throw new MedcloudletError("EPOCH_MISMATCH", "The KDC shows an epoch of another stream.", {
        status: 502,
      });
    }
    if (number < stream.newestEpoch) {
      throw new MedcloudletError(
        "EPOCH_ROLLED_BACK",
        "The KDC shows an older epoch than you know: whoever lost their consent since could read the note.",
        { status: 502 },
      );
    }
    return { credentials: { key, ticket }, epoch };
  };

  const fetchNews = async (stream: NotedStream): Promise<Fetched> => {
    const { streamId } = stream;
    const state: Fetched = fetched.get(streamId) ?? {
      cursor: 0,
      versions: new Map(),
      waiting: [],
      refused: [],
      keys: 0,
    };
    fetched.set(streamId, state);
    const take = async (sealed: readonly Bytes[]): Promise<void> => {
      const { versions, refused } = await readNotes(sealed, stream, clock.now());
      for (const version of versions) {
        state.versions.set(version.digest, version);
      }
      for (const { bytes, error } of refused) {
        if (error.code === "EPOCH_UNKNOWN") {
          state.waiting.push(bytes);
        } else {
          state.refused.push(error);
        }
      }
    };
    if (stream.epochs.size !== state.keys) {
      const again = state.waiting.splice(0);
      state.keys = stream.epochs.size;
      await take(again);
    }
    for (;;) {
      const { body, headers } = await http.bytes({
        method: "GET",
        url: `${streamsUrl}/${streamId}/notes?after=${state.cursor}`,
        credentials: await readTicket(streamId),
      });
      const sealed = unframeBatches(body);
      if (sealed.length === 0) {
        return state;
      }
      const next = Number(headers.get("Medcloudlet-Cursor"));
      if (!Number.isSafeInteger(next) || next <= state.cursor) {
        throw new MedcloudletError(
          "SERVICE_RESPONSE",
          "The cloud's answer has no cursor: check the cloud's address.",
          { status: 502 },
        );
      }
      state.cursor = next;
      await take(sealed);
    }
  };

  const list: PatientNotes["list"] = async (stream) => {
    const { versions, refused, waiting } = await fetchNews(stream);
    const chained = chainNotes([...versions.values()]);
    const notShared = waiting.map(
      () =>
        new MedcloudletError(
          "EPOCH_UNKNOWN",
          "The note is sealed to an epoch that was not shared with you: ask the patient to share it.",
          { status: 422 },
        ),
    );
    return { notes: chained.notes, refused: [...refused, ...chained.refused, ...notShared] };
  };

  /** The newest version of the chain that a note of one's own belongs to. */
  const ownNewest = async (stream: WritableStream, noteId: string): Promise<NoteVersion> => {
    const { notes } = await list(stream);
    const found = notes.filter((note) =>
      [note, ...note.earlier].some((version) => version.noteId === noteId),
    );
    const mine = found.find((note) => note.fingerprint === own);
    if (mine !== undefined) {
      return mine;
    }
    throw found.length > 0
      ? new MedcloudletError("NOTE_NOT_YOURS", "Only its author replaces or retracts a note.", {
          status: 403,
        })
      : new MedcloudletError(
          "NOTE_UNKNOWN",
          "There is no note with this id in this stream: look it up in the list of notes.",
          { status: 404 },
        );
  };

  const sealed = async (stream: WritableStream, epoch: Epoch, note: Note, text: string): Promise<Bytes> =>
    sealNote({
      suite,
      epochPublicKey: fromBase64Url(epoch.publicKey),
      header: { region: stream.region, epochId: epoch.epochId, streamId: stream.streamId },
      content: {
        statement: await signStatement(NOTE, note, keys.signing),
        identity: await signIdentity(
          {
            suite: 1,
            signingKey: toBase64Url(keys.signing.publicKey),
            receivingKey: toBase64Url(keys.receiving.publicKey),
            createdAt: note.at,
          },
          keys.signing,
        ),
        consent: stream.consentStatement,
        text,
      },
    });

  const store = async (stream: WritableStream, text: string, replaces: string | null) => {
    const before = replaces === null ? null : await ownNewest(stream, replaces);
    const { credentials, epoch } = await noteTicket(stream);
    const note: Note = {
      noteId: toHex(randomBytes(16)),
      streamId: stream.streamId,
      epochId: epoch.epochId,
      author: session.account.accountId,
      authorName: options.name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, " ").slice(0, NAME_CHARACTERS),
      // Behind what it replaces, whatever the clock did in between.
      at: Math.max(clock.now(), (before?.at ?? 0) + 1),
      replaces: before?.noteId ?? null,
      retracted: text === "",
      digest: noteTextDigest(text),
    };
    const bytes = await sealed(stream, epoch, note, text);
    const url = `${streamsUrl}/${stream.streamId}/notes`;
    const send = () => http.json({ method: "POST", url, credentials, bytes });
    // The same bytes again are the same note: an answer that got lost makes no second one.
    await send().catch((error) => {
      if (isMedcloudletError(error, "SERVICE_UNREACHABLE")) {
        return send();
      }
      throw error;
    });
    return { noteId: note.noteId, at: note.at, digest: noteDigest(bytes) };
  };

  return {
    async write(stream, { text, replaces }) {
      const written = text.replaceAll("\r\n", "\n");
      requireNoteText(written);
      return store(stream, written, replaces ?? null);
    },
    async retract(stream, noteId) {
      await store(stream, "", noteId);
    },
    list,
  };
}
