import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../support/stores.ts";
import { dumpOf, eventually, type System, startSystem } from "../../support/system.ts";
import { expectProblem, kdcOf, replay, sealedBy, uploadBy, wearerOf } from "../http/attack.ts";

const MINUTE_MS = 60_000;

describe.each(backends())("a change of ticket keys, on the $name store", (backend) => {
  let system: System;
  let sensor: Awaited<ReturnType<typeof wearerOf>>;
  let sequence = 0;

  const rotate = (revoke: boolean) => system.operator.session.rotateTicketKeys({ revoke });
  const upload = async (ticket = sensor.ticket) =>
    replay(await uploadBy(system, { ...sensor, ticket }, await sealedBy(system, sensor, sequence++)));
  const newTicket = async () => (await kdcOf(system).uploadTicket(sensor.deviceId, sensor.key)).ticket;
  const allForwarded = () =>
    eventually(async () =>
      (await dumpOf(system.stores.cloudlet)).every(({ document }) => document.state !== "waiting"),
    );

  beforeAll(async () => {
    system = await startSystem(backend);
    sensor = await wearerOf(system, "quiet-otter");
  });
  afterAll(() => system?.stop());

  it("is for operators alone", async () => {
    await expect(sensor.patient.session.rotateTicketKeys({ revoke: true })).rejects.toMatchObject({
      code: "ROLE_FORBIDDEN",
    });
  });

  it("refuses no upload: tickets of the old key and of the new one are good on both sides of the change", async () => {
    expect((await upload()).status).toBe(202);
    await rotate(false);
    for (let minutes = 0; minutes < 70; minutes += 10) {
      const before = await newTicket();
      expect((await upload(before)).status).toBe(202);
      system.clock.advance(10 * MINUTE_MS);
      expect((await upload(before)).status).toBe(202);
      expect((await upload(await newTicket())).status).toBe(202);
    }
    await allForwarded();
    const batches = (await dumpOf(system.stores.cloud)).filter(({ collection }) => collection === "batches");
    expect(batches).toHaveLength(sequence);
    expect((await kdcOf(system).ticketKeys()).keys).toHaveLength(2);
  });

  it("lets nobody in with a revoked key's ticket, ten minutes later at the latest", async () => {
    const stolen = await newTicket();
    expect((await upload(stolen)).status).toBe(202);
    await allForwarded();
    await rotate(true);
    expect((await kdcOf(system).ticketKeys()).keys).toHaveLength(1);
    system.clock.advance(10 * MINUTE_MS + 31_000);
    // The first request still goes by what the cloudlet knows, and makes it ask.
    await upload(stolen);
    await eventually(async () => (await upload(stolen)).status === 401);
    await expectProblem(await upload(stolen), 401, "TICKET_KEY_UNKNOWN");
    expect((await upload(await newTicket())).status).toBe(202);
  });
});
