import { expect, it } from "vitest";
import { randomBytes, toBase64Url } from "../../../host/base/index.ts";
import { type KeystoreContents, lockKeystore } from "../../../host/client/index.ts";
import { newerNote } from "../../../host/web/worker/newer-note.ts";
import { openVault } from "../../../host/web/worker/vault.ts";

const PASSPHRASE = "quiet rivers at noon";

const contents = (): KeystoreContents => ({
  accountId: "a".repeat(32),
  ...{ handle: "dr-heron", role: "doctor", name: "Dr. Heron", epochs: [], known: {} },
  signingSeed: toBase64Url(randomBytes(32)),
  receivingKey: toBase64Url(randomBytes(32)),
});

it("is kept with what another tab kept meanwhile: notes joined, the newer keystore, nothing of somebody else's", async () => {
  const keystore = await lockKeystore(contents(), PASSPHRASE);
  const session = { token: "a token", expiresAt: 1 };
  const open = async (memory: string | null = null, version = 3) => {
    const vault = await openVault({ keystore, version, memory }, PASSPHRASE);
    vault.keepSession(session);
    return vault;
  };
  const [one, other] = await Promise.all([open(), open(null, 4)]);
  one.joinNotes("alerts", (theirs) => `${theirs}+mine`);
  one.note("alerts", "mine");
  one.note("seen", "mine");
  other.note("alerts", "theirs");
  other.note("seen", "theirs");
  other.note("other", "theirs");
  const kept = { ...(await other.locked()), keystore: "newer" };
  const joined = await one.lockedWith(kept);
  expect([joined.keystore, joined.version]).toEqual(["newer", 4]);
  const again = await open(joined.memory);
  expect(["alerts", "seen", "other"].map(again.recall)).toEqual(["theirs+mine", "mine", "theirs"]);
  const foreign = await openVault(
    { keystore: await lockKeystore(contents(), PASSPHRASE), version: 9, memory: null },
    PASSPHRASE,
  );
  foreign.keepSession(session);
  foreign.note("alerts", "foreign");
  const untouched = await one.lockedWith(await foreign.locked());
  expect([untouched.keystore, untouched.version]).toEqual([keystore, 3]);
  expect((await open(untouched.memory)).recall("alerts")).toBe("theirs+mine");
});

it("keeps the note of the audit log that goes further, whichever tab saves last", async () => {
  const keystore = await lockKeystore(contents(), PASSPHRASE);
  const placeOf = (text: string) => JSON.parse(text) as { log: string; sequence: number };
  const open = async (memory: string | null = null) => {
    const vault = await openVault({ keystore, version: 1, memory }, PASSPHRASE);
    vault.keepSession({ token: "a token", expiresAt: 1 });
    vault.joinNotes("seen", (theirs) => newerNote(vault.recall("seen"), theirs, placeOf));
    return vault;
  };
  const note = (sequence: number, log = "one") => JSON.stringify({ log, sequence });
  const [older, newer] = await Promise.all([open(), open()]);
  older.note("seen", note(10));
  newer.note("seen", note(99));
  let kept = await newer.lockedWith(await older.locked());
  expect((await open(kept.memory)).recall("seen")).toBe(note(99));
  kept = await older.lockedWith(kept);
  expect((await open(kept.memory)).recall("seen")).toBe(note(99));
  // The log that was kept first stays, and what cannot be read counts for nothing.
  older.note("seen", note(500, "another"));
  expect((await open((await older.lockedWith(kept)).memory)).recall("seen")).toBe(note(99));
  expect(newerNote(note(1), "{", placeOf)).toBe(note(1));
  expect(newerNote("{", note(1), placeOf)).toBe(note(1));
  expect(newerNote(null, note(1), placeOf)).toBe(note(1));
});
