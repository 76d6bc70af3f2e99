import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { toBase64Url } from "../../../host/base/index.ts";
import { createNoticeBoard, type SharedStream } from "../../../host/client/index.ts";
import { createErasures } from "../../../host/records/index.ts";
import type { Collection, Store } from "../../../host/store/index.ts";
import { type Staff, staffOf } from "../../support/emergency.ts";
import { shareRecord } from "../../support/records.ts";
import { backends } from "../../support/stores.ts";
import {
  DAY_MS,
  type Doctor,
  eventually,
  PASSWORD,
  type Person,
  type System,
  startSystem,
} from "../../support/system.ts";
import {
  documentsOf,
  expectProblem,
  kdcOf,
  leavesNoTrace,
  replay,
  sealedBy,
  signed,
  someId,
  strangerKey,
  uploadBy,
} from "../http/attack.ts";
import { eraseTicketOf } from "../identity/deletion-samples.ts";
import { deletionOf, leftOf, type Settled, settle } from "./deletion-scene.ts";

const again = { password: PASSWORD };

/** What may be left of somebody: that there was an account, what was logged, that streams are gone, and batches without bytes. */
const RESIDUE = [
  "cloud stream_tombstones",
  "cloudlet spool",
  "kdc accounts",
  "kdc audit",
  "kdc deletions",
  "kdc invitations",
];

describe.each(backends())("deleting everything on the $name store", (backend) => {
  let system: System;
  let heron: Doctor;
  let trustees: Staff[];
  let guardian: Person;
  let ada: Settled;
  let bo: Settled;
  let eve: Settled;
  let late: Settled;

  beforeAll(async () => {
    system = await startSystem(backend);
    heron = await system.doctor("dr-heron");
    trustees = [await staffOf(system, "dr-a"), await staffOf(system, "dr-b")];
    guardian = await system.patient("guardian", "G");
    const others = { doctor: heron, trustees, guardian };
    ada = await settle(system, "ada", others);
    bo = await settle(system, "bo-b", others);
    eve = await settle(system, "eve", others);
    late = await settle(system, "late", others);
  });
  afterAll(() => system?.stop());

  it("is announced with the password, waits a day, is withdrawn from any session, and told of", async () => {
    const deletion = deletionOf(system, ada.patient);
    await leavesNoTrace(system, async () => {
      expect(await deletion.state()).toEqual({ state: "none", dueAt: null });
      await expect(deletion.announce({ password: "not the right one" })).rejects.toMatchObject({
        code: "PASSWORD_WRONG",
      });
      await expect(deletion.run()).rejects.toMatchObject({ code: "DELETION_NOT_ANNOUNCED" });
      await expect(deletion.withdraw()).rejects.toMatchObject({ code: "DELETION_NOT_ANNOUNCED" });
    });
    const { state, dueAt } = await deletion.announce(again);
    expect(state).toBe("waiting");
    expect(dueAt).toBeGreaterThan(system.clock.now() + DAY_MS - 60_000);
    expect(await deletion.announce(again)).toEqual({ state, dueAt });
    await expect(deletion.run()).rejects.toMatchObject({ code: "DELETION_NOT_DUE", details: { dueAt } });
    const { handle } = ada.patient.session.account;
    for (const [confirm, code] of [
      [{ ...again, handle: "bo-b" }, "DELETION_UNCONFIRMED"],
      [{ password: "not the right one", handle }, "PASSWORD_WRONG"],
    ] as const) {
      await expect(deletion.run({ confirm })).rejects.toMatchObject({ code });
    }
    // A stolen session with a guessed password and without the keys comes no further.
    const begin = {
      method: "POST",
      path: "/deletion/begin",
      json: { confirm: { ...again, handle } },
    } as const;
    const thief = await strangerKey();
    for (const [key, code] of [
      [{}, "PROOF_INVALID"],
      [{ key: thief }, "PROOF_KEY_MISMATCH"],
    ] as const) {
      await expect(ada.patient.session.call(z.unknown(), { ...begin, ...key })).rejects.toMatchObject({
        code,
      });
    }
    const elsewhere = { ...ada.patient, session: await system.login("ada") };
    await deletionOf(system, elsewhere).withdraw();
    expect(await deletion.state()).toMatchObject({ state: "none" });
    const kinds = (await createNoticeBoard(elsewhere.session).list()).map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(["deletion.announced", "deletion.withdrawn"]));
  });

  it("deletes nothing with a ticket for another stream, for another right, or in other hands", async () => {
    const [streamId = ""] = eve.streams;
    const { key, ticket } = await eraseTicketOf(system, eve.patient, streamId);
    const { session, keys } = bo.patient;
    const read = await session.readTicket(bo.sensor.streamId, keys.signing);
    const remove = async (id: string, by: { key: typeof key; ticket: string }) =>
      replay(await signed(system, { method: "DELETE", url: `${system.cloud.url}/v1/streams/${id}`, ...by }));
    await leavesNoTrace(system, async () => {
      await expectProblem(await remove(bo.sensor.streamId, { key, ticket }), 403, "TICKET_STREAM_MISMATCH");
      await expectProblem(await remove(bo.sensor.streamId, read), 403, "TICKET_SCOPE");
      const thief = await strangerKey();
      await expectProblem(await remove(streamId, { key: thief, ticket }), 403, "TICKET_HOLDER_MISMATCH");
      const holder = toBase64Url(thief.publicKey);
      const ask = (by: Person, id: string) =>
        by.session.call(z.unknown(), {
          ...{ method: "POST", path: "/tickets/erase", key: by.keys.signing },
          json: { streamId: id, holder },
        });
      await expect(ask(eve.patient, bo.sensor.streamId)).rejects.toMatchObject({ code: "STREAM_NOT_OWN" });
      await expect(ask(eve.patient, someId())).rejects.toMatchObject({ code: "STREAM_NOT_OWN" });
      await expect(ask(bo.patient, bo.sensor.streamId)).rejects.toMatchObject({ code: "DELETION_NOT_BEGUN" });
      const finish = { method: "POST", path: "/deletion/finish", json: { streams: [] } } as const;
      for (const [{ patient }, code] of [
        [eve, "DELETION_INCOMPLETE"],
        [bo, "DELETION_NOT_BEGUN"],
      ] as const) {
        const request = { ...finish, key: patient.keys.signing };
        await expect(patient.session.call(z.unknown(), request)).rejects.toMatchObject({ code });
      }
      await expect(deletionOf(system, eve.patient).withdraw()).rejects.toMatchObject({
        code: "DELETION_BEGUN",
      });
    });
  });

  it("lets no late batch in: the cloudlet drops it, and what was set aside, instead of trying for ever", async () => {
    const spool = await system.stores.cloudlet.collection<{
      _id: string;
      state: string;
      bytes: Uint8Array | null;
    }>({
      name: "spool",
      indexes: [],
    });
    const setAside = `${late.sensor.deviceId}:77`;
    await spool.insertOne({ _id: setAside, state: "refused", bytes: new Uint8Array(9) });
    const confirm = { ...again, handle: "late" };
    const deletion = deletionOf(system, late.patient);
    await deletion.announce(again);
    await deletion.run({ confirm });
    const sent = await replay(await uploadBy(system, late.sensor, await sealedBy(system, late.sensor, 9)));
    expect(sent.status).toBe(202);
    await eventually(async () => {
      const kept = await documentsOf(system.stores.cloudlet, "spool");
      return kept.some(({ _id, state }) => _id === `${late.sensor.deviceId}:9` && state === "forwarded");
    });
    const kept = (await documentsOf(system.stores.cloudlet, "spool")).filter(({ _id }) =>
      String(_id).startsWith(late.sensor.deviceId),
    );
    expect(kept.map(({ bytes }) => bytes)).toEqual(kept.map(() => null));
    expect(kept.some(({ _id }) => _id === setAside)).toBe(false);
    expect(await leftOf(system, late)).toEqual(RESIDUE);
  }, 60_000);

  it("leaves nothing of theirs in any store, all of everybody else's, and tells readers in words", async () => {
    const deletion = deletionOf(system, ada.patient);
    await deletion.announce(again);
    system.clock.advance(DAY_MS - 60_000);
    const session = await system.login("ada");
    const due = deletionOf(system, { ...ada.patient, session });
    await expect(due.run()).rejects.toMatchObject({ code: "DELETION_NOT_DUE" });
    system.clock.advance(61_000);

    await shareRecord(system, { ...ada.patient, session }, heron, ["medical"], ada.disk);
    const { streams } = await heron.reader.shared();
    const following = heron.reader.follow(streams[0] as SharedStream, new AbortController().signal);
    for (let i = 0; i < 3; i++) {
      await following.next();
    }
    const told = following.next().then(
      () => expect.unreachable("news of somebody who is gone"),
      (error) => error,
    );
    const ticket = await session.readTicket(ada.sensor.streamId, ada.patient.keys.signing);
    const before = await leftOf(system, bo);
    const steps: string[] = [];
    expect(await due.run({ onStep: (step) => steps.push(step) })).toEqual({ streams: 3 });
    expect(steps).toEqual(["begin", "consents", "devices", "streams", "account"]);

    expect(await leftOf(system, ada)).toEqual(RESIDUE);
    expect(await leftOf(system, bo)).toEqual(before);
    const batches = await documentsOf(system.stores.cloud, "batches");
    expect(batches.filter(({ streamId }) => streamId === bo.sensor.streamId)).toHaveLength(3);
    expect(await told).toMatchObject({ code: "STREAM_DELETED", status: 410 });
    for (const path of ["batches", "notes", "record", "events", `summary?epochId=${someId()}`]) {
      const url = `${system.cloud.url}/v1/streams/${ada.sensor.streamId}/${path}`;
      await expectProblem(
        await replay(await signed(system, { method: "GET", url, ...ticket })),
        410,
        "STREAM_DELETED",
      );
    }
    const heronNow = await system.login("dr-heron");
    const board = await createNoticeBoard(heronNow).list();
    expect(board).toEqual(
      expect.arrayContaining([expect.objectContaining({ kind: "patient.deleted", who: "ada" })]),
    );

    // Nobody gets in, and nobody gets the name.
    await expect(system.login("ada")).rejects.toMatchObject({ code: "LOGIN_FAILED" });
    await expect(session.epochs()).rejects.toMatchObject({ code: "SESSION_INVALID" });
    const { identity } = guardian.session.account;
    await expect(
      kdcOf(system).register({
        invitation: await system.invitation("patient"),
        handle: "ada",
        password: PASSWORD,
        identity,
      }),
    ).rejects.toMatchObject({ code: "ACCOUNT_HANDLE_TAKEN" });
    const officer = await system.person("security-officer", "some-officer");
    const lift = { method: "PUT", path: "/suspensions/ada", json: { suspended: false } } as const;
    await expect(officer.session.call(z.unknown(), lift)).rejects.toMatchObject({ code: "ACCOUNT_DELETED" });
    await expect(kdcOf(system).uploadTicket(ada.sensor.deviceId, ada.sensor.key)).rejects.toMatchObject({
      code: "DEVICE_UNKNOWN",
    });
  }, 60_000);

  it("meets what passed it by on its way in, and finishes what a crash of the cloud cut off", async () => {
    const store = system.stores.cloud;
    const streamId = someId();
    const batches = await store.collection<{ _id: string; streamId: string }>({
      name: "batches",
      indexes: [],
    });
    const erasures = await createErasures({ store, clock: system.clock, onErased: () => {} });
    await erasures.settle(streamId);
    await erasures.erase(streamId);
    await batches.insertOne({ _id: someId(), streamId });
    await expect(erasures.settle(streamId)).rejects.toMatchObject({ code: "STREAM_DELETED", status: 410 });
    expect(await batches.findOne({ streamId: { $eq: streamId } })).toBeNull();

    const other = someId();
    await batches.insertOne({ _id: someId(), streamId: other });
    const dying: Store = {
      ...store,
      collection: async <T extends { _id: string }>(spec: Parameters<Store["collection"]>[0]) => {
        const real: Collection<T> = await store.collection<T>(spec as never);
        return { ...real, deleteMany: () => Promise.reject(new Error("killed")) };
      },
    };
    const cutOff = await createErasures({ store: dying, clock: system.clock, onErased: () => {} });
    await expect(cutOff.erase(other)).rejects.toThrow("killed");
    await expect(erasures.requireKept(other)).rejects.toMatchObject({ code: "STREAM_DELETED" });
    expect(await batches.findOne({ streamId: { $eq: other } })).not.toBeNull();
    await erasures.sweep();
    expect(await batches.findOne({ streamId: { $eq: other } })).toBeNull();
  });
});
