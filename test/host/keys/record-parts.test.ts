import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createEpochs, createRecordParts } from "../../../host/keys/index.ts";
import { RECORD_PART, type RecordPart, signStatement } from "../../../host/sealing/index.ts";
import type { CollectionSpec, Store } from "../../../host/store/index.ts";
import { backends } from "../../support/stores.ts";
import { type Patient, type System, startSystem } from "../../support/system.ts";
import { leavesNoTrace, someId } from "../http/attack.ts";

describe.each(backends())("statements about records at the KDC on the $name store", (backend) => {
  let system: System;
  let patient: Patient;
  let other: Patient;
  let part: RecordPart;

  const publish = async (statement: string, person = patient) =>
    person.session.call(z.unknown(), { method: "POST", path: "/record-parts", json: { statement } });
  const sign = (changes: Partial<RecordPart> = {}, signer = patient) =>
    signStatement(RECORD_PART, { ...part, ...changes }, signer.keys.signing);
  const list = async (person = patient) =>
    (
      await person.session.call(z.object({ recordParts: z.array(z.string()) }), {
        method: "GET",
        path: "/record-parts",
      })
    ).recordParts;

  beforeAll(async () => {
    system = await startSystem(backend);
    patient = await system.patient("quiet-otter", "");
    other = await system.patient("brave-wren", "");
    const { streamId, epochId } = await patient.owner.startEpoch("medical");
    part = {
      owner: patient.session.account.accountId,
      region: "medical",
      streamId,
      epochId,
      version: 1,
      digest: "0".repeat(64),
      createdAt: 1,
    };
    await patient.owner.startEpoch("identity");
    await other.owner.startEpoch("medical");
  });
  afterAll(() => system?.stop());

  it("are refused when they are somebody else's or about something else", async () => {
    const [theirs] = other.owner.epochs;
    const identity = patient.owner.epochs.find(({ region }) => region === "identity");
    await leavesNoTrace(system, async () => {
      for (const [statement, code] of [
        [await sign({}, other), "STATEMENT_INVALID"],
        [await sign({ owner: other.session.account.accountId }), "RECORD_OWNER_MISMATCH"],
        [await sign({ streamId: theirs?.streamId as string }), "RECORD_STREAM_MISMATCH"],
        [await sign({ streamId: identity?.streamId as string }), "RECORD_STREAM_MISMATCH"],
        [await sign({ region: "identity" }), "RECORD_STREAM_MISMATCH"],
        [await sign({ region: "profile" }), "EPOCH_MISSING"],
        [await sign({ epochId: someId() }), "RECORD_EPOCH_OLD"],
        [await sign({ epochId: identity?.epochId as string }), "RECORD_EPOCH_OLD"],
        [await sign({ version: 2 }), "RECORD_VERSION_GAP"],
        [`${await sign()}x`, "STATEMENT_INVALID"],
      ] as const) {
        await expect(publish(statement), code).rejects.toMatchObject({ code });
      }
    });
  });

  it("count up by one; the same one again is fine, another of the same version is not", async () => {
    const first = await sign();
    await publish(first);
    await publish(first);
    await expect(publish(await sign({ createdAt: 2 }))).rejects.toMatchObject({ code: "RECORD_STALE" });
    const second = await sign({ version: 2, digest: "1".repeat(64) });
    await publish(second);
    await expect(publish(first)).rejects.toMatchObject({ code: "RECORD_STALE" });
    await expect(publish(await sign({ version: 4 }))).rejects.toMatchObject({ code: "RECORD_VERSION_GAP" });
    expect(await list()).toEqual([second]);
    expect(await list(other)).toEqual([]);
  });

  it("let exactly one of many machines make a version", async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, async (_, i) => publish(await sign({ version: 3, createdAt: i }))),
    );
    expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === "rejected") {
        expect(attempt.reason).toMatchObject({ code: "RECORD_STALE", status: 409 });
      }
    }
  });

  it("let one of two machines make a version that both found due", async () => {
    const { kdc } = system.stores;
    // Both look for the newest version before either writes.
    let looking = 0;
    let go = () => {};
    const both = new Promise<void>((resolve) => {
      go = resolve;
    });
    const slow: Store = {
      ...kdc,
      collection: async (spec) => {
        const collection = await kdc.collection(spec as CollectionSpec<{ _id: string }>);
        return {
          ...collection,
          find: async (...how: Parameters<typeof collection.find>) => {
            const found = await collection.find(...how);
            looking++;
            if (looking === 2) {
              go();
            }
            await both;
            return found;
          },
        } as never;
      },
    };
    const parts = await createRecordParts(slow, await createEpochs(kdc));
    const { accountId } = patient.session.account;
    const key = patient.keys.signing.publicKey;
    const outcomes = await Promise.allSettled(
      [1, 2].map(async (createdAt) => parts.publish(accountId, key, await sign({ version: 4, createdAt }))),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "RECORD_STALE", status: 409 },
    });
  });

  it("are for the current epoch alone once there is a new one", async () => {
    const { epochId } = await patient.owner.startEpoch("medical");
    await expect(publish(await sign({ version: 5 }))).rejects.toMatchObject({ code: "RECORD_EPOCH_OLD" });
    await publish(await sign({ version: 5, epochId }));
  });

  it("are for patients alone", async () => {
    const doctor = await system.doctor("dr-stork");
    const forbidden = { code: "ROLE_FORBIDDEN" };
    const asDoctor = { ...patient, session: doctor.session };
    await expect(publish(await sign({ version: 6 }), asDoctor)).rejects.toMatchObject(forbidden);
    await expect(list(asDoctor)).rejects.toMatchObject(forbidden);
  });
});
