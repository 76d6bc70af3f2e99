import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Bytes, fromBase64Url } from "../../../host/base/index.ts";
import { createIdentity, type WritableStream } from "../../../host/client/index.ts";
import {
  fingerprint,
  identityKeys,
  noteTextDigest,
  openNote,
  parseNote,
  sealNote,
  verifyIdentity,
} from "../../../host/sealing/index.ts";
import { noteTicketOf } from "../../support/records.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS } from "../../support/system.ts";
import { expectProblem, leavesNoTrace, replay, signed, someId, strangerKey } from "../http/attack.ts";
import { type NoteScene, startNoteScene } from "./note-scene.ts";

describe.each(backends())("notes about a patient, under attack, on the $name store", (backend) => {
  let scene: NoteScene;
  beforeAll(async () => {
    scene = await startNoteScene(backend);
  });
  afterAll(() => scene?.system.stop());

  it("by nobody with a consent, by another's name or of another time, are refused by every reader", async () => {
    const { system, ada, heron, stork, notesOf, share, idOf, sharedBy, ownStream, post, forged } = scene;
    const dove = await system.patient("dove", "Dove");
    await dove.owner.startEpoch("medical");
    await share(dove, heron);
    const heronsConsent = (await sharedBy(dove, heron)).consentStatement;
    const { keys: eve, statement: evesIdentity } = await createIdentity(system.suite, system.clock);
    const herons = { key: heron.keys.signing, identity: heron.session.account.identity };
    const attacks: [string, Bytes][] = [
      [
        "NOTE_AUTHOR_UNVOUCHED",
        await forged(dove, { key: eve.signing, identity: evesIdentity, consent: null }),
      ],
      [
        "NOTE_AUTHOR_UNVOUCHED",
        await forged(dove, { key: eve.signing, identity: evesIdentity, consent: heronsConsent }),
      ],
      [
        "NOTE_AUTHOR_UNVOUCHED",
        await forged(dove, {
          key: eve.signing,
          identity: evesIdentity,
          consent: null,
          note: { author: idOf(dove) },
        }),
      ],
      ["STATEMENT_INVALID", await forged(dove, { ...herons, key: eve.signing, consent: heronsConsent })],
      // Consents of another patient, and of none.
      [
        "STATEMENT_INVALID",
        await forged(dove, { ...herons, consent: (await sharedBy(ada, heron)).consentStatement }),
      ],
      ["NOTE_AUTHOR_UNVOUCHED", await forged(dove, { ...herons, consent: null })],
      [
        "NOTE_AUTHOR_UNVOUCHED",
        await forged(dove, { ...herons, consent: heronsConsent, note: { author: idOf(stork) } }),
      ],
      [
        "NOTE_AUTHOR_UNVOUCHED",
        await forged(dove, { ...herons, consent: heronsConsent, note: { at: system.clock.now() - DAY_MS } }),
      ],
      [
        "NOTE_TIME_INVALID",
        await forged(dove, {
          ...herons,
          consent: heronsConsent,
          note: { at: system.clock.now() + DAY_MS / 2 },
        }),
      ],
      [
        "NOTE_STATEMENT_MISMATCH",
        await forged(dove, { ...herons, consent: heronsConsent, note: { digest: noteTextDigest("else") } }),
      ],
      [
        "NOTE_STATEMENT_MISMATCH",
        await forged(dove, { ...herons, consent: heronsConsent, note: { epochId: someId() } }),
      ],
      [
        "NOTE_STATEMENT_MISMATCH",
        await forged(dove, { ...herons, consent: heronsConsent, note: { streamId: someId() } }),
      ],
      ["NOTE_STATEMENT_MISMATCH", await forged(dove, { ...herons, consent: heronsConsent, text: "" })],
    ];
    const own = await ownStream(dove);
    for (const [, bytes] of attacks) {
      const ticket = await noteTicketOf(dove, own.streamId);
      expect((await post(own.streamId, ticket, bytes)).status).toBe(201);
    }
    const { notes, refused } = await notesOf(dove, "").list(own);
    expect(notes).toEqual([]);
    expect(refused.map(({ code }) => code)).toEqual(attacks.map(([code]) => code));
    expect(fingerprint(identityKeys(await verifyIdentity(evesIdentity)))).not.toBe(heron.fingerprint);
  });

  it("cannot be moved to another patient, nor sealed again to other readers or as a second note", async () => {
    const {
      system,
      ada,
      bo,
      heron,
      stork,
      notesOf,
      sharedBy,
      ownStream,
      texts,
      refusals,
      epochOf,
      post,
      sealedOf,
    } = scene;
    const stream = await sharedBy(ada, heron);
    await notesOf(heron, "Dr Heron").write(stream, { text: "Moved about" });
    const sealed = await sealedOf(ada, stream.streamId);
    const bytes = sealed.at(-1) as Bytes;
    const epoch = stream.epochs.get(parseNote(bytes).header.epochId);
    const content = await openNote(parseNote(bytes), epoch as NonNullable<typeof epoch>);
    const boStream = await sharedBy(bo, heron);
    const boEpoch = await epochOf(bo);

    await leavesNoTrace(system, async () => {
      const ticket = await noteTicketOf(heron, boStream.streamId);
      await expectProblem(await post(boStream.streamId, ticket, bytes), 403, "NOTE_STREAM_MISMATCH");
    });
    // By a cloud that helps: under Bo's name nothing opens, and sealed anew it is not what was signed.
    const renamed = new Uint8Array(bytes);
    renamed.set(
      [...boEpoch.epochId.matchAll(/../g)].map(([byte]) => Number.parseInt(byte, 16)),
      8,
    );
    renamed.set(
      [...boEpoch.streamId.matchAll(/../g)].map(([byte]) => Number.parseInt(byte, 16)),
      24,
    );
    const resealed = await sealNote({
      suite: system.suite,
      epochPublicKey: fromBase64Url(boEpoch.publicKey),
      header: { region: "medical", streamId: boEpoch.streamId, epochId: boEpoch.epochId },
      content,
    });
    for (const moved of [renamed, resealed]) {
      const ticket = await noteTicketOf(heron, boStream.streamId);
      expect((await post(boStream.streamId, ticket, moved)).status).toBe(201);
    }
    expect(await texts(bo, await ownStream(bo))).toEqual([]);
    expect(await refusals(bo, await ownStream(bo))).toEqual([
      "SEALED_OPEN_FAILED",
      "NOTE_STATEMENT_MISMATCH",
    ]);

    // The very bytes again are known; the words sealed a second time are one note still.
    const before = (await texts(stork, await sharedBy(ada, stork))).length;
    const again = await post(stream.streamId, await noteTicketOf(stork, stream.streamId), bytes);
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ status: "duplicate" });
    const { epochId, streamId, publicKey } = await epochOf(ada);
    const copy = await sealNote({
      suite: system.suite,
      epochPublicKey: fromBase64Url(publicKey),
      header: { region: "medical", streamId, epochId },
      content,
    });
    expect((await post(streamId, await noteTicketOf(stork, streamId), copy)).status).toBe(201);
    expect(await texts(stork, await sharedBy(ada, stork))).toHaveLength(before);
  });

  it("are taken with a ticket for them alone, of this stream, in the hands it was made for, once", async () => {
    const { system, ada, bo, heron, sharedBy, post, forged } = scene;
    const { streamId } = await sharedBy(ada, heron);
    const { streamId: other } = await sharedBy(bo, heron);
    const bytes = await forged(ada, {
      ...{ key: heron.keys.signing, identity: heron.session.account.identity, consent: null },
    });
    const ticket = await noteTicketOf(heron, streamId);
    const read = await heron.session.readTicket(streamId, heron.keys.signing);
    await leavesNoTrace(system, async () => {
      await expectProblem(await post(other, ticket, bytes), 403, "TICKET_STREAM_MISMATCH");
      await expectProblem(await post(streamId, read, bytes), 403, "TICKET_SCOPE");
      const thief = { key: await strangerKey(), ticket: ticket.ticket };
      await expectProblem(await post(streamId, thief, bytes), 403, "TICKET_HOLDER_MISMATCH");
      await expectProblem(await post(streamId, ticket, bytes.slice(0, -1)), 400, "NOTE_SIZE_INVALID");
      await expectProblem(await post(streamId, ticket, new Uint8Array(16_385)), 413, "REQUEST_TOO_LARGE");
      await expectProblem(await post(streamId, ticket, new Uint8Array(4096)), 400, "NOTE_MAGIC_INVALID");
      const url = `${system.cloud.url}/v1/streams/${streamId}/notes`;
      await expectProblem(await fetch(url, { method: "POST", body: bytes }), 401, "TICKET_MISSING");
    });
    const url = `${system.cloud.url}/v1/streams/${streamId}/notes`;
    const recorded = await signed(system, { url, key: ticket.key, ticket: ticket.ticket, bytes });
    expect((await replay(recorded)).status).toBe(201);
    await expectProblem(await replay(recorded), 401, "PROOF_REPLAYED");
  });

  it("are for the patient and doctors to write, as long as the consent stands; researchers and peers read only", async () => {
    const { system, ada, bo, heron, notesOf, share, sharedBy, texts, epochOf, sealedOf } = scene;
    const own = (await epochOf(ada)).streamId;
    const egret = await system.doctor("dr-egret");
    const lark = await system.person("researcher", "lark");
    for (const [person, code] of [
      [egret, "CONSENT_MISSING"],
      [bo, "CONSENT_MISSING"],
      [lark, "ROLE_FORBIDDEN"],
      [system.operator, "ROLE_FORBIDDEN"],
    ] as const) {
      await expect(noteTicketOf(person, own)).rejects.toMatchObject({ code });
    }
    await expect(noteTicketOf(egret, someId())).rejects.toMatchObject({ code: "CONSENT_MISSING" });
    await expect(
      heron.session.call(z.unknown(), {
        ...{ method: "POST", path: "/tickets/note", key: await strangerKey() },
        json: { streamId: own, holder: "A".repeat(43) },
      }),
    ).rejects.toMatchObject({ code: "REQUEST_INVALID" });

    const consent = await share(ada, egret);
    const stream = await sharedBy(ada, egret);
    const egretsNotes = notesOf(egret, "Dr Egret");
    await egretsNotes.write(stream, { text: "While I may." });
    await ada.owner.revoke(consent.consentId);
    await expect(egretsNotes.write(stream, { text: "Too late." })).rejects.toMatchObject({
      code: "CONSENT_MISSING",
    });
    // What was written under the consent stays, and what comes later is sealed to an epoch that egret cannot open.
    const heronsStream = await sharedBy(ada, heron);
    await notesOf(heron, "Dr Heron").write(heronsStream, { text: "Not for egret." });
    const all = await texts(heron, heronsStream);
    expect(all[0]).toBe("Not for egret.");
    expect(all).toContain("While I may.");
    const sealed = (await sealedOf(ada, own)).at(-1) as Bytes;
    expect(stream.epochs.has(parseNote(sealed).header.epochId)).toBe(false);
    // A KDC that hands out the old epoch is caught by who knows the new one.
    const rolledBack: WritableStream = { ...heronsStream, newestEpoch: heronsStream.newestEpoch + 1 };
    await expect(notesOf(heron, "x").write(rolledBack, { text: "x" })).rejects.toMatchObject({
      code: "EPOCH_ROLLED_BACK",
    });
  });
});
