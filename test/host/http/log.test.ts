import { describe, expect, it } from "vitest";
import { allowedFields, createLog } from "../../../host/http/index.ts";
import { backends } from "../../support/stores.ts";
import { eventually, type System, startSystem } from "../../support/system.ts";
import { expectProblem, replay, sealedBy, snapshot, uploadBy, wearerOf } from "./attack.ts";

/** Every name that may stand in a log line; a new one has to be thought about here too. */
const EXPECTED = new Set(
  (
    "level time service msg event requestId method route status durationMs code reason stack url store attempt " +
    "retryInMs count bytes priority sequence role probe signal file"
  ).split(" "),
);

describe("the log", () => {
  it("lets only fields through that are on its list, however they are called", () => {
    const lines: string[] = [];
    const log = createLog({
      service: "test",
      level: "info",
      destination: { write: (line) => void lines.push(line) },
    });
    const secrets = {
      password: "p1",
      token: "t1",
      ticket: "t2",
      body: { a: "b1" },
      headers: "h1",
      req: "r1",
      ip: "i1",
    };
    log.info({ ...secrets, event: "happened", status: 200 }, "text");
    log.error({ err: new Error("e1"), error: "e2", event: "failed" });
    log.error(new Error("e3"));
    const parsed = lines.map((line) => JSON.parse(line));
    expect(lines.join()).not.toMatch(/[pteb][123]\b/);
    expect(parsed.map((line) => Object.keys(line).sort())).toEqual([
      ["event", "level", "msg", "service", "status", "time"],
      ["event", "level", "service", "time"],
      ["code", "level", "service", "stack", "time"],
    ]);
    expect(allowedFields(secrets)).toEqual({});
  });
});

describe.each(backends())("the log of a whole system on the $name store", (backend) => {
  it("has no field beyond its list and no id, ticket, proof or signature, whatever was tried", async () => {
    const system: System = await startSystem(backend);
    try {
      const sensor = await wearerOf(system, "quiet-otter");
      const good = await uploadBy(system, sensor, await sealedBy(system, sensor, 0));
      expect((await replay(good)).status).toBe(202);
      await expectProblem(await replay(good), 401, "PROOF_REPLAYED");
      await expectProblem(
        await fetch(`${system.kdc.url}/v1/directory/quiet-otter?x=${sensor.streamId}`),
        401,
        "SESSION_INVALID",
      );
      await expectProblem(await fetch(`${system.cloud.url}/v1/${sensor.deviceId}`), 404, "ROUTE_NOT_FOUND");
      await snapshot(system);
      await system.cloud.close();
      await replay(await uploadBy(system, sensor, await sealedBy(system, sensor, 1)));
      await eventually(async () => system.logLines.some((line) => line.includes("uplink_waits")));
    } finally {
      await system.stop();
    }
    expect(system.logLines.length).toBeGreaterThan(10);
    for (const line of system.logLines) {
      expect(Object.keys(JSON.parse(line)).filter((name) => !EXPECTED.has(name))).toEqual([]);
      const { requestId: _, ...rest } = JSON.parse(line);
      expect(JSON.stringify(rest)).not.toMatch(/[0-9a-f]{32}|eyJ|quiet-otter|DPoP|Bearer/);
    }
  });
});
