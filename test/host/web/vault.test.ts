import { expect, it } from "vitest";
import { randomBytes, toBase64Url } from "../../../host/base/index.ts";
import { type KeystoreContents, lockKeystore } from "../../../host/client/index.ts";
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
