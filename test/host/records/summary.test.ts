import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../support/stores.ts";
import type { Patient } from "../../support/system.ts";
import { type System, startSystem } from "../../support/system.ts";
import {
  expectProblem,
  leavesNoTrace,
  replay,
  type Sensor,
  sealedBy,
  signed,
  snapshot,
  someId,
  uploadBy,
  wearerOf,
} from "../http/attack.ts";

describe.each(backends())("what the cloud says of an epoch, on the $name store", (backend) => {
  let system: System;
  let mine: Sensor & { patient: Patient };
  let theirs: Sensor & { patient: Patient };
  const times: number[] = [];

  const ask = async (asker: Sensor & { patient: Patient }, of: Sensor, query = `?epochId=${of.epochId}`) => {
    const { patient } = asker;
    const ticket = await patient.session.readTicket(asker.streamId, patient.keys.signing);
    const url = `${system.cloud.url}/v1/streams/${of.streamId}/summary${query}`;
    return replay(await signed(system, { method: "GET", url, ...ticket }));
  };

  beforeAll(async () => {
    system = await startSystem(backend);
    mine = await wearerOf(system, "quiet-otter");
    theirs = await wearerOf(system, "brave-wren");
    for (const [sequence, sensor] of [mine, mine, mine, theirs].entries()) {
      times.push(system.clock.now());
      const bytes = await sealedBy(system, sensor, sequence, { readings: 1 });
      expect((await replay(await uploadBy(system, sensor, bytes))).status).toBe(202);
      system.clock.advance(60_000);
    }
    await snapshot(system);
  });
  afterAll(() => system?.stop());

  it("is how many batches there are, and from when to when", async () => {
    const answer = await (await ask(mine, mine)).json();
    expect(answer.batches).toBe(3);
    expect(answer.firstTime).toBeGreaterThanOrEqual(times[0] as number);
    expect(answer.firstTime).toBeLessThan(times[1] as number);
    expect(answer.lastTime).toBeGreaterThanOrEqual(times[2] as number);
    expect(answer.lastTime).toBeLessThan(times[3] as number);
    expect(await (await ask(mine, mine, `?epochId=${someId()}`)).json()).toEqual({
      batches: 0,
      firstTime: null,
      lastTime: null,
    });
    // Another's epoch is not in one's own stream.
    expect(await (await ask(mine, mine, `?epochId=${theirs.epochId}`)).json()).toMatchObject({ batches: 0 });
  });

  it("is told to holders of a ticket for the stream alone", async () => {
    await leavesNoTrace(system, async () => {
      await expectProblem(await ask(mine, theirs), 403, "TICKET_STREAM_MISMATCH");
      const bare = await fetch(
        `${system.cloud.url}/v1/streams/${mine.streamId}/summary?epochId=${mine.epochId}`,
      );
      await expectProblem(bare, 401, "TICKET_MISSING");
      for (const query of ["", "?epochId=", "?epochId[$gt]=", `?epochId=${mine.epochId}&more=1`]) {
        await expectProblem(await ask(mine, mine, query), 400, "REQUEST_INVALID");
      }
    });
  });
});
