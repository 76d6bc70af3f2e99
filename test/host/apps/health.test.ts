import { afterEach, describe, expect, it } from "vitest";
import { backends } from "../../support/stores.ts";
import { type System, startSystem } from "../../support/system.ts";
import { expectProblem, replay, sealedBy, uploadBy, wearerOf } from "../http/attack.ts";

describe.each(backends())("the three services on the $name store", (backend) => {
  let system: System;
  afterEach(() => system?.stop());

  it("are not ready once their store is closed, say so at every route, and still live", async () => {
    system = await startSystem(backend);
    const sensor = await wearerOf(system, "quiet-otter");
    const { session } = sensor.patient;
    for (const service of ["kdc", "cloud", "cloudlet"] as const) {
      const { url } = system[service];
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      await system.stores[service].close();
      const answer = await fetch(`${url}/readyz`);
      expect([answer.status, await answer.json()]).toEqual([
        503,
        { status: "not ready", checks: { store: "failed" } },
      ]);
      expect((await fetch(`${url}/livez`)).status).toBe(200);
    }
    // A store that is away is not told as a refusal.
    await expect(session.readTicket(sensor.streamId, sensor.key)).rejects.toMatchObject({
      code: "STORE_CLOSED",
      status: 503,
    });
    const upload = await uploadBy(system, sensor, await sealedBy(system, sensor, 0));
    await expectProblem(await replay(upload), 503, "TICKET_KEYS_UNAVAILABLE");
  });
});
