import { type Bytes, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import {
  CONSENT,
  fingerprint,
  IDENTITY,
  identityKeys,
  NOTE,
  noteDigest,
  noteTextDigest,
  openNote,
  parseNote,
  type Recipient,
  type Region,
  unverifiedPayload,
  verifyStatement,
} from "../sealing/index.ts";

/** A stream as far as notes about its owner need it: a reader's shared stream, or the owner's own. */
export interface NotedStream {
  readonly streamId: string;
  readonly region: Region;
  readonly ownerId: string;
  readonly ownerFingerprint: string;
  /** The owner's verified Ed25519 key. */
  readonly ownerKey: Bytes;
  /** Opened epoch keys by epoch id. */
  readonly epochs: ReadonlyMap<string, Recipient>;
}

/** One version of a note, opened and verified. All of it is text by other people: it is shown, never run. */
export interface NoteVersion {
  /** 16 bytes by the author, lower-case hex. */
  readonly noteId: string;
  /** Empty where it was retracted. */
  readonly text: string;
  /** ms since 1970 UTC, by the author's clock. */
  readonly at: number;
  readonly retracted: boolean;
  /** The note in whose place this one stands, or null. */
  readonly replaces: string | null;
  /** Account id. */
  readonly author: string;
  /** What the author calls themselves: nobody but they vouch for it. */
  readonly authorName: string;
  /** The author's, 64 hex digits: the patient's own, or the one that the patient's consent names. */
  readonly fingerprint: string;
  readonly by: "patient" | "doctor";
  /** SHA-256 of the sealed bytes, 64 hex digits: the note's name at the cloud. */
  readonly digest: string;
}

/** The newest version of a note and what stood there before. */
export interface PatientNote extends NoteVersion {
  /** What it replaced, the newest first. */
  readonly earlier: readonly NoteVersion[];
  /** It replaces something that is not here: withheld by the cloud, or sealed to an epoch that was not shared. */
  readonly earlierMissing: boolean;
}

const CLOCK_SKEW_MS = 30_000;

function refuse(code: string, message: string): MedcloudletError {
  return new MedcloudletError(code, message, { status: 422 });
}

/**
 * Opens a sealed note and checks who wrote it: the patient, or somebody whom the patient's own signature let treat them
 * at that time. Neither the cloud nor the KDC is believed.
 * @param now ms since 1970 UTC
 * @throws MedcloudletError the `NOTE_*` of its form, `NOTE_STREAM_MISMATCH`, `EPOCH_UNKNOWN`, `SEALED_OPEN_FAILED`,
 *   `NOTE_MALFORMED`, `STATEMENT_INVALID`, `NOTE_STATEMENT_MISMATCH`, `NOTE_AUTHOR_UNVOUCHED`, `NOTE_TIME_INVALID`
 */
export async function readNote(bytes: Bytes, stream: NotedStream, now: number): Promise<NoteVersion> {
  const sealed = parseNote(bytes);
  const { header } = sealed;
  if (header.streamId !== stream.streamId || header.region !== stream.region) {
    throw refuse("NOTE_STREAM_MISMATCH", "The note belongs to another stream.");
  }
  const epoch = stream.epochs.get(header.epochId);
  if (epoch === undefined) {
    throw refuse(
      "EPOCH_UNKNOWN",
      "The note is sealed to an epoch that was not shared with you: ask the patient to share it.",
    );
  }
  const content = await openNote(sealed, epoch);
  // The fingerprint that the patient signed covers both keys: the identity's own signature adds nothing, and costs.
  const keys = identityKeys(unverifiedPayload(IDENTITY, content.identity));
  const note = await verifyStatement(NOTE, content.statement, keys.signingKey);
  if (
    note.streamId !== header.streamId ||
    note.epochId !== header.epochId ||
    note.digest !== noteTextDigest(content.text) ||
    note.retracted !== (content.text === "")
  ) {
    throw refuse(
      "NOTE_STATEMENT_MISMATCH",
      "The words, their place and what their author signed do not fit.",
    );
  }
  if (note.at > now + CLOCK_SKEW_MS) {
    throw refuse("NOTE_TIME_INVALID", "The note says that it was written in the future.");
  }
  const { noteId, at, retracted, replaces, author, authorName } = note;
  const written = { noteId, text: content.text, at, retracted, replaces, author, authorName };
  const theirs = fingerprint(keys);
  const by = await voucherOf({ ...note, fingerprint: theirs, consent: content.consent }, stream);
  return { ...written, fingerprint: theirs, by, digest: noteDigest(bytes) };
}

/** Why this author may write here. @throws MedcloudletError `STATEMENT_INVALID`, `NOTE_AUTHOR_UNVOUCHED` */
async function voucherOf(
  written: {
    readonly author: string;
    readonly at: number;
    readonly fingerprint: string;
    readonly consent: string | null;
  },
  stream: NotedStream,
): Promise<NoteVersion["by"]> {
  const unvouched = () =>
    refuse(
      "NOTE_AUTHOR_UNVOUCHED",
      "The note is by somebody whom the patient's signature does not let treat them at that time.",
    );
  if (written.consent === null) {
    if (written.fingerprint !== stream.ownerFingerprint || written.author !== stream.ownerId) {
      throw unvouched();
    }
    return "patient";
  }
  const consent = await verifyStatement(CONSENT, written.consent, stream.ownerKey);
  const fits =
    consent.owner === stream.ownerId &&
    consent.reader === written.author &&
    consent.readerFingerprint === written.fingerprint &&
    consent.purpose === "treatment" &&
    consent.regions.includes(stream.region) &&
    written.at >= consent.from - CLOCK_SKEW_MS &&
    written.at <= consent.until + CLOCK_SKEW_MS;
  if (!fits) {
    throw unvouched();
  }
  return "doctor";
}

/** Newest first; what was written in one millisecond stays in one order everywhere. */
function newestFirst(a: NoteVersion, b: NoteVersion): number {
  return b.at - a.at || (a.digest < b.digest ? -1 : 1);
}

/** Names a note by its author's key and id: an id alone anybody can take. */
const nameOf = (author: string, noteId: string) => `${author} ${noteId}`;

/**
 * Puts the versions of notes together: of each chain the newest with what stood there before, the newest note first. The
 * order in which the cloud showed them means nothing. A note can only stand in the place of one of the same author. The
 * same words sealed a second time, by whoever, are one note.
 */
export function chainNotes(versions: readonly NoteVersion[]): {
  readonly notes: readonly PatientNote[];
  readonly refused: readonly MedcloudletError[];
} {
  const refused: MedcloudletError[] = [];
  const known = new Map<string, NoteVersion>();
  const authorsOf = new Map<string, Set<string>>();
  for (const version of [...versions].sort(newestFirst).reverse()) {
    const name = nameOf(version.fingerprint, version.noteId);
    const same = known.get(name);
    if (same === undefined) {
      known.set(name, version);
      authorsOf.set(version.noteId, (authorsOf.get(version.noteId) ?? new Set()).add(version.fingerprint));
    } else if (same.at !== version.at || same.text !== version.text || same.replaces !== version.replaces) {
      refused.push(refuse("NOTE_ID_REUSED", "An author signed two different notes under one id."));
    }
  }

  /** By name, the beginning of its chain and whether that is missing. Every link is walked once. */
  const roots = new Map<string, { root: string; missing: boolean }>();
  const rootOf = (version: NoteVersion): { root: string; missing: boolean } => {
    const path = new Set<string>();
    let current = version;
    let found: { root: string; missing: boolean } | undefined;
    while (found === undefined) {
      const name = nameOf(current.fingerprint, current.noteId);
      found = roots.get(name);
      if (found === undefined && (path.has(name) || current.replaces === null)) {
        // Where a chain bites its tail, it begins wherever it was met first.
        found = { root: name, missing: false };
      }
      path.add(name);
      if (found === undefined && current.replaces !== null) {
        const before = nameOf(current.fingerprint, current.replaces);
        const next = known.get(before);
        found = next === undefined ? { root: before, missing: true } : undefined;
        current = next ?? current;
      }
    }
    for (const name of path) {
      roots.set(name, found);
    }
    return found;
  };

  const chains = new Map<string, { versions: NoteVersion[]; missing: boolean }>();
  for (const version of known.values()) {
    const foreign =
      version.replaces !== null &&
      !known.has(nameOf(version.fingerprint, version.replaces)) &&
      authorsOf.has(version.replaces);
    if (foreign) {
      refused.push(refuse("NOTE_NOT_YOURS", "A note claims to stand in the place of another author's note."));
      continue;
    }
    const { root, missing } = rootOf(version);
    const chain = chains.get(root) ?? { versions: [], missing: false };
    chain.versions.push(version);
    chain.missing ||= missing;
    chains.set(root, chain);
  }
  const notes = [...chains.values()].map(({ versions: chain, missing }): PatientNote => {
    const [newest, ...earlier] = chain.sort(newestFirst) as [NoteVersion, ...NoteVersion[]];
    return { ...newest, earlier, earlierMissing: missing };
  });
  return { notes: notes.sort(newestFirst), refused };
}

/** Opens what can be opened; what cannot is refused with the reason, never dropped. */
export async function readNotes(
  sealed: readonly Bytes[],
  stream: NotedStream,
  now: number,
): Promise<{
  readonly versions: NoteVersion[];
  readonly refused: { bytes: Bytes; error: MedcloudletError }[];
}> {
  const versions: NoteVersion[] = [];
  const refused: { bytes: Bytes; error: MedcloudletError }[] = [];
  for (const bytes of sealed) {
    try {
      versions.push(await readNote(bytes, stream, now));
    } catch (error) {
      if (!isMedcloudletError(error)) {
        throw error;
      }
      refused.push({ bytes, error });
    }
  }
  return { versions, refused };
}
