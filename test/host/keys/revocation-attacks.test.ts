import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { toBase64Url } from "../../../host/base/index.ts";
import type { OwnedEpoch } from "../../../host/client/index.ts";
import { giveConsent, revokeConsent, storeWrappedKeys } from "../../../host/client/kdc-consents.ts";
import {
  CONSENT,
  type Consent,
  DEVICE_REVOCATION,
  EPOCH,
  REVOCATION,
  type SigningKey,
  signStatement,
  WRAPPED_KEY,
  type WrappedKey,
  wrapEpochKey,
} from "../../../host/sealing/index.ts";
import { type Terms, termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Doctor, type Patient, type System, startSystem } from "../../support/system.ts";
import { documentsOf, leavesNoTrace, someId, strangerKey } from "../http/attack.ts";

const ANY = z.unknown();

describe.each(backends())("attacks on consents and revocations, on the $name store", (backend) => {
  let system: System;
  let ada: Patient;
  let bo: Patient;
  let heron: Doctor;
  let stork: Doctor;
  let consent: Consent;

  const idOf = (person: Patient | Doctor) => person.session.account.accountId;
  const medicalOf = (patient: Patient) =>
    patient.owner.epochs.findLast(({ region }) => region === "medical") as OwnedEpoch;
  const share = (by: Patient, to: Doctor, changes: Partial<Terms> = {}) =>
    by.owner.share(termsFor(system, to, changes));
  const revocation = (
    key: SigningKey,
    changes: Partial<{ consentId: string; owner: string; revokedAt: number }> = {},
  ) =>
    signStatement(
      REVOCATION,
      { consentId: consent.consentId, owner: idOf(ada), revokedAt: system.clock.now(), ...changes },
      key,
    );
  const wrapped = async (changes: Partial<WrappedKey> = {}, key = ada.keys.signing): Promise<string> => {
    const { epochId, privateKey } = medicalOf(ada);
    const binding = {
      consentId: consent.consentId,
      owner: idOf(ada),
      reader: idOf(heron),
      epochId,
      ...changes,
    };
    const made = await wrapEpochKey(system.suite, heron.keys.receiving.publicKey, binding, {
      privateKey,
      ownerName: "Ada",
    });
    return signStatement(WRAPPED_KEY, { ...made, ...changes }, key);
  };
  const store = (by: Patient | Doctor, ...keys: string[]) => storeWrappedKeys(by.session.call, keys);

  beforeAll(async () => {
    system = await startSystem(backend);
    ada = await system.patient("quiet-otter", "Ada Quillfeather");
    bo = await system.patient("brave-wren", "Bo Lantern");
    heron = await system.doctor("dr-heron");
    stork = await system.doctor("dr-stork");
    for (const patient of [ada, bo]) {
      await patient.owner.startEpoch("medical");
    }
    await ada.owner.startEpoch("profile");
    consent = await share(ada, heron);
  });
  afterAll(() => system?.stop());

  it("another patient cannot revoke a consent, in their own name or in its owner's", async () => {
    await leavesNoTrace(system, async () => {
      const inOwnName = await revocation(bo.keys.signing, { owner: idOf(bo) });
      await expect(revokeConsent(bo.session.call, inOwnName)).rejects.toMatchObject({
        code: "CONSENT_UNKNOWN",
        status: 404,
      });
      await expect(revokeConsent(bo.session.call, await revocation(bo.keys.signing))).rejects.toMatchObject({
        code: "CONSENT_OWNER_MISMATCH",
        status: 403,
      });
      // A genuine revocation in somebody else's session is not theirs to hand in.
      await expect(revokeConsent(bo.session.call, await revocation(ada.keys.signing))).rejects.toMatchObject({
        code: "STATEMENT_INVALID",
      });
      for (const reader of [heron, stork]) {
        await expect(
          revokeConsent(reader.session.call, await revocation(reader.keys.signing, { owner: idOf(reader) })),
        ).rejects.toMatchObject({ code: "ROLE_FORBIDDEN" });
      }
    });
    expect(await heron.session.grants()).toHaveLength(1);
  });

  it("a revocation with the wrong signature, of another kind or of nothing ends nothing", async () => {
    const signed = await revocation(ada.keys.signing);
    await leavesNoTrace(system, async () => {
      for (const forged of [
        await revocation(await strangerKey()),
        await revocation(bo.keys.signing),
        `${signed.slice(0, -4)}AAAA`,
        await signStatement(
          DEVICE_REVOCATION,
          { deviceId: consent.consentId, owner: idOf(ada), revokedAt: system.clock.now() },
          ada.keys.signing,
        ),
        await signStatement(CONSENT, consent, ada.keys.signing),
      ]) {
        await expect(revokeConsent(ada.session.call, forged)).rejects.toMatchObject({
          code: "STATEMENT_INVALID",
          status: 400,
        });
      }
      const ofNothing = await revocation(ada.keys.signing, { consentId: someId() });
      await expect(revokeConsent(ada.session.call, ofNothing)).rejects.toMatchObject({
        code: "CONSENT_UNKNOWN",
      });
    });
  });

  it("whatever the owner's clock says, a revocation holds from its acknowledgement", async () => {
    for (const revokedAt of [0, system.clock.now() - DAY_MS, system.clock.now() + 365 * DAY_MS]) {
      const { consentId } = await share(ada, stork);
      expect(await stork.session.grants()).toHaveLength(1);
      await revokeConsent(ada.session.call, await revocation(ada.keys.signing, { consentId, revokedAt }));
      expect(await stork.session.grants()).toEqual([]);
      await expect(
        stork.session.readTicket(medicalOf(ada).streamId, stork.keys.signing),
      ).rejects.toMatchObject({ code: "CONSENT_MISSING" });
    }
  });

  it("a wrapped key for another reader, consent, owner, region or epoch is refused", async () => {
    const profile = ada.owner.epochs.find(({ region }) => region === "profile") as OwnedEpoch;
    const ofBo = await share(bo, stork);
    await leavesNoTrace(system, async () => {
      for (const changes of [
        { reader: idOf(stork) },
        { owner: idOf(bo) },
        { epochId: medicalOf(bo).epochId },
        { epochId: profile.epochId },
        { epochId: someId() },
        { consentId: ofBo.consentId },
        { consentId: ofBo.consentId, reader: idOf(stork) },
      ]) {
        await expect(store(ada, await wrapped(changes)), JSON.stringify(changes)).rejects.toMatchObject({
          code: "WRAPPED_KEY_MISMATCH",
          status: 400,
        });
      }
      await expect(store(ada, await wrapped({}, bo.keys.signing))).rejects.toMatchObject({
        code: "STATEMENT_INVALID",
      });
      await expect(store(bo, await wrapped({}))).rejects.toMatchObject({ code: "STATEMENT_INVALID" });
      await expect(store(bo, await wrapped({}, bo.keys.signing))).rejects.toMatchObject({
        code: "WRAPPED_KEY_MISMATCH",
      });
      // One bad key among good ones: none is taken.
      const good = await wrapped({});
      await expect(store(ada, good, await wrapped({ epochId: profile.epochId }))).rejects.toMatchObject({
        code: "WRAPPED_KEY_MISMATCH",
      });
      await expect(store(heron, good)).rejects.toMatchObject({ code: "ROLE_FORBIDDEN" });
    });
  });

  it("a wrapped key comes twice and is kept once, as it first was", async () => {
    const keys = async () =>
      (await documentsOf(system.stores.kdc, "wrapped_keys")).filter(
        (key) => key.consentId === consent.consentId,
      );
    const before = await keys();
    expect(before).toHaveLength(1);
    await store(ada, await wrapped({}), await wrapped({}));
    expect(await keys()).toEqual(before);
  });

  it("nothing is wrapped for a consent that was revoked or has ended", async () => {
    const revoked = await share(ada, stork);
    await ada.owner.revoke(revoked.consentId);
    const short = await share(ada, stork, { until: system.clock.now() + 60_000 });
    system.clock.advance(61_000);
    const { epochId } = await ada.owner.startEpoch("medical");
    await leavesNoTrace(system, async () => {
      for (const { consentId } of [revoked, short]) {
        await expect(
          store(ada, await wrapped({ consentId, reader: idOf(stork), epochId })),
        ).rejects.toMatchObject({ code: "CONSENT_ENDED", status: 409, details: { consentId } });
      }
    });
    await ada.owner.catchUp();
  });

  it("a key of an epoch that began after a consent's end, or ended before one without history, is refused", async () => {
    const [first] = ada.owner.epochs;
    const fresh = await share(ada, stork, { history: "from-now" });
    await leavesNoTrace(system, async () => {
      await expect(
        store(
          ada,
          await wrapped({
            consentId: fresh.consentId,
            reader: idOf(stork),
            epochId: first?.epochId as string,
          }),
        ),
      ).rejects.toMatchObject({ code: "WRAPPED_KEY_MISMATCH" });
    });
    await ada.owner.revoke(fresh.consentId);
  });

  it("the same consent cannot be given again once it is revoked, nor given without its keys", async () => {
    const given = await share(ada, stork);
    await ada.owner.revoke(given.consentId);
    await leavesNoTrace(system, async () => {
      const statement = await signStatement(CONSENT, given, ada.keys.signing);
      await expect(giveConsent(ada.session.call, statement, [])).rejects.toMatchObject({
        code: "CONSENT_EXISTS",
      });
      const later = { ...given, until: given.until + DAY_MS };
      await expect(
        giveConsent(ada.session.call, await signStatement(CONSENT, later, ada.keys.signing), []),
      ).rejects.toMatchObject({ code: "CONSENT_EXISTS" });
      const bare = { ...given, consentId: someId() };
      await expect(
        giveConsent(ada.session.call, await signStatement(CONSENT, bare, ada.keys.signing), []),
      ).rejects.toMatchObject({ code: "CONSENT_KEYS_MISSING", status: 409 });
    });
    const owners = (await stork.session.grants()).map(({ owner }) => owner.accountId);
    expect(owners).not.toContain(idOf(ada));
  });

  it("a cut-off sharing, keys stored and no consent, shares nothing", async () => {
    const before = await stork.session.grants();
    const planned = someId();
    await store(ada, await wrapped({ consentId: planned, reader: idOf(stork) }));
    expect(await stork.session.grants()).toEqual(before);
    await expect(
      stork.session.call(ANY, { method: "GET", path: `/consents/${planned}/keys` }),
    ).rejects.toMatchObject({ code: "CONSENT_MISSING" });
  });

  it("keys are released to the reader whom the consent names, and every other asker is told the same", async () => {
    const path = (consentId: string) => `/consents/${consentId}/keys`;
    const answers: unknown[] = [];
    await leavesNoTrace(system, async () => {
      for (const [who, consentId] of [
        [stork, consent.consentId],
        [stork, someId()],
        [bo, consent.consentId],
        [ada, consent.consentId],
      ] as const) {
        const refused = await who.session.call(ANY, { method: "GET", path: path(consentId) }).then(
          () => expect.unreachable("a key was released"),
          ({ code, status, message }) => ({ code, status, message }),
        );
        answers.push(refused);
      }
    });
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ code: "CONSENT_MISSING", status: 403 });
    await expect(heron.session.call(ANY, { method: "GET", path: path("../grants") })).rejects.toMatchObject({
      status: 404,
    });
  });

  it("who lacks a key is for the epoch's owner to know", async () => {
    const path = `/epochs/${medicalOf(ada).epochId}/missing-keys`;
    await leavesNoTrace(system, async () => {
      await expect(bo.session.call(ANY, { method: "GET", path })).rejects.toMatchObject({
        code: "EPOCH_UNKNOWN",
        status: 404,
      });
      await expect(heron.session.call(ANY, { method: "GET", path })).rejects.toMatchObject({
        code: "ROLE_FORBIDDEN",
      });
      for (const after of ["x", "%24gt", "0".repeat(33)]) {
        await expect(
          ada.session.call(ANY, { method: "GET", path: `${path}?after=${after}` }),
        ).rejects.toMatchObject({ code: "REQUEST_INVALID" });
      }
    });
  });

  it("a consent names only those who suit its purpose", async () => {
    const { keys, session: finch } = await system.person("researcher", "lab-finch");
    const { fingerprint } = await ada.owner.lookUp("lab-finch");
    for (const [reader, expectedFingerprint, purpose] of [
      ["lab-finch", fingerprint, "treatment"],
      ["lab-finch", fingerprint, "self-care"],
      [heron.handle, heron.fingerprint, "research"],
      [heron.handle, heron.fingerprint, "self-care"],
    ] as const) {
      await expect(share(ada, heron, { reader, expectedFingerprint, purpose })).rejects.toMatchObject({
        code: "CONSENT_ROLE_MISMATCH",
        status: 409,
      });
    }
    const { consentId } = await share(ada, heron, {
      reader: "lab-finch",
      expectedFingerprint: fingerprint,
      purpose: "research",
    });
    expect(await finch.grants()).toHaveLength(1);
    const { expiresAt } = await finch.readTicket(medicalOf(ada).streamId, keys.signing);
    expect(expiresAt).toBeGreaterThan(system.clock.now());
    await ada.owner.revoke(consentId);
    expect(await finch.grants()).toEqual([]);
  });

  it("an epoch number that goes back, or jumps, is refused", async () => {
    const { streamId, number } = medicalOf(ada);
    const { publicKey } = await system.suite.generateKeyPair();
    await leavesNoTrace(system, async () => {
      for (const wrong of [1, number - 1, number, number + 2]) {
        const epoch = {
          owner: idOf(ada),
          region: "medical" as const,
          streamId,
          epochId: someId(),
          number: wrong,
          suite: 1 as const,
          publicKey: toBase64Url(publicKey),
          createdAt: system.clock.now(),
        };
        await expect(
          ada.session.publishEpoch(await signStatement(EPOCH, epoch, ada.keys.signing)),
        ).rejects.toMatchObject({ code: "EPOCH_NUMBER" });
      }
    });
  });
});
