import { beforeAll, describe, expect, it } from "vitest";
import { type Bytes, toHex, utf8 } from "../../../host/base/index.ts";
import {
  type HybridKeyPair,
  type NoteContent,
  noteDigest,
  openNote,
  parseNote,
  type Recipient,
  requireNoteText,
  type SealingSuite,
  sealNote,
} from "../../../host/sealing/index.ts";
import { codeOf, flipped, loadSuite, rejectionOf } from "./fixtures.ts";

const header = { region: "medical", epochId: "ab".repeat(16), streamId: "cd".repeat(16) } as const;
const contentOf = (text: string): NoteContent => ({ statement: "s", identity: "i", consent: null, text });

describe("a sealed note", () => {
  let suite: SealingSuite;
  let pair: HybridKeyPair;
  let recipient: Recipient;
  let sealed: Bytes;
  const seal = (text: string) =>
    sealNote({ suite, epochPublicKey: pair.publicKey, header, content: contentOf(text) });

  beforeAll(async () => {
    suite = await loadSuite();
    pair = await suite.generateKeyPair();
    recipient = await suite.recipient(pair.privateKey);
    sealed = await seal("a word");
  });

  it("opens to what went in, has one of three lengths, and its header reads as the format says", async () => {
    expect(sealed.length).toBe(4096);
    expect(toHex(sealed.subarray(0, 8))).toBe(`${toHex(utf8("MCLN"))}01010300`);
    expect(parseNote(sealed).header).toEqual(header);
    const random = Array.from({ length: 4000 }, (_, i) =>
      String.fromCharCode(0x4e00 + ((i * 7919) % 20_000)),
    );
    for (const [text, size] of [
      ["x".repeat(4000), 4096],
      [random.join("").slice(0, 1800), 8192],
      [random.join(""), 16_384],
    ] as const) {
      const bytes = await seal(text);
      expect(bytes.length).toBe(size);
      expect(await openNote(parseNote(bytes), recipient)).toEqual(contentOf(text));
    }
    expect(noteDigest(sealed)).not.toBe(noteDigest(await seal("a word")));
  });

  it("is refused for any changed bit of header, key or body, by its form or by not opening", async () => {
    for (const [at, code] of [
      [0, "NOTE_MAGIC_INVALID"],
      [4, "NOTE_VERSION_UNSUPPORTED"],
      [5, "NOTE_SUITE_UNSUPPORTED"],
      [7, "NOTE_FIELD_INVALID"],
      [40, "NOTE_FIELD_INVALID"],
    ] as const) {
      expect(codeOf(() => parseNote(flipped(sealed, at)))).toBe(code);
    }
    for (const at of [6, 8, 23, 24, 39, 42, 1003, 1004, 4095]) {
      const opened = rejectionOf((async () => openNote(parseNote(flipped(sealed, at, 1)), recipient))());
      expect(["SEALED_OPEN_FAILED", "NOTE_FIELD_INVALID"], String(at)).toContain(await opened);
    }
    for (const length of [0, 1, 1003, 4095, 4097, 8191, 16_383, 16_385]) {
      expect(codeOf(() => parseNote(new Uint8Array(length)))).toBe("NOTE_SIZE_INVALID");
    }
  });

  it("opened says what is wrong inside, and inflates to no more than the limit", async () => {
    const info = utf8("medcloudlet sealed note v1");
    const withPlaintext = async (plaintext: Bytes): Promise<string> => {
      const aad = sealed.slice(0, 40);
      const { enc, ciphertext } = await suite.seal(pair.publicKey, info, aad, plaintext);
      const bytes = new Uint8Array(sealed);
      bytes.set(enc, 42);
      bytes.set(ciphertext, 1004);
      return rejectionOf(openNote(parseNote(bytes), recipient));
    };
    const plaintextOf = (...words: number[]): Bytes => {
      const plaintext = new Uint8Array(4096 - 1004 - 16);
      for (const [i, word] of words.entries()) {
        new DataView(plaintext.buffer).setUint32(4 * i, word, true);
      }
      return plaintext;
    };
    for (const words of [[0xffffffff], [0], [4, 0xffffffff], [4, 65_537], [8, 10], [4, 0]]) {
      expect(await withPlaintext(plaintextOf(...words)), String(words)).toBe("NOTE_MALFORMED");
    }
  });

  it("has text of at most 4000 characters, written and not empty", () => {
    for (const [text, code] of [
      ["", "NOTE_TEXT_INVALID"],
      ["\u200b\u0000", "NOTE_TEXT_INVALID"],
      ["\ud83d", "NOTE_TEXT_INVALID"],
      ["x".repeat(4001), "NOTE_TOO_LONG"],
      ["x".repeat(4000), "none"],
      ["tab\tand\nline 🫀 \u202e", "none"],
    ] as const) {
      expect(codeOf(() => requireNoteText(text))).toBe(code);
    }
  });
});
