import { randomBytes as nodeRandomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { randomBytes, toBase64Url, toHex } from "../../../host/base/index.ts";
import { type KeystoreContents, lockKeystore, unlockKeystore } from "../../../host/client/index.ts";
import { rejectionOf } from "../sealing/fixtures.ts";

const PASSPHRASE = "correct horse battery staple";
const secret = () => toBase64Url(randomBytes(32));
const id = () => toHex(randomBytes(16));

const CONTENTS: KeystoreContents = {
  accountId: id(),
  handle: "quiet-otter",
  role: "patient",
  name: "Ada 界",
  signingSeed: secret(),
  receivingKey: secret(),
  epochs: [
    { region: "medical", streamId: id(), epochId: id(), number: 1, privateKey: secret() },
    { region: "profile", streamId: id(), epochId: id(), number: 2, privateKey: secret() },
  ],
  known: { "dr-heron": toHex(randomBytes(32)) },
};

interface Locked {
  readonly scrypt: Record<string, unknown>;
  readonly [name: string]: unknown;
}

let text: string;
let locked: Locked;
beforeAll(async () => {
  text = await lockKeystore(CONTENTS, PASSPHRASE);
  locked = JSON.parse(text) as Locked;
});

const verdictOn = (value: unknown) =>
  rejectionOf(unlockKeystore(typeof value === "string" ? value : JSON.stringify(value), PASSPHRASE));

/** The same base64url with one bit of its content turned over. */
function turned(part: unknown): string {
  const bytes = Buffer.from(part as string, "base64url");
  bytes.writeUInt8(bytes.readUInt8(3) ^ 1, 3);
  return bytes.toString("base64url");
}

describe("a keystore", () => {
  it("gives back everything it was locked with", async () => {
    expect(await unlockKeystore(text, PASSPHRASE)).toEqual(CONTENTS);
  });

  it("opens with the same passphrase in another Unicode form", async () => {
    const accented = await lockKeystore(CONTENTS, "caf\u00e9 ol\u00e9 \u212b");
    expect(await unlockKeystore(accented, "cafe\u0301 ole\u0301 \u00c5")).toEqual(CONTENTS);
  });

  it("shows nothing of its contents, and no two are alike", async () => {
    for (const readable of [CONTENTS.signingSeed, CONTENTS.accountId, "otter", "heron", "medical"]) {
      expect(text).not.toContain(readable);
      expect(Buffer.from(locked.ciphertext as string, "base64url").includes(readable)).toBe(false);
    }
    const again = JSON.parse(await lockKeystore(CONTENTS, PASSPHRASE)) as Locked;
    expect(again.nonce).not.toBe(locked.nonce);
    expect(again.scrypt.salt).not.toBe(locked.scrypt.salt);
  });

  it("makes each guess cost 64 MiB", () => {
    expect(locked.scrypt).toMatchObject({ N: 65_536, r: 8, p: 1 });
  });

  it.each(["", "correct horse battery stapl", `${PASSPHRASE} `, PASSPHRASE.toUpperCase()])(
    "does not open with %j",
    async (wrong) => {
      expect(await rejectionOf(unlockKeystore(text, wrong))).toBe("KEYSTORE_PASSPHRASE");
    },
  );

  it.each(["", "short", "1234567", "\u{1f600}\u{1f600}\u{1f600}\u{1f600}"])(
    "is not locked with %j, which anybody finds",
    async (weak) => {
      expect(await rejectionOf(lockKeystore(CONTENTS, weak))).toBe("KEYSTORE_PASSPHRASE_WEAK");
    },
  );

  it("does not open when salt, nonce, work factor or ciphertext were changed", async () => {
    const changed = [
      { ...locked, nonce: turned(locked.nonce) },
      { ...locked, ciphertext: turned(locked.ciphertext) },
      { ...locked, ciphertext: nodeRandomBytes(16).toString("base64url") },
      { ...locked, scrypt: { ...locked.scrypt, salt: turned(locked.scrypt.salt) } },
      { ...locked, scrypt: { ...locked.scrypt, N: 2 ** 15 } },
    ];
    for (const keystore of changed) {
      expect(await verdictOn(keystore)).toBe("KEYSTORE_PASSPHRASE");
    }
  });

  it("is not made of contents that could not be taken back", async () => {
    for (const broken of [
      { ...CONTENTS, signingSeed: "short" },
      { ...CONTENTS, accountId: "me" },
      { ...CONTENTS, more: 1 },
    ]) {
      await expect(lockKeystore(broken, PASSPHRASE)).rejects.toThrow();
    }
  });
});

describe("a file that is no keystore", () => {
  it.each([
    ["nothing", ""],
    ["no JSON", "hello"],
    ["null", "null"],
    ["a list", "[]"],
    ["half a keystore", '{"format":"medcloudlet-keystore-1"}'],
  ])("of %s is refused", async (_, broken) => {
    expect(await verdictOn(broken)).toBe("KEYSTORE_MALFORMED");
  });

  it("is refused for each field that is missing, and for one too many", async () => {
    for (const field of Object.keys(locked)) {
      const { [field]: _left, ...others } = locked;
      expect(await verdictOn(others), `without ${field}`).toBe("KEYSTORE_MALFORMED");
    }
    for (const field of Object.keys(locked.scrypt)) {
      const { [field]: _left, ...others } = locked.scrypt;
      expect(await verdictOn({ ...locked, scrypt: others }), `without ${field}`).toBe("KEYSTORE_MALFORMED");
    }
    expect(await verdictOn({ ...locked, more: 1 })).toBe("KEYSTORE_MALFORMED");
    expect(await verdictOn({ ...locked, format: "medcloudlet-keystore-2" })).toBe("KEYSTORE_MALFORMED");
  });

  it("is refused when its bytes are not base64url or not of their length", async () => {
    const wrong = (length: number) => nodeRandomBytes(length).toString("base64url");
    const broken = [
      ...["", "!", wrong(11), wrong(13), `${locked.nonce}=`].map((nonce) => ({ ...locked, nonce })),
      ...["", "!!!!", wrong(15)].map((ciphertext) => ({ ...locked, ciphertext })),
      ...["", "!", wrong(15), wrong(17), 7].map((salt) => ({
        ...locked,
        scrypt: { ...locked.scrypt, salt },
      })),
    ];
    for (const keystore of broken) {
      expect(await verdictOn(keystore), JSON.stringify(keystore)).toBe("KEYSTORE_MALFORMED");
    }
  });

  it.each([
    0,
    1,
    2,
    1024,
    65_535,
    65_537,
    2 ** 19,
    2 ** 20,
    2 ** 30,
    2 ** 40,
    -65_536,
    65_536.5,
    1e308,
    "65536",
  ])("and asks for the work factor %s is refused before any memory is taken", async (N) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(await verdictOn({ ...locked, scrypt: { ...locked.scrypt, N } })).toBe("KEYSTORE_MALFORMED");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  });

  it.each([{ r: 1 }, { r: 2 ** 20 }, { p: 2 }, { p: 2 ** 20 }])(
    "and asks for scrypt with %o is refused",
    async (parameters) => {
      expect(await verdictOn({ ...locked, scrypt: { ...locked.scrypt, ...parameters } })).toBe(
        "KEYSTORE_MALFORMED",
      );
    },
  );
});
