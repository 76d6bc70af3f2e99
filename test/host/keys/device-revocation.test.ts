import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toBase64Url } from "../../../host/base/index.ts";
import { revokeDevice } from "../../../host/client/kdc-consents.ts";
import {
  DEVICE_REVOCATION,
  ENROLMENT,
  type Enrolment,
  REVOCATION,
  signStatement,
} from "../../../host/sealing/index.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Doctor, type Patient, type System, startSystem } from "../../support/system.ts";
import {
  expectProblem,
  kdcOf,
  leavesNoTrace,
  replay,
  type Sensor,
  sealedBy,
  sensorOf,
  snapshot,
  someId,
  strangerKey,
  uploadBy,
} from "../http/attack.ts";

describe.each(backends())("a device that its owner revoked, on the $name store", (backend) => {
  let system: System;
  let ada: Patient;
  let bo: Patient;
  let heron: Doctor;
  let lost: Sensor;
  let kept: Sensor;

  const idOf = (person: Patient) => person.session.account.accountId;
  const send = async (sensor: Sensor, sequence: number) => {
    const bytes = await sealedBy(system, sensor, sequence, { readings: 1 });
    return replay(await uploadBy(system, sensor, bytes));
  };
  const statement = (by: Patient, changes: Partial<{ deviceId: string; owner: string }> = {}) =>
    signStatement(
      DEVICE_REVOCATION,
      { deviceId: lost.deviceId, owner: idOf(by), revokedAt: system.clock.now(), ...changes },
      by.keys.signing,
    );
  /** Sequence and device of what a doctor opens, and codes of what is refused. */
  const opened = async () => {
    await snapshot(system);
    const [stream] = (await heron.reader.shared()).streams;
    const seen: string[] = [];
    for await (const { batch } of heron.reader.read(stream as NonNullable<typeof stream>)) {
      const { deviceId, sequence } =
        batch.status === "opened" ? batch.header : { deviceId: "", sequence: batch.error.code };
      seen.push(`${deviceId === lost.deviceId ? "lost" : deviceId === "" ? "" : "kept"} ${sequence}`.trim());
    }
    return seen.sort();
  };

  beforeAll(async () => {
    system = await startSystem(backend);
    ada = await system.patient("quiet-otter", "Ada Quillfeather");
    bo = await system.patient("brave-wren", "Bo Lantern");
    heron = await system.doctor("dr-heron");
    await ada.owner.startEpoch("medical");
    await bo.owner.startEpoch("medical");
    lost = await sensorOf(system, ada);
    kept = await sensorOf(system, ada);
    await ada.owner.share(termsFor(system, heron));
    expect((await send(lost, 0)).status).toBe(202);
    expect((await send(kept, 0)).status).toBe(202);
  });
  afterAll(() => system?.stop());

  it("is revoked by nobody else, and by no other statement", async () => {
    await leavesNoTrace(system, async () => {
      await expect(revokeDevice(bo.session.call, await statement(bo))).rejects.toMatchObject({
        code: "DEVICE_NOT_FOUND",
        status: 404,
      });
      await expect(
        revokeDevice(bo.session.call, await statement(bo, { owner: idOf(ada) })),
      ).rejects.toMatchObject({ code: "DEVICE_OWNER_MISMATCH", status: 403 });
      for (const forged of [
        await statement(bo),
        await signStatement(
          DEVICE_REVOCATION,
          { deviceId: lost.deviceId, owner: idOf(ada), revokedAt: 1 },
          await strangerKey(),
        ),
        await signStatement(
          REVOCATION,
          { consentId: lost.deviceId, owner: idOf(ada), revokedAt: 1 },
          ada.keys.signing,
        ),
      ]) {
        await expect(revokeDevice(ada.session.call, forged)).rejects.toMatchObject({
          code: "STATEMENT_INVALID",
        });
      }
      await expect(
        revokeDevice(ada.session.call, await statement(ada, { deviceId: someId() })),
      ).rejects.toMatchObject({ code: "DEVICE_NOT_FOUND" });
      await expect(revokeDevice(heron.session.call, await statement(ada))).rejects.toMatchObject({
        code: "ROLE_FORBIDDEN",
      });
    });
    expect(await opened()).toEqual(["kept 0", "lost 0"]);
  });

  it("gets no ticket any more, and the owner's other devices do", async () => {
    await ada.owner.revokeDevice(lost.deviceId);
    const kdc = kdcOf(system);
    await leavesNoTrace(system, async () => {
      await expect(kdc.uploadTicket(lost.deviceId, lost.key)).rejects.toMatchObject({
        code: "DEVICE_REVOKED",
        status: 403,
      });
      await ada.owner.revokeDevice(lost.deviceId);
    });
    expect((await kdc.uploadTicket(kept.deviceId, kept.key)).ticket).toBeTruthy();
    const devices = await ada.owner.devices();
    expect(
      devices.map(({ enrolment, revokedAt }) => [enrolment.deviceId, revokedAt !== null]).sort(),
    ).toEqual(
      [
        [lost.deviceId, true],
        [kept.deviceId, false],
      ].sort(),
    );
  });

  it("cannot be enrolled again, neither longer nor from another account", async () => {
    const enrolment = (await ada.owner.devices()).find(
      ({ enrolment: { deviceId } }) => deviceId === lost.deviceId,
    )?.enrolment as Enrolment;
    const later = { ...enrolment, createdAt: enrolment.createdAt + 1, until: enrolment.until + DAY_MS };
    const ofBo = { ...later, owner: idOf(bo), signingKey: toBase64Url(bo.keys.signing.publicKey) };
    await leavesNoTrace(system, async () => {
      for (const [by, wanted] of [
        [ada, later],
        [bo, ofBo],
      ] as const) {
        await expect(
          by.session.enrolDevice(await signStatement(ENROLMENT, wanted, by.keys.signing)),
        ).rejects.toMatchObject({ code: "DEVICE_EXISTS", status: 409 });
      }
    });
  });

  it("may still have a ticket: what it sends of later times is refused by readers, earlier readings stay", async () => {
    system.clock.advance(60_000);
    expect((await send(lost, 1)).status).toBe(202);
    expect((await send(kept, 1)).status).toBe(202);
    expect(await opened()).toEqual(["DEVICE_REVOKED", "kept 0", "kept 1", "lost 0"]);
  });

  it("can back-date while its last ticket lives, and not an hour later", async () => {
    const backDated = await sealedBy(system, lost, 2, { readings: 1 });
    expect(backDated.length).toBeGreaterThan(0);
    system.clock.advance(-120_000);
    const before = await sealedBy(system, lost, 3, { readings: 1 });
    system.clock.advance(120_000);
    expect((await replay(await uploadBy(system, lost, before))).status).toBe(202);
    // This is what no revocation prevents; the threat model says so.
    expect(await opened()).toContain("lost 3");
    system.clock.advance(60 * 60_000);
    await expectProblem(await replay(await uploadBy(system, lost, backDated)), 401, "TICKET_EXPIRED");
  });
});
