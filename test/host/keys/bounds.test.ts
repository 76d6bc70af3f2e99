import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toBase64Url } from "../../../host/base/index.ts";
import { createIdentity } from "../../../host/client/index.ts";
import { type Account, createNotices } from "../../../host/identity/index.ts";
import {
  type Consents,
  createConsents,
  createEpochs,
  createRecordParts,
  type Epochs,
} from "../../../host/keys/index.ts";
import { loadNtru } from "../../../host/ntru/index.ts";
import {
  CONSENT,
  createSealingSuite,
  EPOCH,
  fingerprint,
  RECORD_PART,
  REVOCATION,
  type SealingSuite,
  signStatement,
  WRAPPED_KEY,
} from "../../../host/sealing/index.ts";
import type { Store } from "../../../host/store/index.ts";
import { backends } from "../../support/stores.ts";
import { createTestClock, DAY_MS } from "../../support/system.ts";
import { documentsOf, someId } from "../http/attack.ts";

/** Small enough to run into in a test; what is in force is in `host/keys/limits.ts`. */
const LIMITS = { epochs: 12, consents: 4, wrappedKeys: 20, waitingKeys: 10, waitingConsents: 3 };

describe.each(backends())("what one owner can make the KDC keep, on the $name store", (backend) => {
  const clock = createTestClock();
  let store: Store;
  let suite: SealingSuite;
  let epochs: Epochs;
  let consents: Consents;
  let reader: Account;

  beforeAll(async () => {
    store = await backend.open("bounds");
    suite = createSealingSuite(await loadNtru("ntruhps2048677"));
    epochs = await createEpochs(store, LIMITS);
    consents = await createConsents(store, epochs, clock, LIMITS);
    const { keys, statement } = await createIdentity(suite, clock);
    reader = {
      _id: someId(),
      handle: "dr-heron",
      role: "doctor",
      suspendedAt: null,
      identity: statement,
      fingerprint: fingerprint({
        signingKey: keys.signing.publicKey,
        receivingKey: keys.receiving.publicKey,
      }),
    } as Account;
  });
  afterAll(() => store?.close());

  /** A patient with so many epochs, who signs whatever they like. */
  const patientWith = async (epochCount: number) => {
    const owner = someId();
    const streamId = someId();
    const { signing } = (await createIdentity(suite, clock)).keys;
    const publicKey = toBase64Url((await suite.generateKeyPair()).publicKey);
    const epochIds: string[] = [];
    const startEpoch = async () => {
      const epochId = someId();
      const epoch = {
        owner,
        region: "medical" as const,
        streamId,
        epochId,
        number: epochIds.length + 1,
        suite: 1 as const,
        publicKey,
        createdAt: clock.now(),
      };
      await epochs.publish(owner, signing.publicKey, await signStatement(EPOCH, epoch, signing));
      epochIds.push(epochId);
    };
    for (let i = 0; i < epochCount; i++) {
      await startEpoch();
    }
    const keyOf = (consentId: string, epochId: string) =>
      signStatement(
        WRAPPED_KEY,
        { consentId, owner, reader: reader._id, epochId, enc: "A".repeat(1283), ciphertext: "A".repeat(448) },
        signing,
      );
    const wrap = async (consentId: string, ids: readonly string[] = epochIds) =>
      consents.storeKeys({
        owner,
        ownerKey: signing.publicKey,
        statements: await Promise.all(ids.map((epochId) => keyOf(consentId, epochId))),
      });
    const give = async (consentId: string, until = clock.now() + DAY_MS * 30) => {
      const now = clock.now();
      const consent = {
        consentId,
        owner,
        reader: reader._id,
        readerFingerprint: reader.fingerprint,
        regions: ["medical" as const],
        purpose: "treatment" as const,
        from: now,
        until,
        createdAt: now,
      };
      await consents.grant({
        owner,
        reader,
        consent,
        statement: await signStatement(CONSENT, consent, signing),
      });
    };
    const revoke = async (consentId: string) => {
      const revocation = { consentId, owner, revokedAt: clock.now() };
      await consents.revoke(owner, revocation, await signStatement(REVOCATION, revocation, signing));
    };
    const kept = async () =>
      (await documentsOf(store, "wrapped_keys")).filter((key) => key.owner === owner).length;
    return { owner, streamId, signing, epochIds, startEpoch, wrap, give, revoke, kept };
  };

  it("wrapped keys without a consent are few, and everybody else has their own", async () => {
    const mallory = await patientWith(5);
    const ada = await patientWith(5);
    await mallory.wrap(someId());
    const last = someId();
    await mallory.wrap(last);
    await expect(mallory.wrap(someId())).rejects.toMatchObject({ code: "WRAPPED_KEYS_WAITING", status: 409 });
    // What is there already takes no room: a request that was cut off can be sent again.
    expect(await mallory.wrap(last)).toBe(0);
    expect(await mallory.kept()).toBe(10);
    expect(await ada.wrap(someId())).toBe(5);
  });

  it("keys wait for few consents, however few keys each has", async () => {
    const mallory = await patientWith(1);
    for (let i = 0; i < LIMITS.waitingConsents; i++) {
      await mallory.wrap(someId());
    }
    await expect(mallory.wrap(someId())).rejects.toMatchObject({ code: "WRAPPED_KEYS_WAITING" });
    expect(await mallory.kept()).toBe(LIMITS.waitingConsents);
  });

  it("keys whose consent never came make room after a day; those of a consent in force stay", async () => {
    const ada = await patientWith(5);
    const given = someId();
    await ada.wrap(given);
    await ada.give(given);
    await ada.wrap(someId());
    await ada.wrap(someId());
    await expect(ada.wrap(someId())).rejects.toMatchObject({ code: "WRAPPED_KEYS_WAITING" });
    clock.advance(DAY_MS + 1000);
    expect(await ada.wrap(someId())).toBe(5);
    expect(await ada.kept()).toBe(10);
    expect(
      (await consents.keysOf((await consents.given(given, ada.owner)) as never, { after: "", limit: 50 }))
        .keys,
    ).toHaveLength(5);
  });

  it("keys are bounded altogether, and consents that are over make room", async () => {
    const ada = await patientWith(9);
    const [first, second] = [someId(), someId()];
    for (const consentId of [first, second]) {
      await ada.wrap(consentId);
      await ada.give(consentId);
    }
    const third = someId();
    await expect(ada.wrap(third)).rejects.toMatchObject({ code: "WRAPPED_KEYS_LIMIT", status: 409 });
    expect(await ada.kept()).toBe(18);
    await ada.revoke(first);
    expect(await ada.wrap(third)).toBe(9);
    expect(await ada.kept()).toBe(18);
    await expect(ada.wrap(first)).rejects.toMatchObject({ code: "CONSENT_ENDED" });
  });

  it("consents are bounded, those that ended included: an id is never used again", async () => {
    const ada = await patientWith(1);
    for (let i = 0; i < LIMITS.consents; i++) {
      const consentId = someId();
      await ada.wrap(consentId);
      await ada.give(consentId);
      await ada.revoke(consentId);
    }
    const another = someId();
    await ada.wrap(another);
    await expect(ada.give(another)).rejects.toMatchObject({ code: "CONSENT_LIMIT", status: 409 });
  });

  it("epochs of a region are bounded", async () => {
    const mallory = await patientWith(LIMITS.epochs);
    await expect(mallory.startEpoch()).rejects.toMatchObject({ code: "EPOCH_LIMIT", status: 409 });
  });

  it("of a record's versions the newest sixteen are kept, and no number can be used again", async () => {
    const { owner, streamId, signing, epochIds } = await patientWith(1);
    const parts = await createRecordParts(store, epochs);
    const publish = async (version: number) =>
      parts.publish(
        owner,
        signing.publicKey,
        await signStatement(
          RECORD_PART,
          {
            owner,
            region: "medical",
            streamId,
            epochId: epochIds[0] as string,
            version,
            digest: "0".repeat(64),
            createdAt: version,
          },
          signing,
        ),
      );
    for (let version = 1; version <= 40; version++) {
      await publish(version);
    }
    const kept = (await documentsOf(store, "record_parts")).filter((part) => part.owner === owner);
    expect(kept.map(({ version }) => version).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 16 }, (_, i) => 25 + i),
    );
    for (const version of [1, 24, 25, 39]) {
      await expect(publish(version)).rejects.toMatchObject({ code: "RECORD_STALE" });
    }
  });

  it("of notices of one kind the newest are kept, and a flood of one kind buries no other", async () => {
    const notices = await createNotices(store, clock, 10);
    const to = someId();
    await notices.send({ to, kind: "emergency.opened", object: someId() });
    let newest = "";
    for (let i = 0; i < 100; i++) {
      clock.advance(1);
      newest = someId();
      await notices.send({ to, kind: "emergency.approval-withdrawn", object: newest });
    }
    const kept = await notices.ofAccount(to, { unseen: false, limit: 500 });
    expect(kept.length).toBeLessThanOrEqual(31);
    expect(kept.map(({ kind }) => kind)).toContain("emergency.opened");
    expect(kept[0]?.object).toBe(newest);
    expect(kept.filter(({ kind }) => kind === "emergency.approval-withdrawn").length).toBeGreaterThanOrEqual(
      10,
    );
  });
});
