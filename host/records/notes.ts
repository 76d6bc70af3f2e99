import { type Bytes, type Clock, MedcloudletError } from "../base/index.ts";
import { noteDigest } from "../sealing/index.ts";
import { isDuplicate, type Store } from "../store/index.ts";

/** A sealed note as the cloud keeps it. It names nobody; only ever inserted. */
interface StoredNote {
  /** `stream:digest`: a note that arrives twice is kept once. */
  readonly _id: string;
  readonly streamId: string;
  /** Order of arrival; grows, with holes. */
  readonly position: number;
  /** ms since 1970 UTC. */
  readonly storedAt: number;
  readonly digest: string;
  readonly bytes: Bytes;
}

/** How much a stream may hold. */
export interface NoteLimits {
  /** Notes of a stream, replaced ones included. */
  readonly stream: number;
  /** Of these within 24 hours: whoever has a ticket must not fill the stream in an hour. */
  readonly day: number;
  /** Within the life of one ticket, by its holder's key. */
  readonly ticket: number;
}

export const NOTE_LIMITS: NoteLimits = { stream: 10_000, day: 500, ticket: 20 };

/** The cloud's sealed notes. Who wrote one, and whether it stands in the place of another, is sealed. */
export interface Notes {
  /**
   * Keeps a sealed note whose header was checked against the ticket.
   * @param holder thumbprint of the ticket's key
   * @throws MedcloudletError `NOTE_LIMIT` (409), `NOTES_TODAY`, `NOTES_TICKET` (429)
   */
  add(
    streamId: string,
    bytes: Bytes,
    holder: string,
  ): Promise<{ status: "stored" | "duplicate"; digest: string; position: number }>;
  /** Notes of a stream that arrived after `after`, in order of arrival. */
  page(streamId: string, after: number, limit: number): Promise<{ notes: Bytes[]; cursor: number }>;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const INSERT_ATTEMPTS = 5;
/** A ticket is worth nothing after this. */
const TICKET_MS = 6 * 60_000;

/** Counts by ticket, in this process alone: the bounds of the stream are the ones that last. */
function createTicketCounts(clock: Clock, most: number) {
  const counts = new Map<string, { count: number; until: number }>();
  return (holder: string): void => {
    const now = clock.now();
    const known = counts.get(holder);
    if (known === undefined) {
      for (const [name, { until }] of counts) {
        if (until > now) {
          break;
        }
        counts.delete(name);
      }
      counts.set(holder, { count: 1, until: now + TICKET_MS });
      return;
    }
    if (known.count >= most) {
      throw new MedcloudletError("NOTES_TICKET", `One ticket is good for ${most} notes: get another one.`, {
        status: 429,
        details: { retryAfterSeconds: 1 },
      });
    }
    known.count++;
  };
}

export async function createNotes(options: {
  readonly store: Store;
  readonly clock: Clock;
  /** Hears of every new note. */
  readonly onStored: (streamId: string, position: number) => void;
  readonly limits?: NoteLimits;
}): Promise<Notes> {
  const { store, clock, onStored, limits = NOTE_LIMITS } = options;
  const notes = await store.collection<StoredNote>({
    name: "notes",
    indexes: [
      { fields: { streamId: 1, position: 1 }, unique: true },
      { fields: { streamId: 1, storedAt: 1 } },
    ],
  });
  const count = createTicketCounts(clock, limits.ticket);
  /** Writes to one stream are one after the other, so that nothing appears behind a reader's back. */
  const turns = new Map<string, Promise<unknown>>();

  const inTurn = async <T>(streamId: string, write: () => Promise<T>): Promise<T> => {
    const before = turns.get(streamId) ?? Promise.resolve();
    const mine = before.then(write, write);
    turns.set(streamId, mine);
    try {
      return await mine;
    } finally {
      if (turns.get(streamId) === mine) {
        turns.delete(streamId);
      }
    }
  };

  const requireRoom = async (streamId: string): Promise<void> => {
    const own = { streamId: { $eq: streamId } };
    if ((await notes.countDocuments(own)) >= limits.stream) {
      throw new MedcloudletError(
        "NOTE_LIMIT",
        `A stream holds at most ${limits.stream} notes: no more can be left here.`,
        {
          status: 409,
          details: { limit: limits.stream },
        },
      );
    }
    const today = { ...own, storedAt: { $gt: clock.now() - DAY_MS } };
    if ((await notes.countDocuments(today)) >= limits.day) {
      throw new MedcloudletError(
        "NOTES_TODAY",
        `A stream takes at most ${limits.day} notes within 24 hours: wait, or tell the patient that somebody fills it.`,
        { status: 429, details: { limit: limits.day, retryAfterSeconds: 3600 } },
      );
    }
  };

  /** Another process of the cloud may take the same position, or bring the same note: then it is looked at again. */
  const insert = async (
    note: Omit<StoredNote, "position">,
    attempts = INSERT_ATTEMPTS,
  ): Promise<{ status: "stored" | "duplicate"; digest: string; position: number }> => {
    const { _id, streamId, digest } = note;
    const [last] = await notes.find(
      { streamId: { $eq: streamId } },
      { sort: { position: -1 }, limit: 1, projection: { position: 1 } },
    );
    const position = (last?.position ?? 0) + 1;
    try {
      await notes.insertOne({ ...note, position });
      return { status: "stored", digest, position };
    } catch (error) {
      if (!isDuplicate(error) || attempts === 1) {
        throw error;
      }
    }
    const same = await notes.findOne({ _id: { $eq: _id } });
    return same === null
      ? insert(note, attempts - 1)
      : { status: "duplicate", digest, position: same.position };
  };

  return {
    async add(streamId, bytes, holder) {
      const digest = noteDigest(bytes);
      const _id = `${streamId}:${digest}`;
      const stored = await inTurn(streamId, async () => {
        const earlier = await notes.findOne({ _id: { $eq: _id } });
        if (earlier !== null) {
          return { status: "duplicate" as const, digest, position: earlier.position };
        }
        count(holder);
        await requireRoom(streamId);
        return insert({ _id, streamId, storedAt: clock.now(), digest, bytes });
      });
      if (stored.status === "stored") {
        onStored(streamId, stored.position);
      }
      return stored;
    },
    async page(streamId, after, limit) {
      const found = await notes.find(
        { streamId: { $eq: streamId }, position: { $gt: after } },
        { sort: { position: 1 }, limit },
      );
      return { notes: found.map(({ bytes }) => bytes), cursor: found.at(-1)?.position ?? after };
    },
  };
}
