import { EventEmitter } from "node:events";
import type { Request, Response } from "express";
import { describe, expect, it } from "vitest";
import type { Decision } from "../../../../host/ids/engine/index.ts";
import { createDetector } from "../../../../host/ids/index.ts";
import { createAddresses } from "../../../../host/ids/live/addresses.ts";
import { createMeasures } from "../../../../host/ids/live/measures.ts";
import { createPseudonyms } from "../../../../host/ids/live/pseudonyms.ts";
import { createWatch } from "../../../../host/ids/live/watch.ts";
import { createTestClock } from "../../../support/system.ts";

const ADDRESS = "203.0.113.9";

describe("the watch", () => {
  it("charges a throttled place once for a request, however often it is looked at", () => {
    const clock = createTestClock();
    const measures = createMeasures();
    const pseudonyms = createPseudonyms(new Uint8Array(32));
    const throttle: Decision = {
      ...{ id: "1", at: 0, until: clock.now() + 1e6, measure: "throttle", origin: "local", simulated: false },
      subject: pseudonyms.subject("source", ADDRESS, clock.now()),
      ...{ alerts: [], rules: [], logRatio: 0, threshold: 0, quorum: 1, voices: [], text: "" },
    };
    measures.put(throttle);
    const watch = createWatch({
      ...{ clock, measures, pseudonyms, rules: createDetector(), model: null, site: "here" },
      addresses: createAddresses({ exempt: [], loopback: false }),
      observe: () => {},
      exempt: () => {},
      safely: (_what, work) => work(),
      onHeld: () => {},
    });
    /** A login by somebody whom nobody knows: looked at on arrival, and again for the handle in its body. */
    const login = (): boolean => {
      const request = { ip: ADDRESS, method: "POST", originalUrl: "/v1/sessions", headers: {} } as Request;
      watch.arrive(request, new EventEmitter() as Response, () => {});
      watch.taken(request, "session.open", {});
      watch.body(request, { handle: "quiet-otter", password: "not this one either" });
      return watch.held(request) === null;
    };
    // Five at once is the pace; then one a second.
    expect(Array.from({ length: 7 }, login)).toEqual([true, true, true, true, true, false, false]);
    clock.advance(1000);
    expect([login(), login()]).toEqual([true, false]);
  });
});
