import { deflateSync } from "fflate";
import { beforeAll, describe, expect, it } from "vitest";
import { type Bytes, concatBytes, randomBytes, toHex, utf8 } from "../../../host/base/index.ts";
import {
  admitRecordPart,
  type HybridKeyPair,
  MAX_RECORD_PART_BYTES,
  openRecordPart,
  parseRecordPart,
  RECORD_PART,
  type RecordPart,
  recordPartDigest,
  type SealingSuite,
  sealRecordPart,
  signStatement,
  verifyStatement,
} from "../../../host/sealing/index.ts";
import { codeOf, flipped, loadSuite, newSigningKey, rejectionOf } from "./fixtures.ts";

const newId = () => toHex(randomBytes(16));
const CONTENT = utf8(JSON.stringify({ diagnosis: "Hypertension", name: "Ada Quillfeather" }));

let suite: SealingSuite;
let pair: HybridKeyPair;
let header: { region: "medical"; epochId: string; streamId: string; version: number };
let sealed: Bytes;
let statement: RecordPart;

const statementOf = (bytes: Bytes, changes: Partial<RecordPart> = {}): RecordPart => ({
  owner: newId(),
  ...header,
  digest: recordPartDigest(bytes),
  createdAt: 1,
  ...changes,
});

beforeAll(async () => {
  suite = await loadSuite();
  pair = await suite.generateKeyPair();
  header = { region: "medical", epochId: newId(), streamId: newId(), version: 7 };
  sealed = await sealRecordPart({ suite, epochPublicKey: pair.publicKey, header, content: CONTENT });
  statement = statementOf(sealed);
});

/** A plaintext of any form at all, sealed as the part is. */
async function sealedByHand(plaintext: Bytes): Promise<Bytes> {
  const aad = sealed.slice(0, 48);
  const { enc, ciphertext } = await suite.seal(
    pair.publicKey,
    utf8("medcloudlet sealed record part v1"),
    aad,
    plaintext,
  );
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, ciphertext.length, true);
  return concatBytes(aad, sealed.subarray(48, 50), enc, length, ciphertext);
}

const u32 = (value: number) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};

describe("a sealed record part", () => {
  it("opens to what was sealed and hides it", async () => {
    const part = admitRecordPart(sealed, statement);
    expect(part.header).toEqual(header);
    expect(await openRecordPart(part, await suite.recipient(pair.privateKey))).toEqual(CONTENT);
    expect(Buffer.from(sealed).toString("latin1")).not.toContain("Quillfeather");
  });

  it("has the layout that PROTOCOL.md says", () => {
    expect(Buffer.from(sealed.subarray(0, 4)).toString()).toBe("MCLR");
    expect([...sealed.subarray(4, 8)]).toEqual([1, 1, 3, 0]);
    expect(toHex(sealed.subarray(8, 24))).toBe(header.epochId);
    expect(toHex(sealed.subarray(24, 40))).toBe(header.streamId);
    expect([...sealed.subarray(40, 48)]).toEqual([7, 0, 0, 0, 0, 0, 0, 0]);
    const view = new DataView(sealed.buffer, sealed.byteOffset);
    expect(view.getUint16(48, true)).toBe(962);
    expect(view.getUint32(1012, true)).toBe(sealed.length - 1016);
  });

  it("does not tell by its length how long a short content is", async () => {
    const lengths = new Set<number>();
    for (const content of [utf8("{}"), utf8("x".repeat(100)), CONTENT, randomBytes(700)]) {
      lengths.add((await sealRecordPart({ suite, epochPublicKey: pair.publicKey, header, content })).length);
    }
    expect([...lengths]).toEqual([1016 + 1024 + 16]);
  });

  it("shares no bytes but the header with another sealing of the same content", async () => {
    const again = await sealRecordPart({ suite, epochPublicKey: pair.publicKey, header, content: CONTENT });
    expect(again.subarray(0, 50)).toEqual(sealed.subarray(0, 50));
    expect(toHex(again)).not.toContain(toHex(sealed.subarray(50, 66)));
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])("refuses the version %s", async (version) => {
    const input = { suite, epochPublicKey: pair.publicKey, header: { ...header, version }, content: CONTENT };
    expect(await rejectionOf(sealRecordPart(input))).toBe("RECORD_PART_FIELD_INVALID");
  });

  it("refuses what is too large to seal or to take", async () => {
    const input = { suite, epochPublicKey: pair.publicKey, header, content: randomBytes(2 * 1024 * 1024) };
    expect(await rejectionOf(sealRecordPart(input))).toBe("RECORD_PART_TOO_LARGE");
    expect(codeOf(() => parseRecordPart(new Uint8Array(MAX_RECORD_PART_BYTES + 1)))).toBe(
      "RECORD_PART_TOO_LARGE",
    );
  });

  it("refuses every cut and every addition by its form", () => {
    for (let length = 0; length < sealed.length; length += length < 1100 ? 1 : 97) {
      expect(codeOf(() => parseRecordPart(sealed.subarray(0, length)))).toBe("RECORD_PART_TRUNCATED");
    }
    expect(codeOf(() => parseRecordPart(concatBytes(sealed, new Uint8Array(1))))).toBe(
      "RECORD_PART_TRAILING_BYTES",
    );
  });

  it("refuses every flipped byte before anything is opened", () => {
    const codes = new Set<string>();
    for (let at = 0; at < sealed.length; at++) {
      const code = codeOf(() => admitRecordPart(flipped(sealed, at, at % 8), statement));
      expect(code, `byte ${at}`).not.toBe("none");
      codes.add(code);
    }
    expect(codes).toContain("RECORD_PART_DIGEST_MISMATCH");
  });

  it.each([
    [0, "RECORD_PART_MAGIC_INVALID"],
    [4, "RECORD_PART_VERSION_UNSUPPORTED"],
    [5, "RECORD_PART_SUITE_UNSUPPORTED"],
    [6, "RECORD_PART_REGION_MISMATCH"],
    [7, "RECORD_PART_FIELD_INVALID"],
    [8, "RECORD_PART_EPOCH_MISMATCH"],
    [24, "RECORD_PART_STREAM_MISMATCH"],
    [40, "RECORD_PART_STALE"],
    [48, "RECORD_PART_FIELD_INVALID"],
    [60, "RECORD_PART_DIGEST_MISMATCH"],
    [1100, "RECORD_PART_DIGEST_MISMATCH"],
  ])("says of a flipped byte %i: %s", (at, code) => {
    expect(codeOf(() => admitRecordPart(flipped(sealed, at), statement))).toBe(code);
  });

  it("refuses a flipped bit at opening, too, were the digest not looked at", async () => {
    const recipient = await suite.recipient(pair.privateKey);
    for (const at of [9, 41, 100, 1016, sealed.length - 1]) {
      const part = parseRecordPart(flipped(sealed, at, 1));
      expect(await rejectionOf(openRecordPart(part, recipient)), `byte ${at}`).toBe("SEALED_OPEN_FAILED");
    }
  });

  it("refuses another region's, stream's, epoch's or version's part under its statement", async () => {
    const sealAs = (changes: object) =>
      sealRecordPart({
        suite,
        epochPublicKey: pair.publicKey,
        header: { ...header, ...changes },
        content: CONTENT,
      });
    const codes = [];
    for (const changes of [
      { region: "identity" },
      { streamId: newId() },
      { version: 6 },
      { version: 8 },
      { epochId: newId() },
      {},
    ]) {
      const other = await sealAs(changes);
      codes.push(codeOf(() => admitRecordPart(other, statement)));
    }
    expect(codes).toEqual([
      "RECORD_PART_REGION_MISMATCH",
      "RECORD_PART_STREAM_MISMATCH",
      "RECORD_PART_STALE",
      "RECORD_PART_UNSIGNED",
      "RECORD_PART_EPOCH_MISMATCH",
      "RECORD_PART_DIGEST_MISMATCH",
    ]);
  });

  it("does not open with another region's key", async () => {
    const other = await suite.recipient((await suite.generateKeyPair()).privateKey);
    expect(await rejectionOf(openRecordPart(parseRecordPart(sealed), other))).toBe("SEALED_OPEN_FAILED");
  });

  it("refuses malformed plaintexts from somebody who has the public key", async () => {
    const recipient = await suite.recipient(pair.privateKey);
    const deflated = deflateSync(CONTENT);
    const padded = (inner: Bytes) => concatBytes(u32(inner.length), inner);
    for (const plaintext of [
      new Uint8Array(0),
      u32(5),
      padded(new Uint8Array(3)),
      padded(concatBytes(u32(CONTENT.length - 1), deflated)),
      padded(concatBytes(u32(CONTENT.length + 1), deflated)),
      padded(concatBytes(u32(CONTENT.length), utf8("this does not inflate"))),
      padded(concatBytes(u32(17 * 1024 * 1024), deflateSync(new Uint8Array(17 * 1024 * 1024)))),
      padded(concatBytes(u32(100), deflateSync(new Uint8Array(8 * 1024 * 1024)))),
    ]) {
      const part = parseRecordPart(await sealedByHand(new Uint8Array(plaintext)));
      expect(await rejectionOf(openRecordPart(part, recipient))).toBe("RECORD_MALFORMED");
    }
  });
});

describe("the owner's statement about a part", () => {
  it("is refused with anything more, anything less, or another key", async () => {
    const key = await newSigningKey();
    const signed = await signStatement(RECORD_PART, statement, key);
    expect(await verifyStatement(RECORD_PART, signed, key.publicKey)).toEqual(statement);
    const other = await newSigningKey();
    expect(await rejectionOf(verifyStatement(RECORD_PART, signed, other.publicKey))).toBe(
      "STATEMENT_INVALID",
    );
    for (const changes of [
      { version: 0 },
      { version: 1.5 },
      { digest: "" },
      { region: "all" },
      { more: 1 },
    ]) {
      expect(RECORD_PART.schema.safeParse({ ...statement, ...changes }).success).toBe(false);
    }
  });
});
