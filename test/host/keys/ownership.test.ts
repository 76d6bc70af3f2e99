import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, toBase64Url } from "../../../host/base/index.ts";
import type { OwnedEpoch } from "../../../host/client/index.ts";
import {
  CONSENT,
  type Consent,
  ENROLMENT,
  type Enrolment,
  EPOCH,
  type Epoch,
  fingerprint,
  type SigningKey,
  signStatement,
  WRAPPED_KEY,
  wrapEpochKey,
} from "../../../host/sealing/index.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Doctor, type Patient, type System, startSystem } from "../../support/system.ts";
import { documentsOf, kdcOf, leavesNoTrace, payloadOf, someId, strangerKey } from "../http/attack.ts";

describe.each(backends())("what belongs to another patient, on the $name store", (backend) => {
  let system: System;
  let ada: Patient;
  let bo: Patient;
  let doctor: Doctor;
  let epochKey: Bytes;

  const idOf = (person: Patient | Doctor) => person.session.account.accountId;

  const epochOf = (owner: Patient, changes: Partial<Epoch> = {}): Epoch => ({
    owner: idOf(owner),
    region: "profile",
    streamId: someId(),
    epochId: someId(),
    number: 1,
    suite: 1,
    publicKey: toBase64Url(epochKey),
    createdAt: system.clock.now(),
    ...changes,
  });

  const publish = async (by: Patient, epoch: Epoch, key: SigningKey = by.keys.signing) =>
    by.session.publishEpoch(await signStatement(EPOCH, epoch, key));

  const consentOf = (owner: Patient, changes: Partial<Consent> = {}): Consent => ({
    consentId: someId(),
    owner: idOf(owner),
    reader: idOf(doctor),
    readerFingerprint: fingerprint({
      signingKey: doctor.keys.signing.publicKey,
      receivingKey: doctor.keys.receiving.publicKey,
    }),
    regions: ["medical"],
    purpose: "treatment",
    from: system.clock.now(),
    until: system.clock.now() + DAY_MS,
    createdAt: system.clock.now(),
    ...changes,
  });

  const give = async (by: Patient, consent: Consent, wrappedKeys: string[] = [], key = by.keys.signing) =>
    by.session.giveConsent(await signStatement(CONSENT, consent, key), wrappedKeys);

  /** The newest medical key of a patient, wrapped under a consent. */
  const keyFor = async (by: Patient, { consentId, owner, reader }: Consent): Promise<string> => {
    const { epochId, privateKey } = by.owner.epochs.findLast(
      ({ region }) => region === "medical",
    ) as OwnedEpoch;
    const wrapped = await wrapEpochKey(
      system.suite,
      doctor.keys.receiving.publicKey,
      { consentId, owner, reader, epochId },
      { privateKey, ownerName: "Ada" },
    );
    return signStatement(WRAPPED_KEY, wrapped, by.keys.signing);
  };

  const enrolmentOf = (owner: Patient, changes: Partial<Enrolment> = {}): Enrolment => ({
    owner: idOf(owner),
    deviceId: someId(),
    signingKey: toBase64Url(owner.keys.signing.publicKey),
    region: "medical",
    streamId: owner.owner.epochs[0]?.streamId as string,
    createdAt: system.clock.now(),
    until: system.clock.now() + DAY_MS,
    ...changes,
  });

  const enrol = async (by: Patient, enrolment: Enrolment, key = by.keys.signing) =>
    by.session.enrolDevice(await signStatement(ENROLMENT, enrolment, key));

  beforeAll(async () => {
    system = await startSystem(backend);
    epochKey = (await system.suite.generateKeyPair()).publicKey;
    ada = await system.patient("quiet-otter", "Ada");
    bo = await system.patient("brave-wren", "Bo");
    doctor = await system.doctor("dr-heron");
    await ada.owner.startEpoch("medical");
    await bo.owner.startEpoch("medical");
  });
  afterAll(() => system?.stop());

  it("cannot get an epoch: not in another's name, not by another's signature, not on another's stream", async () => {
    const [own] = ada.owner.epochs;
    const streamId = own?.streamId as string;
    await leavesNoTrace(system, async () => {
      await expect(publish(bo, epochOf(ada))).rejects.toMatchObject({
        code: "EPOCH_OWNER_MISMATCH",
        status: 403,
      });
      await expect(publish(bo, epochOf(ada), ada.keys.signing)).rejects.toMatchObject({
        code: "STATEMENT_INVALID",
        status: 400,
      });
      for (const epoch of [
        epochOf(bo, { streamId }),
        epochOf(bo, { streamId, region: "medical", number: 2 }),
        epochOf(ada, { streamId }),
        epochOf(ada, { region: "medical", number: 2 }),
      ]) {
        await expect(publish(epoch.owner === idOf(bo) ? bo : ada, epoch)).rejects.toMatchObject({
          code: "EPOCH_STREAM_MISMATCH",
          status: 409,
        });
      }
    });
  });

  it("keeps its epochs in their order, each number and each id once", async () => {
    const [own] = ada.owner.epochs;
    const streamId = own?.streamId as string;
    const medical = { region: "medical", streamId } as const;
    await leavesNoTrace(system, async () => {
      for (const epoch of [
        epochOf(ada, { ...medical, number: 1 }),
        epochOf(ada, { ...medical, number: 3 }),
        epochOf(ada, { ...medical, number: 2 ** 52 }),
        epochOf(ada, { ...medical, number: 2, epochId: own?.epochId as string }),
        epochOf(bo, { epochId: own?.epochId as string }),
      ]) {
        await expect(publish(epoch.owner === idOf(bo) ? bo : ada, epoch)).rejects.toMatchObject({
          code: "EPOCH_NUMBER",
          status: 409,
        });
      }
    });
    // A refused first epoch has claimed nothing: the next try with another stream goes through.
    await publish(bo, epochOf(bo, { region: "identity" }));
  });

  it.runIf(backend.name === "embedded")("has one epoch of a number, however many come at once", async () => {
    const racer = await system.patient("fast-swift", "Ci");
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => publish(racer, epochOf(racer, { region: "medical" }))),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await racer.session.epochs()).toHaveLength(1);
  });

  it("cannot be consented away by somebody else, or to another key than the reader's", async () => {
    const nobody = someId();
    await leavesNoTrace(system, async () => {
      await expect(give(bo, consentOf(ada))).rejects.toMatchObject({
        code: "CONSENT_OWNER_MISMATCH",
        status: 403,
      });
      await expect(give(bo, consentOf(ada), [], ada.keys.signing)).rejects.toMatchObject({
        code: "STATEMENT_INVALID",
        status: 400,
      });
      for (const changes of [
        { readerFingerprint: "0".repeat(64) },
        { reader: nobody },
        { reader: idOf(bo) },
        { reader: idOf(ada) },
      ]) {
        await expect(give(ada, consentOf(ada, changes))).rejects.toMatchObject({
          code: "CONSENT_READER_MISMATCH",
          status: 409,
        });
      }
    });
  });

  it("stays under the consent that was given: a used id is refused, whoever comes with it", async () => {
    const given = consentOf(ada);
    await give(ada, given, [await keyFor(ada, given)]);
    await leavesNoTrace(system, async () => {
      const longer = { ...given, until: given.until + DAY_MS };
      await expect(give(ada, longer)).rejects.toMatchObject({ code: "CONSENT_EXISTS", status: 409 });
      const others = consentOf(bo, { consentId: given.consentId });
      await expect(give(bo, others)).rejects.toMatchObject({ code: "CONSENT_EXISTS", status: 409 });
    });
  });

  it("is not wrapped up in a consent that does not cover it", async () => {
    const own = await ada.owner.startEpoch("identity");
    const [medical] = ada.owner.epochs;
    const [ofBo] = bo.owner.epochs;
    const consent = consentOf(ada);
    const wrapped = async (
      changes: Partial<Record<"consentId" | "owner" | "reader" | "epochId", string>>,
    ) => {
      const binding = {
        consentId: consent.consentId,
        owner: idOf(ada),
        reader: idOf(doctor),
        epochId: medical?.epochId as string,
        ...changes,
      };
      const granted = { privateKey: own.privateKey, ownerName: "Ada" };
      return wrapEpochKey(system.suite, doctor.keys.receiving.publicKey, binding, granted);
    };
    const giveWith = async (changes: Partial<Record<"consentId" | "owner" | "reader" | "epochId", string>>) =>
      give(ada, consent, [await signStatement(WRAPPED_KEY, await wrapped(changes), ada.keys.signing)]);
    await leavesNoTrace(system, async () => {
      for (const changes of [
        { epochId: ofBo?.epochId as string },
        { epochId: someId() },
        { owner: idOf(bo) },
      ]) {
        await expect(giveWith(changes)).rejects.toMatchObject({ code: "WRAPPED_KEY_MISMATCH", status: 400 });
      }
      const byBo = await signStatement(WRAPPED_KEY, await wrapped({}), bo.keys.signing);
      await expect(give(ada, consent, [byBo])).rejects.toMatchObject({ code: "STATEMENT_INVALID" });
      const asEnrolment = await signStatement(ENROLMENT, enrolmentOf(ada), ada.keys.signing);
      await expect(give(ada, consent, [asEnrolment])).rejects.toMatchObject({ code: "STATEMENT_INVALID" });
    });
    // A key can come before its consent; it waits there, and the consent that it does not suit is refused.
    const before = await documentsOf(system.stores.kdc, "consents");
    await expect(giveWith({ consentId: someId() })).rejects.toMatchObject({ code: "CONSENT_KEYS_MISSING" });
    for (const changes of [{ epochId: own.epochId }, { reader: idOf(bo) }]) {
      await expect(giveWith(changes)).rejects.toMatchObject({ code: "WRAPPED_KEY_MISMATCH", status: 400 });
    }
    expect(await documentsOf(system.stores.kdc, "consents")).toEqual(before);
  });

  it("takes no device of somebody else", async () => {
    const existing = enrolmentOf(ada);
    await enrol(ada, existing);
    await leavesNoTrace(system, async () => {
      await expect(enrol(bo, enrolmentOf(ada))).rejects.toMatchObject({
        code: "DEVICE_OWNER_MISMATCH",
        status: 403,
      });
      await expect(enrol(bo, enrolmentOf(ada), ada.keys.signing)).rejects.toMatchObject({
        code: "STATEMENT_INVALID",
        status: 400,
      });
      const later = { deviceId: existing.deviceId, createdAt: existing.createdAt + 1 };
      const otherKey = toBase64Url((await strangerKey()).publicKey);
      for (const taken of [
        { by: bo, enrolment: enrolmentOf(bo, later) },
        { by: ada, enrolment: { ...existing, until: existing.until + DAY_MS } },
        { by: ada, enrolment: { ...existing, ...later, createdAt: existing.createdAt - 1 } },
        { by: ada, enrolment: { ...existing, ...later, signingKey: otherKey } },
        { by: ada, enrolment: { ...existing, ...later, streamId: someId() } },
        { by: ada, enrolment: { ...existing, ...later, region: "profile" as const } },
      ]) {
        await expect(enrol(taken.by, taken.enrolment)).rejects.toMatchObject({
          code: "DEVICE_EXISTS",
          status: 409,
        });
      }
    });
  });

  it("gets no readings from another's device, though that one is enrolled for its stream", async () => {
    const key = await strangerKey();
    const deviceId = someId();
    const signingKey = toBase64Url(key.publicKey);
    const streamId = ada.owner.epochs[0]?.streamId as string;
    await enrol(bo, enrolmentOf(bo, { deviceId, signingKey, streamId }));
    const unclaimed = enrolmentOf(bo, { deviceId: someId(), signingKey, streamId: someId() });
    await enrol(bo, unclaimed);
    await leavesNoTrace(system, async () => {
      for (const id of [deviceId, unclaimed.deviceId]) {
        await expect(kdcOf(system).uploadTicket(id, key)).rejects.toMatchObject({
          code: "DEVICE_STREAM_MISMATCH",
          status: 403,
        });
      }
    });
  });

  it("can have its device enrolled longer by its owner, in place of the earlier enrolment", async () => {
    const first = enrolmentOf(ada);
    await enrol(ada, first);
    const renewed = { ...first, createdAt: first.createdAt + 1, until: first.until + DAY_MS };
    await enrol(ada, renewed);
    const kept = await documentsOf(system.stores.kdc, "devices");
    expect(kept.filter(({ _id }) => _id === first.deviceId)).toMatchObject([{ enrolment: renewed }]);
  });

  it("is not forwarded by an unknown cloudlet or with another key than the cloudlet's", async () => {
    const kdc = kdcOf(system);
    const stranger = await strangerKey();
    await leavesNoTrace(system, async () => {
      for (const id of [someId(), idOf(ada), idOf(doctor)]) {
        for (const key of [stranger, ada.keys.signing]) {
          await expect(kdc.forwardTicket(id, key)).rejects.toMatchObject({
            code: "CLOUDLET_UNKNOWN",
            status: 403,
          });
        }
      }
    });
  });

  it("is shown to the reader it was shared with and to nobody else", async () => {
    const other = await system.doctor("dr-stork");
    await ada.owner.share(termsFor(system, doctor));
    const grants = await doctor.session.grants();
    expect(grants.length).toBeGreaterThan(0);
    expect(new Set(grants.map(({ owner }) => owner.accountId))).toEqual(new Set([idOf(ada)]));
    // Of the regions that were not shared not even the public epochs and devices are told.
    const text = grants
      .flatMap(({ epochs, devices }) => [...epochs, ...devices])
      .map((jws) => JSON.stringify(payloadOf(jws)));
    expect(text.join()).toContain('"medical"');
    expect(text.join()).not.toMatch(/"identity"|"profile"/);
    expect(await other.session.grants()).toEqual([]);
  });
});
