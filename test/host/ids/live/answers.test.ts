import { describe, expect, it } from "vitest";
import { POLICY } from "../../../../host/identity/index.ts";
import { eventSchema } from "../../../../host/ids/index.ts";
import { BY_ACTION, BY_CODE, kindOf } from "../../../../host/ids/live/answers.ts";
import { codesInSources } from "./codes.ts";

describe("what an answer means to the scenarios", () => {
  it.each(Object.entries(BY_CODE))("%s is %s, whatever the route", (code, kind) => {
    for (const action of [null, "batch.upload", "session.open", "ids.explain"]) {
      expect(kindOf({ action, code, status: 403 })).toBe(kind);
    }
  });

  it.each(Object.entries(BY_ACTION))(
    "%s that went well is %s, and nothing of the kind when it did not",
    (action, kind) => {
      expect(kindOf({ action, code: null, status: 200 })).toBe(kind);
      expect(kindOf({ action, code: "INTERNAL", status: 500 })).toBe("request");
    },
  );

  it("knows no code that the services do not have, no action that the policy does not, no kind that is none", async () => {
    const codes = await codesInSources();
    expect(Object.keys(BY_CODE).filter((code) => !codes.has(code))).toEqual([]);
    expect(Object.keys(BY_ACTION).filter((action) => !(action in POLICY))).toEqual([]);
    const kinds = new Set<string>(eventSchema.shape.kind.options);
    for (const kind of [...Object.values(BY_CODE), ...Object.values(BY_ACTION)]) {
      expect(kinds.has(kind)).toBe(true);
    }
  });

  it("counts who runs into the limit on tries as trying, and honest everyday refusals as nothing", () => {
    const status = 429;
    expect(kindOf({ action: "session.open", code: "RATE_LIMITED", status })).toBe("login-failed");
    expect(kindOf({ action: "batch.upload", code: "RATE_LIMITED", status })).toBe("request");
    expect(kindOf({ action: "emergency.request", code: "EMERGENCY_UNPREPARED", status: 404 })).toBe(
      "emergency-refused",
    );
    expect(kindOf({ action: "emergency.request", code: "STORE_UNAVAILABLE", status: 503 })).toBe("request");
    for (const code of [
      "TICKET_EXPIRED",
      "SESSION_INVALID",
      "CONSENT_ENDED",
      "SPOOL_FULL",
      "ROUTE_NOT_FOUND",
    ]) {
      expect(kindOf({ action: "batch.upload", code, status: 401 })).toBe("request");
    }
    for (const code of ["constructor", "__proto__", "toString"]) {
      expect(kindOf({ action: null, code, status: 400 })).toBe("request");
    }
  });
});
