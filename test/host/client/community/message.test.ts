import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { toHex, utf8 } from "../../../../host/base/index.ts";
import { makeIdentityCard, readIdentityCard } from "../../../../host/client/community/identity-card.ts";
import {
  decodeContent,
  frank,
  MESSAGE_BYTES,
  openMessage,
  sealMessage,
} from "../../../../host/client/community/message.ts";
import { type EnvelopeBinding, sealedSizes } from "../../../../host/community/index.ts";
import { loadNtru } from "../../../../host/ntru/index.ts";
import { createSealingSuite, type SealingSuite, signStatement } from "../../../../host/sealing/index.ts";
import { NOW, newId, type Somebody, somebody } from "../people.ts";

const binding: EnvelopeBinding = {
  kind: "question",
  community: newId(),
  subject: newId(),
  from: newId(),
  to: newId(),
};
const clock = { now: () => NOW };
let suite: SealingSuite;
let ada: Somebody;
let ben: Somebody;

beforeAll(async () => {
  suite = createSealingSuite(await loadNtru("ntruhps2048677"));
  ada = await somebody(suite, "quiet-otter");
  ben = await somebody(suite, "brave-wren");
});

const send = (text: string, card?: string) =>
  sealMessage(suite, ben.keys.receiving.publicKey, binding, card === undefined ? { text } : { text, card });

describe("a sealed message", () => {
  it("opens for its reader, with what a report would need", async () => {
    const { sealed, commitment } = await send("Does it get better in the morning? 🌅");
    const opened = await openMessage(ben.keys.receiving, binding, sealed, commitment);
    expect(opened.content).toEqual({ text: "Does it get better in the morning? 🌅" });
    expect(toHex(frank(opened.frankingKey, opened.body))).toBe(toHex(commitment));
    expect(decodeContent(opened.body)).toEqual(opened.content);
  });

  it("opens in no other place and under no other commitment", async () => {
    const { sealed, commitment } = await send("one thing");
    const { commitment: another } = await send("another");
    for (const field of ["community", "subject", "from", "to"] as const) {
      await expect(
        openMessage(ben.keys.receiving, { ...binding, [field]: newId() }, sealed, commitment),
      ).rejects.toMatchObject({ code: "SEALED_OPEN_FAILED" });
    }
    await expect(
      openMessage(ben.keys.receiving, { ...binding, kind: "answer" }, sealed, commitment),
    ).rejects.toMatchObject({ code: "SEALED_OPEN_FAILED" });
    await expect(openMessage(ben.keys.receiving, binding, sealed, another)).rejects.toMatchObject({
      code: "MESSAGE_COMMITMENT",
    });
    await expect(openMessage(ada.keys.receiving, binding, sealed, commitment)).rejects.toMatchObject({
      code: "SEALED_OPEN_FAILED",
    });
  });

  it("has one of the few lengths the relay takes, whatever is in it", async () => {
    const lengths = new Set<number>();
    for (const text of ["a", "b".repeat(300), "c".repeat(900), "d".repeat(MESSAGE_BYTES)]) {
      lengths.add((await send(text)).sealed.length);
    }
    const card = await cardFor(binding.to);
    lengths.add((await send("é".repeat(MESSAGE_BYTES / 2), card)).sealed.length);
    expect(sealedSizes("question")).toEqual(expect.arrayContaining([...lengths]));
    for (const text of ["", "x".repeat(MESSAGE_BYTES + 1), "é".repeat(MESSAGE_BYTES / 2 + 1)]) {
      await expect(send(text)).rejects.toMatchObject({ code: "MESSAGE_LENGTH" });
    }
    expect(() => decodeContent(utf8("{}"))).toThrow(/no message/);
  });
});

const cardFor = (to: string) =>
  makeIdentityCard({
    account: ada.account,
    name: "Ada Quillfeather",
    keys: ada.keys,
    addressed: { community: binding.community, from: binding.from, to },
    clock,
  });

describe("an identity card", () => {
  it("names its sender to the one partner it is for", async () => {
    const card = await cardFor(binding.to);
    expect(await readIdentityCard(card, binding)).toMatchObject({
      accountId: ada.account.accountId,
      handle: "quiet-otter",
      name: "Ada Quillfeather",
      fingerprint: ada.fingerprint,
    });
    // Handed on, or worn by another pseudonym, it is void.
    for (const changed of [{ to: newId() }, { from: newId() }, { community: newId() }]) {
      await expect(readIdentityCard(card, { ...binding, ...changed })).rejects.toMatchObject({
        code: "IDENTITY_CARD_MISMATCH",
      });
    }
  });

  it("says a handle as the KDC gives them, or nothing", async () => {
    for (const handle of ["dr-heron\n", "dr-heron\u202e", "card:dr-heron", "__proto__"]) {
      const { community, from: pseudonym, to } = binding;
      const { accountId, identity } = ada.account;
      // Signed by a program that is none of ours.
      const card = await signStatement(
        { typ: "medcloudlet-community-identity-card", schema: z.any() },
        { community, pseudonym, to, accountId, handle, name: "", identity, createdAt: NOW },
        ada.keys.signing,
      );
      await expect(readIdentityCard(card, binding)).rejects.toMatchObject({
        code: "STATEMENT_INVALID",
      });
    }
  });

  it("cannot be made for somebody else's account", async () => {
    const forged = await makeIdentityCard({
      account: ada.account,
      name: "Ada",
      keys: ben.keys,
      addressed: binding,
      clock,
    });
    await expect(readIdentityCard(forged, binding)).rejects.toMatchObject({ code: "STATEMENT_INVALID" });
  });
});
